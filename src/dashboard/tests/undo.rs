//! Logging out and deleting can be taken back until the time has passed; before that nothing is asked for.

use super::*;
use crate::dashboard::action::Action;
use crate::dashboard::keymap::Scope;

fn tick(app: &mut App) -> Vec<Effect> {
    update(app, Msg::Tick, now())
}

/// Every effect of so many ticks.
pub(super) fn ticks(app: &mut App, count: u8) -> Vec<Effect> {
    (0..count).flat_map(|_| tick(app)).collect()
}

fn logout(of: &str) -> Effect {
    Command::Logout { connection: name(of) }.into()
}

#[test]
fn nothing_is_done_before_the_time_has_passed_and_then_once() {
    for (keys, effect) in [("o y", logout("factory")), ("d y", Effect::Delete { connection: name("factory") })] {
        let mut app = app_of(seven());
        assert_eq!(press(&mut app, keys), NOTHING);
        assert_eq!(ticks(&mut app, SECONDS - 1), NOTHING);
        assert_eq!(tick(&mut app), [effect]);
        assert_eq!(ticks(&mut app, 60), NOTHING);
    }
}

#[test]
fn u_takes_it_back() {
    for keys in ["o y", "d y"] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        assert!(message_text(&app).ends_with("in 8 s; u undoes it"), "{}", message_text(&app));
        assert!(footer::hints(&app, 120, now()).iter().any(|hint| hint.action == Action::Undo));
        assert_eq!(press(&mut app, "u"), NOTHING);
        assert_eq!(message_text(&app), "kept: nothing was done");
        assert_eq!(ticks(&mut app, 60), NOTHING);
        assert!(!app.scopes().contains(&Scope::Undo));
    }
}

#[test]
fn u_takes_back_what_is_selected_and_else_the_latest() {
    let mut app = app_of(seven());
    press(&mut app, "o y j o y");
    let other = selected(&app).to_owned();
    press(&mut app, "k u");
    assert_eq!(message_text(&app), "kept: nothing was done");
    assert_eq!(ticks(&mut app, SECONDS), [logout(&other)]);
}

#[test]
fn a_marked_logout_is_taken_back_as_a_whole() {
    let mut app = app_of(seven());
    press(&mut app, "* o y");
    assert!(message_text(&app).contains("connections: logging out in 8 s; u undoes it"), "{}", message_text(&app));
    press(&mut app, "u");
    assert!(message_text(&app).ends_with("connections kept: nothing was done"));
    assert_eq!(ticks(&mut app, 60), NOTHING);
}

#[test]
fn meanwhile_it_is_refreshed_but_not_logged_in_edited_or_removed_again() {
    let mut app = app_of(seven());
    press(&mut app, "o y");
    for key in ["l", "e", "d", "o"] {
        assert_eq!(press(&mut app, key), NOTHING);
        assert_eq!((message_text(&app), app.screens.is_main()), ("logging out in 8 s; u undoes it", true), "{key}");
    }
    assert_eq!(press(&mut app, "R"), [Command::ForceIfSure { connection: name("factory") }]);
}

#[test]
fn quitting_meanwhile_asks_and_keeps_everything() {
    let mut app = app_of(seven());
    press(&mut app, "o y");
    assert_eq!(press(&mut app, "q"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::QuitPending));
    assert_eq!(ticks(&mut app, 60), NOTHING, "no time passes while it is asked");
    assert_eq!(press(&mut app, "y"), [Effect::Quit]);
    assert_eq!(ticks(&mut app, 60), NOTHING, "while what is owed is waited for");
    let mut app = app_of(seven());
    press(&mut app, "o y q n");
    assert_eq!(ticks(&mut app, SECONDS), [logout("factory")]);
}

#[test]
fn new_tokens_a_removed_connection_and_read_only_mode_take_it_back() {
    let mut app = app_of(seven());
    press(&mut app, "o y");
    let logged_in = EventKind::LoggedIn { generation: 42 };
    let _ = update(&mut app, Msg::Event(logged_in.of(name("factory"))), now());
    assert_eq!(ticks(&mut app, 60), NOTHING);
    press(&mut app, "o y");
    let _ = update(&mut app, Msg::Event(EventKind::Removed.of(name("factory"))), now());
    assert_eq!(ticks(&mut app, 60), NOTHING);
    press(&mut app, "o y W");
    assert_eq!(ticks(&mut app, 60), NOTHING);
}

#[test]
fn the_row_says_what_is_about_to_happen_and_how_to_undo_it() {
    for (keys, words) in [("o y", "logout… u undo"), ("d y", "removing… u undo")] {
        for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
            let mut app = app_of(seven());
            resize(&mut app, width, height);
            press(&mut app, keys);
            let screen = snapshots::picture(&mut app, width, height);
            assert!(screen.contains(words), "{width}x{height}:\n{screen}");
        }
    }
}
