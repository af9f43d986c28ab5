//! The command palette.

use crate::dashboard::command_palette::Deed;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::tests::*;

fn found(app: &App) -> &[crate::dashboard::command_palette::Found] {
    match app.screens.top() {
        Screen::Palette(palette) => &palette.found,
        mode => panic!("no palette in {mode:?}"),
    }
}

fn chosen(app: &App) -> &str {
    match app.screens.top() {
        Screen::Palette(palette) => &palette.found[palette.choice].text,
        mode => panic!("no palette in {mode:?}"),
    }
}

#[test]
fn it_lists_what_applies_now_once_with_its_key() {
    let mut app = app_of(seven());
    press(&mut app, ":");
    let keys: Vec<_> = found(&app).iter().map(|found| found.keys.as_str()).collect();
    for key in ["l", "R", "C a", "C n", "s n", "s f", "q", "?", "*", "p"] {
        assert_eq!(keys.iter().filter(|other| **other == key).count(), 1, "{key} in {keys:?}");
    }
    assert!(!keys.contains(&"j") && !keys.contains(&"u") && !keys.contains(&":"), "{keys:?}");
    let places = found(&app).iter().filter(|found| matches!(found.deed, Deed::GoTo(_))).count();
    assert_eq!(places, 7);
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, ":");
    assert!(!found(&app).iter().any(|found| found.keys.starts_with("C ") || found.keys == "t"), "it has no token");
}

#[test]
fn a_few_letters_and_enter_do_what_the_key_does() {
    for (typed, key) in [("refresh now", "R"), ("real api", "t"), ("authorization", "C h"), ("quit", "q")] {
        let mut app = app_of(seven());
        press(&mut app, ":");
        paste(&mut app, typed);
        let by_palette = press(&mut app, "Enter");
        assert_eq!(by_palette, press(&mut app_of(seven()), key), "{typed}");
        assert_eq!((by_palette.len(), app.screens.top()), (1, &Screen::Main));
    }
}

#[test]
fn what_asks_first_asks_here_too() {
    let mut app = app_of(seven());
    press(&mut app, ":");
    paste(&mut app, "copy refresh token");
    assert_eq!(press(&mut app, "Enter"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::CopyRefreshToken(name("factory"))));
}

#[test]
fn it_goes_to_a_connection_through_filter_and_fold() {
    let mut app = app_of(seven());
    press(&mut app, "p G Left / f a c t Enter Tab :");
    paste(&mut app, "users");
    assert_eq!(chosen(&app), "go to users-import");
    press(&mut app, "Enter");
    assert_eq!((selected(&app), app.pane, app.filter.text()), ("users-import", Pane::Connections, ""));
    assert!(app.connections.selected_index().is_some());
}

#[test]
fn the_latest_come_first_next_time() {
    let mut app = app_of(seven());
    for text in ["sort by: status", "go to hr-sync", "freeze", "go to hr-sync"] {
        press(&mut app, ":");
        paste(&mut app, text);
        press(&mut app, "Enter");
    }
    press(&mut app, ":");
    let texts: Vec<_> = found(&app)[..3].iter().map(|found| found.text.as_str()).collect();
    assert_eq!(texts, ["go to hr-sync", "freeze the request log, or let it go on", "sort by: status, the worst first"]);
}

#[test]
fn esc_closes_it_and_changes_nothing() {
    let mut app = app_of(seven());
    let before = app.clone();
    assert_eq!(press(&mut app, ": x y Down Up Left Esc"), NOTHING);
    assert!(app == before);
}

#[test]
fn nothing_found_is_nothing_done() {
    let mut app = app_of(seven());
    press(&mut app, ":");
    paste(&mut app, "zzzz");
    assert_eq!(press(&mut app, "Enter Down Enter"), NOTHING);
    assert!(matches!(*app.screens.top(), Screen::Palette(_)));
    press(&mut app, "C-u");
    assert!(!found(&app).is_empty());
}

#[test]
fn the_list_is_bounded_and_scrolls() {
    let views = (0..1000).map(|at| manu(&format!("c{at}"), 1443)).collect();
    let mut app = app_of(views);
    press(&mut app, ": g o");
    assert_eq!(found(&app).len(), 200);
    press(&mut app, "PgDn PgDn PgDn");
    let Screen::Palette(palette) = app.screens.top() else { panic!() };
    assert!(palette.choice > 20 && palette.first(10) == palette.choice - 9, "{}", palette.choice);
    press(&mut app, "9 9 9");
    assert_eq!(chosen(&app), "go to c999");
}

#[test]
fn it_works_without_a_connection() {
    let mut app = app_of(vec![]);
    press(&mut app, "Esc");
    press(&mut app, ":");
    paste(&mut app, "help");
    press(&mut app, "Enter");
    assert!(matches!(*app.screens.top(), Screen::Help(_)));
}
