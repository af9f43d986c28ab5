//! Several connections at once.

use crate::dashboard::dialogs::question::Question;
use crate::dashboard::tests::*;
use crate::domain::HostEvent;

fn refresh(connection: &str, force: bool) -> Effect {
    let connection = name(connection);
    if force { Command::ForceIfSure { connection }.into() } else { Command::Refresh { connection, force }.into() }
}

#[test]
fn space_marks_and_moves_on_and_keys_act_on_all_marked() {
    let mut app = app_of(seven());
    press(&mut app, "Space Space j Space");
    assert_eq!(lines(&app)[..4], ["*factory", "*warehouse", "hr-sync", "*sandbox"]);
    assert_eq!(selected(&app), "users-import");
    let marked = ["factory", "warehouse", "sandbox"];
    assert_eq!(press(&mut app, "R"), marked.map(|name| refresh(name, true)), "one exchange each");
    assert_eq!(message_text(&app), "forced refresh: 3 marked connections");
    assert_eq!(press(&mut app, "r"), marked.map(|name| refresh(name, false)));
    assert_eq!(press(&mut app, "k k k Space R"), [refresh("factory", true), refresh("sandbox", true)]);
}

#[test]
fn what_is_uncertain_is_forced_one_by_one_only() {
    let mut app = app_of(seven());
    let doubt = |name| with_problem(manu(name, 5), Problem::Uncertain { why: "no answer came".into() });
    change(&mut app, doubt("warehouse"));
    press(&mut app, "Space Space j Space");
    assert_eq!(press(&mut app, "R"), ["factory", "sandbox"].map(|name| refresh(name, true)));
    assert_eq!(
        message_text(&app),
        "forced refresh: 2 marked connections; 1 uncertain left out, to be forced one by one"
    );
    assert_eq!(press(&mut app, "r").len(), 3, "unforced it sends nothing");
    change(&mut app, doubt("factory"));
    change(&mut app, doubt("sandbox"));
    assert_eq!(press(&mut app, "R"), NOTHING);
    assert_eq!(message_text(&app), "all of the marked are uncertain: force them one by one");
    press(&mut app, "Esc g");
    assert_eq!(press(&mut app, "R y"), [Command::Refresh { connection: name("factory"), force: true }], "a choice");
}

#[test]
fn automatic_refresh_is_set_alike_for_all_marked() {
    let set = |connection, on| Effect::from(Command::SetAuto { connection: name(connection), on });
    let mut app = app_of(seven());
    press(&mut app, "Space Space j Space");
    assert_eq!(press(&mut app, "a"), [set("sandbox", true)], "the others have it already");
    change(&mut app, manu("sandbox", 5));
    assert_eq!(press(&mut app, "a"), ["factory", "warehouse", "sandbox"].map(|name| set(name, false)));
}

#[test]
fn what_has_no_token_is_left_out_and_that_is_said() {
    let mut app = app_of(seven());
    press(&mut app, "Space G Space");
    assert_eq!(press(&mut app, "t"), [Command::Test { connection: name("factory") }]);
    assert_eq!(message_text(&app), "test: 2 marked connections; 1 without tokens left out");
    press(&mut app, "Esc G Space");
    assert_eq!(press(&mut app, "t"), NOTHING);
    assert_eq!(message_text(&app), "none of the marked has tokens");
}

#[test]
fn logging_out_all_marked_asks_once() {
    let mut app = app_of(seven());
    press(&mut app, "* o");
    let Screen::Confirm(Question::LogoutMarked { connections, hidden: 0 }) = app.screens.top() else {
        panic!("{:?}", *app.screens.top())
    };
    assert_eq!(connections.len(), 6, "one has no tokens");
    assert_eq!(press(&mut app, "n"), NOTHING);
    assert_eq!(app.connections.marks(), (7, 0), "a no keeps the marks");
    assert_eq!(press(&mut app, "o y"), NOTHING);
    let out = undo::ticks(&mut app, SECONDS);
    assert_eq!(out.len(), 6);
    assert_eq!(out[0], Command::Logout { connection: name("factory") });
}

#[test]
fn a_mark_survives_the_filter_and_acting_on_what_is_hidden_is_said() {
    let mut app = app_of(seven());
    press(&mut app, "Space Space Space / f a c t Enter");
    assert_eq!(app.connections.marks(), (3, 2));
    assert_eq!(press(&mut app, "R").len(), 3);
    assert_eq!(message_text(&app), "forced refresh: 3 marked connections, 2 of them hidden");
    press(&mut app, "o");
    assert!(matches!(*app.screens.top(), Screen::Confirm(Question::LogoutMarked { hidden: 2, .. })));
    press(&mut app, "n Esc");
    assert_eq!((app.connections.marks(), app.connections.filter()), ((0, 0), "fact"), "the marks go first");
    press(&mut app, "Esc");
    assert_eq!(app.connections.filter(), "");
}

#[test]
fn star_marks_what_is_shown_and_again_none_of_it() {
    let mut app = app_of(seven());
    press(&mut app, "Space / m a n u s Enter *");
    assert_eq!(app.connections.marks(), (3, 1));
    press(&mut app, "*");
    assert_eq!(app.connections.marks(), (1, 1), "what is not shown is left alone");
}

#[test]
fn a_marked_connection_that_changes_stays_marked_and_counted() {
    let mut app = app_of(seven());
    press(&mut app, "Space / l i v e Enter");
    assert_eq!(app.connections.marks(), (1, 0));
    change(&mut app, fresh("factory"));
    assert_eq!(app.connections.marks(), (1, 1));
    change(&mut app, manu("factory", 1443));
    assert_eq!(app.connections.marks(), (1, 0));
}

#[test]
fn what_can_be_done_with_one_only_is_done_with_the_selected_one() {
    let mut app = app_of(seven());
    press(&mut app, "Space Space");
    let copy = Effect::Copy { connection: name("hr-sync"), what: CopyWhat::AccessToken };
    assert_eq!(press(&mut app, "c"), [copy]);
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("hr-sync") }]);
    assert_eq!(message_text(&app), "one login at a time: of this one, not of all marked");
}

#[test]
fn the_details_of_one_connection_act_on_that_one() {
    let mut app = app_of(seven());
    press(&mut app, "Space Space Enter");
    assert_eq!(press(&mut app, "R"), [refresh("hr-sync", true)]);
}

#[test]
fn names_of_the_marked_are_copied() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "C n"), [Effect::CopyNames(vec![name("factory")])]);
    press(&mut app, "Space Space G");
    assert_eq!(press(&mut app, "C n"), [Effect::CopyNames(vec![name("factory"), name("warehouse")])]);
    learn(&mut app, Event::Host(HostEvent::NamesCopied(Ok((2, crate::domain::CopiedTo::Clipboard)))));
    assert_eq!(message_text(&app), "2 names copied");
    learn(&mut app, Event::Host(HostEvent::NamesCopied(Err("no\u{1b}clipboard".into()))));
    assert_eq!(message_text(&app), "not copied: no\u{fffd}clipboard");
}

#[test]
fn space_marks_in_the_table_only() {
    let mut app = app_of(seven());
    press(&mut app, "Tab Space");
    assert_eq!(app.connections.marks(), (0, 0));
}
