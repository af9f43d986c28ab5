//! Keys, pasted text, the mouse and events: what they do to the state, and what they ask for.

pub mod chart;
pub mod command_palette;
#[cfg(test)]
pub(crate) mod drawing;
pub mod finding;
pub mod form;
pub mod groups;
pub mod keepalive;
pub mod layers;
pub mod log_filter;
pub mod log_history;
pub mod marking;
pub mod mouse;
pub mod send_again;
#[cfg(test)]
pub(crate) mod snapshots;
pub mod sorting;
#[cfg(test)]
pub(crate) mod state_snapshots;
pub mod subject;
pub mod ticking;
pub mod timeline;
#[cfg(test)]
pub(crate) mod watching_snapshots;

use chrono::TimeDelta;
use crossterm::event::{
    Event as InputEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;

use crate::dashboard;
use crate::dashboard::connections::Row;
use crate::dashboard::details::remedy;
use crate::dashboard::details::token_history::Inspected;
use crate::dashboard::dialogs::popup;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::fixtures::*;
use crate::dashboard::frame::footer;
use crate::dashboard::layout::Pane;
use crate::dashboard::request_log::latencies::Latencies;
use crate::dashboard::unlock::UnlockDialog;
use crate::dashboard::*;
use crate::domain::{
    Activity, Command, CopyWhat, Depth, EventKind, HostEvent, Problem, Rebinding, Revocation, Secret, Status,
    ThemeName, Written,
};

fn point(app: &mut App, kind: MouseEventKind, x: u16, y: u16) -> Vec<Effect> {
    let event = MouseEvent { kind, column: x, row: y, modifiers: KeyModifiers::NONE };
    update(app, Msg::Input(InputEvent::Mouse(event)), now())
}

fn resize(app: &mut App, width: u16, height: u16) {
    assert_eq!(update(app, Msg::Input(InputEvent::Resize(width, height)), now()), NOTHING);
}

/// The lines of the table: names, and titles of groups in brackets.
fn lines(app: &App) -> Vec<String> {
    let rows = app.connections.window(0, usize::MAX);
    rows.map(|row| match row {
        Row::Group(group) => format!("[{}]", group.provider.unwrap().title),
        Row::Connection(view, false) => view.name.to_string(),
        Row::Connection(view, true) => format!("*{}", view.name),
    })
    .collect()
}

fn selected(app: &App) -> &str {
    app.connections.selected().map_or("", |view| view.name.as_str())
}

fn toast(app: &App) -> &str {
    app.toast.as_ref().map_or("", |toast| toast.text.as_str())
}

#[test]
fn a_greeting_outlasts_news_that_nobody_asked_for() {
    let mut app = app_of(seven());
    app.options.demo = true;
    app.greet(now());
    let greeting = "a demo, nothing is real: ? all keys, F breaks things; --tour shows around";
    assert_eq!(toast(&app), greeting);
    let problem = Problem::NeedsLogin { why: "revoked".into() };
    learn(&mut app, EventKind::RefreshFailed { problem: problem.clone() }.of(name("sandbox")));
    assert_eq!(toast(&app), greeting);
    learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("factory")));
    assert_eq!(toast(&app), "refreshed, generation 42", "the answer to a key, most likely");
    app.greet(now() - TimeDelta::seconds(12));
    learn(&mut app, EventKind::RefreshFailed { problem }.of(name("sandbox")));
    assert_eq!(toast(&app), "needs login: revoked");
}

#[test]
fn keys_ask_for_what_the_table_says_of_the_selected_connection() {
    let connection = || name("factory");
    let cases = [
        ("r", Effect::from(Command::Refresh { connection: connection(), force: false })),
        ("R", Effect::from(Command::ForceIfSure { connection: connection() })),
        ("l", Effect::from(Command::Login { connection: connection() })),
        ("a", Effect::from(Command::SetAuto { connection: connection(), on: false })),
        ("A", Effect::from(Command::SetAutoAll { on: true })),
        ("c", Effect::Copy { connection: connection(), what: CopyWhat::AccessToken }),
        ("t", Effect::from(Command::Test { connection: connection() })),
        ("q", Effect::Quit),
        ("C-c", Effect::Quit),
        ("C-z", Effect::Suspend),
    ];
    for (key, command) in cases {
        assert_eq!(press(&mut app_of(seven()), key), [command], "{key}");
        if key != "q" {
            let commands = press(&mut app_of(seven()), &format!("Enter {key}"));
            assert!(
                matches!(commands[..], [Effect::Engine(Command::Inspect { .. }), _]),
                "{key} works in the full-screen details too"
            );
        }
    }
}

#[test]
fn a_held_key_repeats_moves_but_no_requests() {
    let mut app = app_of(seven());
    for (code, commands) in [(KeyCode::Char('R'), 0), (KeyCode::Char('j'), 0)] {
        let key = KeyEvent::new_with_kind(code, KeyModifiers::NONE, KeyEventKind::Repeat);
        assert_eq!(update(&mut app, Msg::Input(InputEvent::Key(key)), now()).len(), commands);
    }
    assert_eq!(selected(&app), "warehouse");
    let released = KeyEvent::new_with_kind(KeyCode::Char('R'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(update(&mut app, Msg::Input(InputEvent::Key(released)), now()), NOTHING);
}

#[test]
fn what_needs_a_token_says_so_where_there_is_none() {
    for key in ["c", "C", "t", "o"] {
        let mut app = app_of(vec![fresh("archive")]);
        assert_eq!(press(&mut app, key), NOTHING);
        assert_eq!((toast(&app), app.screens.top()), ("there are no tokens; l logs in", &Screen::Main));
    }
}

#[test]
fn copying_a_refresh_token_asks_first() {
    let copy = Effect::Copy { connection: name("factory"), what: CopyWhat::RefreshToken };
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "C r"), NOTHING);
    assert_eq!(press(&mut app, "n"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
    assert_eq!(press(&mut app, "C j j j Enter Enter"), NOTHING, "Enter is no yes");
    assert_eq!(press(&mut app, "y"), [copy]);
}

#[test]
fn the_copy_menu_copies_by_letter_and_by_choice() {
    for (keys, what) in [("C h", CopyWhat::AuthorizationHeader), ("C j j Enter", CopyWhat::CurlLine)] {
        let mut app = app_of(seven());
        assert_eq!(press(&mut app, keys), [Effect::Copy { connection: name("factory"), what }]);
        assert_eq!(*app.screens.top(), Screen::Main);
    }
}

#[test]
fn logging_out_asks_first() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "o Esc"), NOTHING);
    assert_eq!(press(&mut app, "o y"), [Command::Logout { connection: name("factory") }]);
}

#[test]
fn leaving_asks_only_while_tokens_are_not_saved() {
    let mut app = app_of(vec![unsaved(manu("factory", 1700))]);
    assert_eq!(press(&mut app, "q"), NOTHING);
    assert_eq!(press(&mut app, "C-c"), NOTHING, "a second one is no answer");
    assert_eq!(press(&mut app, "n"), NOTHING);
    assert_eq!(press(&mut app, "C-c y"), [Effect::Quit]);
    change(&mut app, manu("factory", 1700));
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn the_login_dialog_opens_for_a_login_asked_for_here() {
    let mut app = app_of(vec![fresh("archive"), fresh("sandbox")]);
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("archive") }]);
    change(&mut app, logging_in("sandbox", loopback(), None));
    learn(&mut app, EventKind::LoginStarted.of(name("sandbox")));
    assert_eq!(*app.screens.top(), Screen::Main, "nobody asked for this one");
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
fn the_wheel_answers_no_question() {
    let mut app = app_of(seven());
    press(&mut app, "o");
    assert_eq!(point(&mut app, MouseEventKind::ScrollDown, 5, 5), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::Logout(name("factory"))));
}

#[test]
fn a_login_does_not_tear_away_another_dialog() {
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, "l ?");
    change(&mut app, logging_in("archive", loopback(), None));
    learn(&mut app, EventKind::LoginStarted.of(name("archive")));
    assert_eq!(*app.screens.top(), Screen::Help { scroll: 0 });
    assert_eq!(toast(&app), "a login waits; l shows it");
}

#[test]
fn a_hidden_login_goes_on_and_l_shows_it_again() {
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
    // What wraps it is undone when it is read, and tells a URL from other words.
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

#[test]
fn esc_stops_a_wait_for_a_lock_and_else_clears_the_filter() {
    let waiting = Activity::WaitingForLock { pid: Some(7), since: now() };
    let mut app = app_of(vec![manu("factory", 60), with_activity(manu("warehouse", 60), waiting)]);
    press(&mut app, "/ w a r Enter");
    assert_eq!(press(&mut app, "Esc"), [Command::Cancel { connection: name("warehouse") }]);
    assert_eq!(app.connections.filter(), "war");
    change(&mut app, manu("warehouse", 60));
    assert_eq!(press(&mut app, "Esc"), NOTHING);
    assert_eq!((app.connections.filter(), app.connections.shown()), ("", 2));
}

#[test]
fn the_filter_finds_names_providers_and_status_words_in_either_case() {
    for (filter, shown) in [("FACT", 1), ("manus", 2), ("needs l", 1), ("Online", 5), ("nothing", 0)] {
        let mut app = app_of(seven());
        press(&mut app, "/");
        paste(&mut app, filter);
        assert_eq!(app.connections.shown(), shown, "{filter}");
    }
}

#[test]
fn a_connection_whose_status_changes_joins_or_leaves_the_filtered_rows() {
    let mut app = app_of(seven());
    press(&mut app, "/ r e f r e s h i n g Enter");
    assert_eq!((app.connections.shown(), selected(&app)), (1, "warehouse"));
    change(&mut app, manu("warehouse", 1700));
    assert_eq!((app.connections.shown(), selected(&app)), (0, ""));
    change(&mut app, with_activity(manu("factory", 60), Activity::Refreshing { since: now() }));
    assert_eq!((app.connections.shown(), selected(&app)), (1, "factory"));
}

#[test]
fn a_filter_by_status_follows_the_clock() {
    let mut app = app_of(vec![manu("factory", 30)]);
    press(&mut app, "/ e x p i r e d Enter");
    assert_eq!(app.connections.shown(), 0);
    assert_eq!(update(&mut app, Msg::Tick, now() + TimeDelta::seconds(31)), NOTHING);
    assert_eq!(app.connections.shown(), 1);
}

#[test]
fn the_selection_stays_on_its_connection_whatever_changes() {
    let mut app = app_of(seven());
    press(&mut app, "j j");
    change(&mut app, fresh("factory"));
    change(&mut app, manu("a-new-one", 100));
    assert_eq!(selected(&app), "hr-sync");
    press(&mut app, "G");
    assert_eq!(selected(&app), "a-new-one");
    press(&mut app, "g");
    assert_eq!(selected(&app), "factory");
}

#[test]
fn scrolling_the_log_keeps_its_place_while_new_requests_arrive() {
    let mut app = app_of(seven());
    press(&mut app, "Tab Tab j j");
    let before = app.requests.selected().cloned();
    for ago in 0..50 {
        learn(&mut app, Event::RequestLogged(Box::new(request("factory", ago))));
    }
    assert_eq!(app.requests.selected().cloned(), before);
    assert_eq!(app.requests.first_row(8), 50, "the window moved along with what it shows");
    press(&mut app, "g");
    learn(&mut app, Event::RequestLogged(Box::new(request("warehouse", 0))));
    assert_eq!(app.requests.selected().unwrap().connection, name("warehouse"), "the first row follows the newest");
}

#[test]
fn a_frozen_log_counts_what_it_does_not_show() {
    let mut app = app_of(seven());
    press(&mut app, "f");
    learn(&mut app, Event::RequestLogged(Box::new(request("warehouse", 0))));
    assert_eq!((app.requests.frozen(), app.requests.shown()), (Some(1), log().len()));
    assert_eq!(app.requests.window(0, 1).next().unwrap().connection, name("factory"));
    press(&mut app, "f");
    assert_eq!((app.requests.frozen(), app.requests.shown()), (None, log().len() + 1));
    assert_eq!(app.requests.window(0, 1).next().unwrap().connection, name("warehouse"));
}

#[test]
fn the_log_is_bounded_even_while_frozen() {
    let mut requests = Requests::new(log());
    requests.select(3);
    requests.toggle_freeze();
    for _ in 0..Requests::MAX + 5 {
        requests.push(request("factory", 0));
    }
    assert_eq!((requests.shown(), requests.selected()), (0, None));
    requests.toggle_freeze();
    assert_eq!(requests.shown(), Requests::MAX);
    assert_eq!(requests.selected_index(), Requests::MAX - 1, "what was selected is gone: the oldest one left");
    assert_eq!(requests.latency(&name("factory")).len(), Latencies::MAX);
}

#[test]
fn tab_goes_round_the_panes_and_enter_opens_what_is_selected() {
    let mut app = app_of(seven());
    press(&mut app, "Tab");
    assert_eq!(app.pane, Pane::Details);
    press(&mut app, "S-Tab S-Tab");
    assert_eq!(app.pane, Pane::Requests);
    press(&mut app, "j Enter");
    assert!(matches!(app.screens.top(), Screen::Request { entry, .. } if entry.connection == name("hr-sync")));
    press(&mut app, "Esc Tab Enter");
    assert!(matches!(app.screens.top(), Screen::Details { connection, .. } if *connection == name("factory")));
}

#[test]
fn reading_stops_at_the_last_page() {
    let mut app = app_of(seven());
    press(&mut app, "? G");
    let Screen::Help { scroll: end } = *app.screens.top() else { panic!("{:?}", *app.screens.top()) };
    press(&mut app, "j PgDn");
    assert_eq!(*app.screens.top(), Screen::Help { scroll: end });
    press(&mut app, "k");
    assert_eq!(*app.screens.top(), Screen::Help { scroll: end - 1 });
}

#[test]
fn a_click_selects_the_row_under_it_and_its_pane() {
    let mut app = app_of(seven());
    resize(&mut app, 120, 32);
    let areas = dashboard::layout::areas(app.size, app.shape()).unwrap();
    let rows = dashboard::layout::rows(areas.connections);
    assert_eq!(point(&mut app, MouseEventKind::Down(MouseButton::Left), 5, rows.y + 2), NOTHING);
    assert_eq!((selected(&app), app.pane), ("hr-sync", Pane::Connections));
    let rows = dashboard::layout::rows(areas.requests.unwrap());
    point(&mut app, MouseEventKind::Down(MouseButton::Left), rows.x, rows.y + 1);
    assert_eq!((app.requests.selected_index(), app.pane), (1, Pane::Requests));
    point(&mut app, MouseEventKind::Down(MouseButton::Left), 5, areas.connections.y);
    assert_eq!(selected(&app), "hr-sync", "a border is no row");
}

#[test]
fn the_wheel_moves_in_the_pane_under_the_pointer() {
    let mut app = app_of(seven());
    resize(&mut app, 120, 32);
    let requests = dashboard::layout::areas(app.size, app.shape()).unwrap().requests.unwrap();
    point(&mut app, MouseEventKind::ScrollDown, requests.x + 1, requests.y + 3);
    assert_eq!((app.requests.selected_index(), selected(&app)), (3, "factory"));
    point(&mut app, MouseEventKind::ScrollDown, 3, 3);
    assert_eq!((selected(&app), app.pane), ("warehouse", Pane::Connections));
}

#[test]
fn a_click_on_a_word_of_the_footer_presses_its_key() {
    let mut app = app_of(seven());
    resize(&mut app, 120, 32);
    let hints = footer::hints(&app, 120, now());
    let refresh = hints.iter().find(|hint| hint.action == Action::Refresh).unwrap().clone();
    let commands = point(&mut app, MouseEventKind::Down(MouseButton::Left), refresh.x + 2, 31);
    assert_eq!(commands, [Command::Refresh { connection: name("factory"), force: false }]);
}

#[test]
fn a_narrow_footer_keeps_help_and_quit() {
    let app = app_of(seven());
    for width in 20..200 {
        let hints = footer::hints(&app, width, now());
        let last = hints.last().unwrap();
        assert!(last.x + last.width() <= width, "{width}: {hints:?}");
        assert!(hints.iter().any(|hint| hint.action == Action::Help), "{width}");
        assert!(width < 40 || hints.iter().any(|hint| hint.action == Action::Quit), "{width}");
    }
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
        assert_eq!(toast(&app), text);
    }
}

#[test]
fn good_news_of_one_connection_does_not_wipe_away_bad_news_of_another() {
    let mut app = app_of(seven());
    let problem = Problem::NeedsLogin { why: "invalid_grant".into() };
    learn(&mut app, EventKind::RefreshFailed { problem: problem.clone() }.of(name("sandbox")));
    learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("warehouse")));
    assert_eq!(toast(&app), "needs login: invalid_grant");
    learn(&mut app, EventKind::Refreshed { generation: 2, recovered: None }.of(name("sandbox")));
    assert_eq!(toast(&app), "refreshed, generation 2");
    // The selected connection's news answers the last key.
    learn(&mut app, EventKind::RefreshFailed { problem }.of(name("sandbox")));
    learn(&mut app, EventKind::Refreshed { generation: 43, recovered: None }.of(name("factory")));
    assert_eq!(toast(&app), "refreshed, generation 43");
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
fn what_is_planned_is_named_by_what_stands_in_the_way() {
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
fn the_tally_follows_every_change_and_the_clock() {
    let tally = |app: &App| {
        let counts = app.connections.tally().counts().map(|(status, number)| (status.id(), number));
        counts.collect::<BTreeSet<_>>()
    };
    let mut app = app_of(vec![manu("factory", 1443), manu("warehouse", 1443)]);
    assert_eq!(tally(&app), BTreeSet::from([("live", 2)]));
    change(&mut app, fresh("warehouse"));
    assert_eq!(tally(&app), BTreeSet::from([("live", 1), ("never_logged_in", 1)]));
    assert_eq!(update(&mut app, Msg::Tick, now() + TimeDelta::hours(1)), NOTHING);
    assert_eq!(tally(&app), BTreeSet::from([("expired", 1), ("never_logged_in", 1)]));
}

#[test]
fn the_worst_counts_a_lost_store_too() {
    let mut app = app_of(vec![manu("factory", 1443)]);
    assert_eq!(app.worst(), Severity::Good);
    learn(&mut app, Event::StoreChanged(Err("locked".into())));
    assert_eq!(app.worst(), Severity::Bad);
    learn(&mut app, Event::StoreChanged(Ok(())));
    assert_eq!((app.worst(), toast(&app)), (Severity::Good, "the secret store is back"));
}

#[test]
fn the_same_message_gives_the_same_state_and_commands() {
    for keys in ["j", "R", "/ x", "Tab Enter", "C r y", "?"] {
        let (mut one, mut other) = (app_of(seven()), app_of(seven()));
        assert_eq!(press(&mut one, keys), press(&mut other, keys));
        assert!(one == other, "{keys}");
    }
}

#[test]
fn the_state_prints_no_pasted_code() {
    let mut app = app_of(vec![logging_in("archive", pasted(), None)]);
    press(&mut app, "l");
    paste(&mut app, "SplxlOBeZQQYbYS6WxSbIA");
    assert!(!format!("{app:?}").contains("Splx"));
}

fn dialog(app: &App) -> &UnlockDialog {
    match app.screens.top() {
        Screen::Unlock(dialog) => dialog,
        mode => panic!("no passphrase is asked for in {mode:?}"),
    }
}

#[test]
fn a_locked_store_asks_for_its_passphrase_and_a_wrong_one_is_said_and_asked_for_again() {
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: false, refused: None });
    assert_eq!(press(&mut app, "Enter"), NOTHING);
    assert_eq!(dialog(&app).refused.as_deref(), Some("an empty passphrase protects nothing"));
    assert_eq!(press(&mut app, "q u"), NOTHING, "letters are typed, no keys");
    paste(&mut app, " it s");
    let passphrase = Secret::new("qu it s");
    assert_eq!(press(&mut app, "Enter"), [Command::Unlock { passphrase }]);
    assert_eq!(press(&mut app, "x Enter"), NOTHING, "one at a time");
    learn(&mut app, Event::UnlockEnded(Err("the passphrase is wrong".into())));
    assert!(!dialog(&app).trying && dialog(&app).field.is_empty());
    assert_eq!(dialog(&app).refused.as_deref(), Some("the passphrase is wrong"));
    assert_eq!(press(&mut app, "o k Enter"), [Command::Unlock { passphrase: Secret::new("ok") }]);
    learn(&mut app, Event::UnlockEnded(Ok(())));
    assert_eq!((app.screens.top(), app.banner(), app.passphrase), (&Screen::Main, None, None));
    assert_eq!(press(&mut app, "u"), NOTHING, "there is nothing to unlock any more");
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn a_new_store_asks_for_its_passphrase_twice() {
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    assert_eq!(press(&mut app, "a Enter b Enter"), NOTHING);
    assert_eq!(dialog(&app).refused.as_deref(), Some("the two were not the same; choose it again"));
    assert_eq!(press(&mut app, "a Enter a Enter"), [Command::Unlock { passphrase: Secret::new("a") }]);
}

#[test]
fn esc_leaves_the_store_locked_and_u_asks_again() {
    let mut app = app_of(seven());
    press(&mut app, "?");
    learn(&mut app, Event::PassphraseAsked { new: false, refused: None });
    assert!(matches!(*app.screens.top(), Screen::Help { .. }), "what is read is not torn away");
    assert!(app.banner().unwrap().contains("is locked: press u"));
    assert_eq!(press(&mut app, "Esc u x Esc"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
    assert!(matches!(press(&mut app, "Enter u")[..], [Effect::Engine(Command::Inspect { .. })]));
    assert!(dialog(&app).field.is_empty(), "what was typed before is gone");
}

#[test]
fn rows_follow_the_configuration_and_the_selection_stays_where_it_can() {
    let mut app = app_of(seven());
    let names: Vec<_> = app.connections.all().iter().map(|view| view.name.clone()).collect();
    press(&mut app, "j j");
    let chosen = selected(&app).to_owned();
    let mut order = names.clone();
    order.reverse();
    learn(&mut app, Event::Configured { connections: order.iter().map(configured).collect() });
    assert_eq!(app.connections.all().iter().map(|view| view.name.clone()).collect::<Vec<_>>(), order);
    assert_eq!(selected(&app), chosen);
    // What is selected goes: the row that takes its place is selected, and its dialog closes.
    press(&mut app, "Enter");
    let at = order.iter().position(|name| name.as_str() == chosen).unwrap();
    learn(&mut app, EventKind::Removed.of(order[at].clone()));
    assert_eq!((selected(&app), app.screens.top()), (order[at + 1].as_str(), &Screen::Main));
    assert!(toast(&app).contains("tokens are kept"), "{}", toast(&app));
    for name in &order {
        learn(&mut app, EventKind::Removed.of(name.clone()));
    }
    assert_eq!((app.connections.all().len(), app.connections.auto_on(), selected(&app)), (0, 0, ""));
    change(&mut app, manu("again", 900));
    assert_eq!(selected(&app), "again");
}

#[test]
fn tokens_that_were_forgotten_are_not_said_to_be_kept() {
    let mut app = app_of(seven());
    learn(&mut app, EventKind::Forgotten { result: Ok(()), revocation: Revocation::None }.of(name("warehouse")));
    change(&mut app, fresh("warehouse"));
    // Another message stands by the time the connection goes.
    learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("factory")));
    learn(&mut app, EventKind::Removed.of(name("warehouse")));
    assert_eq!(toast(&app), "warehouse is no longer in the configuration");
}

#[test]
fn a_faulty_configuration_stands_in_the_banner_until_it_is_mended() {
    let mut app = app_of(seven());
    learn(&mut app, Event::Host(HostEvent::ConfigurationRead(Err("config.toml line 3: \u{1b}[2J".into()))));
    press(&mut app, "j");
    assert_eq!(app.banner().unwrap(), "config.toml line 3: \u{fffd}[2J");
    learn(&mut app, Event::Host(HostEvent::ConfigurationRead(Ok(()))));
    assert_eq!(app.banner(), None);
}

#[test]
fn going_through_the_themes_says_which_it_is_and_why_it_may_not_look_it() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "C-t"), NOTHING);
    assert_eq!((toast(&app), app.options.look.theme), ("theme none", ThemeName::None));
    press(&mut app, "C-t C-t");
    assert_eq!(toast(&app), "theme dark, in the 16 colours this terminal has");
    app.options.look.depth = Depth::None;
    press(&mut app, "C-t");
    assert_eq!(toast(&app), "theme light, without colours: NO_COLOR is set");
}

#[test]
fn sentences_name_the_keys_there_are() {
    let word = |text: &str| Written { text: text.into(), line: 1, column: 1 };
    let f5 = Rebinding { scope: word("connection"), action: word("login"), keys: vec![word("F5")] };
    let mut app = app_of(vec![fresh("archive")]);
    app.options.keymap = Keymap::rebound(&[f5]).unwrap();
    press(&mut app, "c");
    assert_eq!(toast(&app), "there are no tokens; F5 logs in");
    app.options.keymap =
        Keymap::rebound(&[Rebinding { scope: word("connection"), action: word("login"), keys: vec![] }]).unwrap();
    press(&mut app, "c");
    assert_eq!(toast(&app), "there are no tokens; no key logs in");
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
