//! The message line, remedies, and the keys they name.

use chrono::TimeDelta;
use ratatui::layout::Rect;

use crate::dashboard::details::inspected::Inspected;
use crate::dashboard::details::remedy;
use crate::dashboard::dialogs::popup;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::fixtures::*;
use crate::dashboard::tests::*;
use crate::dashboard::*;
use crate::domain::{CopyWhat, EventKind, HostEvent, Problem, Rebinding, Revocation, Status, Written};

#[test]
fn a_greeting_outlasts_news_that_no_one_asked_for() {
    let mut app = app_of(seven());
    app.options.demo = true;
    app.greet(now());
    let greeting = "Demo: ? keys · I guided tour · F break something";
    assert_eq!(message_text(&app), greeting);
    let problem = Problem::NeedsLogin { why: "revoked".into() };
    learn(&mut app, EventKind::RefreshFailed { problem: problem.clone() }.of(name("sandbox")));
    assert_eq!(message_text(&app), greeting);
    learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("factory")));
    assert_eq!(message_text(&app), "refreshed, generation 42", "the answer to a key, most likely");
    app.greet(now() - TimeDelta::seconds(12));
    learn(&mut app, EventKind::RefreshFailed { problem }.of(name("sandbox")));
    assert_eq!(message_text(&app), "needs login: revoked");
}

#[test]
fn messages_say_what_happened() {
    let connection = || name("factory");
    let expires_at = now() + TimeDelta::seconds(1443);
    let copied = |to, cleared_after| {
        Event::Host(HostEvent::Copied { connection: connection(), what: CopyWhat::AccessToken, to, cleared_after })
    };
    let seconds = std::time::Duration::from_secs(45);
    let cases = [
        (EventKind::StillFresh { expires_at }.of(connection()), "fresh for 24m 03s, R forces"),
        (EventKind::Refreshed { generation: 42, recovered: None }.of(connection()), "refreshed, generation 42"),
        (
            EventKind::NotSaved { generation: 42, why: "the keyring is\u{1b} locked".into() }.of(connection()),
            "generation 42 is not saved yet, but safe in the journal: the keyring is\u{fffd} locked",
        ),
        (copied(crate::domain::CopiedTo::Clipboard, Some(seconds)), "access token copied, cleared in 45 s"),
        (copied(crate::domain::CopiedTo::Terminal, None), "access token sent to the terminal"),
        (EventKind::Tested { result: Ok((204, seconds)) }.of(connection()), "the token works: 204 in 45.0 s"),
        (EventKind::Refused { why: "a\u{1b}[2Jb".into() }.of(connection()), "a\u{fffd}[2Jb"),
        (
            EventKind::LogoutFailed { problem: Problem::Cancelled, revocation: Revocation::None }.of(connection()),
            "the logout was given up, nothing was forgotten",
        ),
        (
            EventKind::LogoutFailed {
                problem: Problem::StoreUnavailable { why: "the keyring is locked".into() },
                revocation: Revocation::None,
            }
            .of(connection()),
            "not all of the logout could be done: the keyring is locked",
        ),
        (
            EventKind::LogoutFailed {
                problem: Problem::StoreUnavailable { why: "the disk is full".into() },
                revocation: Revocation::Revoked,
            }
            .of(connection()),
            "the provider revoked the refresh token, but not all of the logout could be done: the disk is full",
        ),
    ];
    for (event, text) in cases {
        let mut app = app_of(seven());
        learn(&mut app, event);
        assert_eq!(message_text(&app), text);
    }
}

#[test]
fn good_news_of_one_connection_does_not_wipe_away_bad_news_of_another() {
    let mut app = app_of(seven());
    let problem = Problem::NeedsLogin { why: "invalid_grant".into() };
    learn(&mut app, EventKind::RefreshFailed { problem: problem.clone() }.of(name("sandbox")));
    learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("warehouse")));
    assert_eq!(message_text(&app), "needs login: invalid_grant");
    learn(&mut app, EventKind::Refreshed { generation: 2, recovered: None }.of(name("sandbox")));
    assert_eq!(message_text(&app), "refreshed, generation 2");
    // The selected connection's news answers the last key.
    learn(&mut app, EventKind::RefreshFailed { problem }.of(name("sandbox")));
    learn(&mut app, EventKind::Refreshed { generation: 43, recovered: None }.of(name("factory")));
    assert_eq!(message_text(&app), "refreshed, generation 43");
}

#[test]
fn every_status_but_those_that_are_well_has_a_way_out() {
    for view in every_status() {
        let status = view.status(now());
        let well = matches!(status, Status::Live | Status::Refreshing);
        assert_eq!(remedy::remedy(&view, now()).is_none(), well, "{status:?}");
    }
}

#[test]
fn what_is_planned_names_the_problem_that_prevents_it() {
    let at = Some(now() + TimeDelta::minutes(5));
    for (problem, words) in [
        (Problem::Misconfigured { why: "invalid_client".into(), refused: true }, "asks the provider again "),
        (Problem::AnswerLost { at, why: "timeout".into() }, "sends the refresh token again "),
        (Problem::Retrying { at, why: "timeout".into() }, "refresh "),
    ] {
        for (planned, words) in [(at, words), (None, "nothing ")] {
            let view = ConnectionView { next_refresh: planned, ..with_problem(manu("factory", 100), problem.clone()) };
            let app = app_of(vec![view.clone()]);
            let sheet = details::full_sheet(&app, &view, &Inspected::default(), now());
            let next = sheet.lines.iter().find(|line| line.label == "next").unwrap();
            assert!(next.text.starts_with(words), "{next:?}");
        }
    }
}

#[test]
fn what_the_provider_has_not_refused_holds_its_own_remedy() {
    let misconfigured = |refused| {
        let why = "it is being renamed; finish it with: manutop rename".into();
        with_problem(manu("factory", 100), Problem::Misconfigured { why, refused })
    };
    let refused = remedy::remedy(&misconfigured(true), now()).unwrap();
    assert_eq!(refused.command.as_deref(), Some("manutop secret set factory"));
    assert_eq!(refused.first.map(|(action, _)| action), Some(Action::Edit));
    let other = remedy::remedy(&misconfigured(false), now()).unwrap();
    assert_eq!((&*other.words, other.first, other.command), ("", None, None));
    assert_eq!(other.keys, [(Action::ForceRefresh, "try again now")]);
}

#[test]
fn sentences_name_the_keys_there_are() {
    let word = |text: &str| Written { text: text.into(), line: 1, column: 1 };
    let f5 = Rebinding { scope: word("connection"), action: word("login"), keys: vec![word("F5")] };
    let mut app = app_of(vec![fresh("archive")]);
    app.options.keymap = Keymap::rebound(&[f5]).unwrap();
    press(&mut app, "c");
    assert_eq!(message_text(&app), "there are no tokens; F5 logs in");
    app.options.keymap =
        Keymap::rebound(&[Rebinding { scope: word("connection"), action: word("login"), keys: vec![] }]).unwrap();
    press(&mut app, "c");
    assert_eq!(message_text(&app), "there are no tokens; no key logs in");
}

#[test]
fn dialogs_name_the_keys_there_are_and_an_item_without_one_can_still_be_taken() {
    let keys = |scope: &str, action: &str, keys: &[&str]| {
        let word = |text: &str| Written { text: text.into(), line: 1, column: 1 };
        Rebinding { scope: word(scope), action: word(action), keys: keys.iter().map(|key| word(key)).collect() }
    };
    let changes = [keys("confirm", "accept", &["F2"]), keys("copy_menu", "refresh_token", &[])];
    let mut app = app_of(seven());
    app.options.keymap = Keymap::rebound(&changes).unwrap();
    press(&mut app, "C");
    let body = Rect::new(0, 1, 80, 22);
    let item = |line: &popup::PopupLine| matches!(line, popup::PopupLine::Item { key, .. } if key == " ");
    let at = popup::popup(&app, body).unwrap().lines.iter().position(item).expect("an item without a key");
    press(&mut app, &format!("{}Enter", "j ".repeat(at)));
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::CopyRefreshToken(name("factory"))));
    let lines = popup::popup(&app, body).unwrap().lines;
    let Some(popup::PopupLine::Keys(hints)) = lines.last() else { panic!("{lines:?}") };
    assert_eq!(hints.iter().map(|hint| hint.key.as_str()).collect::<Vec<_>>(), ["F2", "n"]);
}
