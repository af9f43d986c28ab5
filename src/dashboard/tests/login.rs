//! The login dialog.

use crate::dashboard::fixtures::*;
use crate::dashboard::tests::*;
use crate::dashboard::*;
use crate::domain::{Command, CopyWhat, EventKind, Secret};

#[test]
fn the_login_dialog_opens_for_a_login_asked_for_here() {
    let mut app = app_of(vec![fresh("archive"), fresh("sandbox")]);
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("archive") }]);
    change(&mut app, logging_in("sandbox", loopback(), None));
    learn(&mut app, EventKind::LoginStarted.of(name("sandbox")));
    assert_eq!(*app.screens.top(), Screen::Main, "this one was not asked for");
    change(&mut app, logging_in("archive", loopback(), None));
    learn(&mut app, EventKind::LoginStarted.of(name("archive")));
    assert!(matches!(app.screens.top(), Screen::Login(dialog) if dialog.connection == name("archive")));
    learn(&mut app, EventKind::LoggedIn { generation: 1 }.of(name("archive")));
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn the_login_dialog_opens_whichever_comes_first_the_news_or_the_url() {
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, "l");
    learn(&mut app, EventKind::LoginStarted.of(name("archive")));
    assert_eq!(*app.screens.top(), Screen::Main, "there is no URL to show yet");
    change(&mut app, logging_in("archive", loopback(), None));
    assert!(matches!(*app.screens.top(), Screen::Login(_)));
    press(&mut app, "b");
    change(&mut app, logging_in("archive", loopback(), Some(Ok(()))));
    assert_eq!(*app.screens.top(), Screen::Main, "once hidden it stays hidden");
}

#[test]
fn a_login_does_not_tear_away_another_dialog() {
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, "l ?");
    change(&mut app, logging_in("archive", loopback(), None));
    learn(&mut app, EventKind::LoginStarted.of(name("archive")));
    assert!(matches!(app.screens.top(), Screen::Help(_)));
    assert_eq!(message_text(&app), "a login waits; l shows it");
}

#[test]
fn a_hidden_login_continues_and_l_shows_it_again() {
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    assert_eq!(press(&mut app, "l b"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
    assert_eq!(press(&mut app, "l"), NOTHING);
    assert!(matches!(*app.screens.top(), Screen::Login(_)));
    assert_eq!(press(&mut app, "Esc"), [Command::Cancel { connection: name("archive") }]);
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn in_the_login_dialog_letters_are_keys_until_the_field_has_the_keyboard() {
    let connection = || name("archive");
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    press(&mut app, "l");
    assert_eq!(press(&mut app, "c"), [Effect::Copy { connection: connection(), what: CopyWhat::LoginUrl }]);
    assert_eq!(press(&mut app, "o"), [Command::ReopenBrowser { connection: connection() }]);
    assert_eq!(
        press(&mut app, "p c o Backspace b Enter"),
        [Command::FinishLogin { connection: connection(), pasted: Secret::new("cb") }]
    );
    assert_eq!(press(&mut app, "Tab c"), [Effect::Copy { connection: connection(), what: CopyWhat::LoginUrl }]);
}

#[test]
fn a_redirect_to_be_pasted_gives_the_field_the_keyboard_at_once() {
    let mut app = app_of(vec![logging_in("archive", pasted(), None)]);
    let pasted = Secret::new("code");
    assert_eq!(press(&mut app, "l c o d e Enter"), [Command::FinishLogin { connection: name("archive"), pasted }]);
}

#[test]
fn pasting_replaces_what_was_in_the_field_and_works_without_opening_it() {
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    press(&mut app, "l");
    paste(&mut app, "wrong");
    learn(&mut app, EventKind::AnswerRefused { why: "no code in it".into() }.of(name("archive")));
    assert!(matches!(app.screens.top(), Screen::Login(dialog) if dialog.refused.as_deref() == Some("no code in it")));
    paste(&mut app, "http://127.0.0.1:8400/callback?code=x&state=y\n");
    assert!(matches!(app.screens.top(), Screen::Login(dialog) if dialog.refused.is_none()));
    // What wraps it is undone when it is read, and distinguishes a URL from other words.
    let whole = Secret::new("http://127.0.0.1:8400/callback?code=x&state=y\n");
    assert_eq!(press(&mut app, "Enter"), [Command::FinishLogin { connection: name("archive"), pasted: whole }]);
}

#[test]
fn an_empty_answer_is_not_sent() {
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    assert_eq!(press(&mut app, "l Enter"), NOTHING);
    assert!(matches!(app.screens.top(), Screen::Login(dialog) if dialog.refused.is_some()));
}

#[test]
fn text_pasted_outside_a_field_is_dropped() {
    let mut app = app_of(seven());
    paste(&mut app, "qR");
    assert_eq!((app.screens.top(), app.connections.filter()), (&Screen::Main, ""));
}

#[test]
fn a_failed_login_is_explained_until_it_is_read() {
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    press(&mut app, "l");
    change(&mut app, fresh("archive"));
    learn(&mut app, EventKind::LoginFailed { why: "access_denied".into(), problem: None }.of(name("archive")));
    assert!(matches!(app.screens.top(), Screen::LoginFailed { why, .. } if why == "access_denied"));
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("archive") }]);
    assert_eq!(*app.screens.top(), Screen::Main);
}
