//! Keys, pasted text, the mouse and events: what they do to the state, and what they ask for.

pub mod appearance;
pub mod chart;
pub mod command_palette;
#[cfg(test)]
pub(crate) mod drawing;
pub mod filtering;
pub mod finding;
pub mod form;
pub mod groups;
pub mod help;
pub mod keepalive;
pub mod kept_view;
pub mod layers;
pub mod log_filter;
pub mod log_history;
pub mod login;
pub mod marking;
pub mod messages;
pub mod mouse;
pub mod read_only;
pub mod send_again;
#[cfg(test)]
pub(crate) mod snapshots;
pub mod sorting;
#[cfg(test)]
pub(crate) mod state_snapshots;
pub mod store;
pub mod subject;
pub mod ticking;
pub mod timeline;
pub mod undo;
#[cfg(test)]
pub(crate) mod watching_snapshots;

use chrono::TimeDelta;
use crossterm::event::{
    Event as InputEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::dashboard::connections::Row;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::fixtures::*;
use crate::dashboard::frame::footer;
use crate::dashboard::layout::Pane;
use crate::dashboard::undo::SECONDS;
use crate::dashboard::{layout, *};
use crate::domain::{
    Activity, Background, Command, CopyWhat, Depth, Event, EventKind, HostEvent, Problem, Revocation, Secret, ThemeName,
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

fn message_text(app: &App) -> &str {
    app.message.as_ref().map_or("", |message| message.text.as_str())
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
        assert_eq!((message_text(&app), app.screens.top()), ("there are no tokens; l logs in", &Screen::Main));
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
    assert_eq!(press(&mut app, "o y"), NOTHING);
    assert_eq!(undo::ticks(&mut app, SECONDS), [Command::Logout { connection: name("factory") }]);
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
fn the_wheel_answers_no_question() {
    let mut app = app_of(seven());
    press(&mut app, "o");
    assert_eq!(point(&mut app, MouseEventKind::ScrollDown, 5, 5), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::Logout(name("factory"))));
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

fn help_scroll(app: &App) -> usize {
    match app.screens.top() {
        Screen::Help(help) => help.scroll,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reading_stops_at_the_last_page() {
    let mut app = app_of(seven());
    press(&mut app, "? G");
    let end = help_scroll(&app);
    press(&mut app, "j PgDn");
    assert_eq!(help_scroll(&app), end);
    press(&mut app, "k");
    assert_eq!(help_scroll(&app), end - 1);
}

#[test]
fn a_click_selects_the_row_under_it_and_its_pane() {
    let mut app = app_of(seven());
    resize(&mut app, 120, 32);
    let areas = layout::areas(app.size, app.shape()).unwrap();
    let rows = layout::rows(areas.connections);
    assert_eq!(point(&mut app, MouseEventKind::Down(MouseButton::Left), 5, rows.y + 2), NOTHING);
    assert_eq!((selected(&app), app.pane), ("hr-sync", Pane::Connections));
    let rows = layout::rows(areas.requests.unwrap());
    point(&mut app, MouseEventKind::Down(MouseButton::Left), rows.x, rows.y + 1);
    assert_eq!((app.requests.selected_index(), app.pane), (1, Pane::Requests));
    point(&mut app, MouseEventKind::Down(MouseButton::Left), 5, areas.connections.y);
    assert_eq!(selected(&app), "hr-sync", "a border is no row");
}

#[test]
fn the_wheel_moves_in_the_pane_under_the_pointer() {
    let mut app = app_of(seven());
    resize(&mut app, 120, 32);
    let requests = layout::areas(app.size, app.shape()).unwrap().requests.unwrap();
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
fn the_tally_follows_every_change_and_the_clock() {
    let tally = |app: &App| {
        let counts = app.connections.status_counts().counts().map(|(status, number)| (status.id(), number));
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
    assert_eq!((app.worst(), message_text(&app)), (Severity::Good, "the secret store is back"));
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
    assert!(message_text(&app).contains("tokens are kept"), "{}", message_text(&app));
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
    assert_eq!(message_text(&app), "warehouse is no longer in the configuration");
}

#[test]
fn a_faulty_configuration_is_shown_in_the_banner_until_it_is_fixed() {
    let mut app = app_of(seven());
    learn(&mut app, Event::Host(HostEvent::ConfigurationRead(Err("config.toml line 3: \u{1b}[2J".into()))));
    press(&mut app, "j");
    assert_eq!(app.banner().unwrap(), "config.toml line 3: \u{fffd}[2J");
    learn(&mut app, Event::Host(HostEvent::ConfigurationRead(Ok(()))));
    assert_eq!(app.banner(), None);
}

#[test]
fn the_dashboard_follows_the_terminal_from_dark_to_light() {
    let mut app = app_of(seven());
    app.options.appearance = Appearance {
        theme: ThemeName::Auto,
        depth: Depth::Many,
        background: Some(Background::Dark),
        ..Appearance::SIXTEEN
    };
    assert_eq!(update(&mut app, Msg::Background(Background::Light), now()), NOTHING);
    assert_eq!(app.options.appearance.words(), "theme auto: light");
    assert_eq!(update(&mut app, Msg::Background(Background::Dark), now()), NOTHING);
    assert_eq!(app.options.appearance.words(), "theme auto: dark");
}

#[test]
fn going_through_the_themes_says_which_it_is_and_why_it_may_not_look_it() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "C-t"), NOTHING);
    assert_eq!((message_text(&app), app.options.appearance.theme), ("theme none", ThemeName::None));
    press(&mut app, "C-t C-t");
    assert_eq!(message_text(&app), "theme dark, in the 16 colours this terminal has");
    app.options.appearance.depth = Depth::None;
    press(&mut app, "C-t");
    assert_eq!(message_text(&app), "theme light, without colours: NO_COLOR is set");
}
