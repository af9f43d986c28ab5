//! A login that came back as another subject: the question, its answers, and its end.

use crate::dashboard::App;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::fixtures::{
    NOTHING, app_of, change, fresh, learn, logging_in, loopback, manu, name, other_subject, press,
};
use crate::dashboard::screen::Screen;
use crate::dashboard::tests::message_text;
use crate::domain::{Activity, Command, EventKind};

/// A dashboard whose login of `archive` came back as someone else.
fn asked(keys_before: &str) -> App {
    let mut view = logging_in("archive", loopback(), Some(Ok(())));
    let mut app = app_of(vec![view.clone(), manu("factory", 900)]);
    press(&mut app, keys_before);
    if let Activity::LoggingIn(login) = &mut view.activity {
        login.question = Some(Box::new(other_subject()));
    }
    change(&mut app, view);
    learn(&mut app, EventKind::SubjectChanged { change: Box::new(other_subject()) }.of(name("archive")));
    app
}

fn confirm(replace: bool) -> [Effect; 1] {
    [Command::ConfirmLogin { connection: name("archive"), replace }.into()]
}

fn is_asking(app: &App) -> bool {
    matches!(app.screens.top(), Screen::Confirm(Question::ReplaceSubject { connection, .. }) if *connection == name("archive"))
}

#[test]
fn the_question_takes_the_place_of_the_login_and_each_key_answers_it() {
    for (key, replace) in [("y", true), ("n", false), ("Esc", false), ("q", false)] {
        let mut app = asked("l");
        assert!(is_asking(&app), "{:?}", *app.screens.top());
        assert_eq!(press(&mut app, key), confirm(replace), "{key}");
        assert_eq!(*app.screens.top(), Screen::Main);
    }
    assert!(is_asking(&asked("k")), "also where the login is not on the screen");
}

#[test]
fn the_question_tears_no_other_dialog_away_and_the_login_key_asks_it() {
    let mut app = asked("/");
    assert_eq!(*app.screens.top(), Screen::Filter);
    assert!(message_text(&app).contains("you logged in as bob@example.com; l asks"), "{}", message_text(&app));
    assert_eq!(press(&mut app, "Esc l"), NOTHING);
    assert!(is_asking(&app), "{:?}", *app.screens.top());
    assert_eq!(press(&mut app, "y"), confirm(true));
}

#[test]
fn a_question_whose_login_has_ended_is_asked_no_more() {
    let mut app = asked("l");
    change(&mut app, fresh("archive"));
    learn(&mut app, EventKind::LoginFailed { why: "kept".into(), problem: None }.of(name("archive")));
    assert!(matches!(*app.screens.top(), Screen::LoginFailed { .. }), "{:?}", *app.screens.top());
    let mut app = asked("l");
    learn(&mut app, EventKind::LoggedIn { generation: 2 }.of(name("archive")));
    assert_eq!(*app.screens.top(), Screen::Main);
}
