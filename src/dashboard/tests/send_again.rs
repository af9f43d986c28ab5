//! Sending a refresh token again that may have been replaced: `R` asks first.

use crate::dashboard::dialogs::question::Question;
use crate::dashboard::tests::*;

/// The screen with the question about `factory`.
fn asked() -> App {
    let mut app = app_of(vec![uncertain("factory"), manu("warehouse", 100)]);
    assert_eq!(press(&mut app, "R"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::SendAgain(name("factory"))));
    app
}

fn uncertain(connection: &str) -> ConnectionView {
    with_problem(manu(connection, -5), Problem::Uncertain { why: "no answer came".into() })
}

#[test]
fn nothing_is_sent_before_a_yes() {
    for no in ["n", "Esc", "q"] {
        let mut app = asked();
        assert_eq!(press(&mut app, no), NOTHING);
        assert_eq!(*app.screens.top(), Screen::Main);
    }
    let mut app = asked();
    assert_eq!(press(&mut app, "x R r"), NOTHING, "no answer");
    assert_eq!(press(&mut app, "y"), [Command::Refresh { connection: name("factory"), force: true }]);
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn l_logs_in_instead_and_answers_no_other_question() {
    let mut app = asked();
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("factory") }]);
    assert_eq!(*app.screens.top(), Screen::Main);
    press(&mut app, "o");
    assert_eq!(press(&mut app, "l"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::Logout(name("factory"))));
}

#[test]
fn a_yes_sends_nothing_once_it_is_no_longer_uncertain() {
    let mut app = asked();
    change(&mut app, manu("factory", 1700));
    assert_eq!(press(&mut app, "y"), NOTHING);
    assert_eq!(message_text(&app), "it is no longer uncertain; nothing was sent");
}

#[test]
fn r_alone_and_what_is_certain_are_not_asked_about() {
    let mut app = app_of(vec![uncertain("factory")]);
    assert_eq!(press(&mut app, "r"), [Command::Refresh { connection: name("factory"), force: false }]);
    change(&mut app, manu("factory", 1700));
    assert_eq!(press(&mut app, "R"), [Command::ForceIfSure { connection: name("factory") }]);
}
