//! `Esc` goes back one screen, whatever it was opened from.

use crate::dashboard::fixtures::{app_of, press, seven};
use crate::dashboard::screen::Screen;

#[test]
fn esc_shows_the_screen_below() {
    // What opens a screen, what opens another on top of it.
    let below = [("", "main"), ("Enter", "details"), ("T", "timeline"), ("T Enter", "details of the timeline")];
    for (open, what) in below {
        for over in ["o", "e", "C", "F", "D", "R o"] {
            let mut app = app_of(seven());
            app.options.demo = true;
            app.configure(seven().iter().map(|view| crate::dashboard::fixtures::configured(&view.name)).collect());
            if !open.is_empty() {
                press(&mut app, open);
            }
            let before = app.screens.clone();
            press(&mut app, over);
            if app.screens == before {
                continue;
            }
            press(&mut app, "Esc");
            assert_eq!(app.screens, before, "{over} on {what}");
        }
    }
}

#[test]
fn the_help_of_the_timeline_closes_to_it_and_that_to_the_main_screen() {
    let mut app = app_of(seven());
    press(&mut app, "T ? Esc");
    assert_eq!(app.screens.top(), &Screen::Timeline);
    press(&mut app, "Enter Esc Esc");
    assert!(app.screens.is_main());
}

#[test]
fn a_menu_opened_from_the_details_acts_on_their_connection_and_leaves_them_open() {
    let mut app = app_of(seven());
    press(&mut app, "Enter");
    let connection = app.screens.top().connection().cloned();
    press(&mut app, "C Enter");
    assert!(matches!(app.screens.top(), Screen::Details { .. }));
    assert_eq!(app.screens.top().connection().cloned(), connection);
}
