//! The request log: its filter, following and freezing, and turning over from request to request.

use crate::dashboard::fixtures::*;
use crate::dashboard::tests::message_text;
use crate::dashboard::*;
use crate::domain::Outcome;
use crate::request_log::export::Format;
use crate::request_log::filter::LogFilter;

fn app_in_the_log() -> App {
    let mut app = app_of(seven());
    press(&mut app, "S-Tab");
    assert_eq!(app.pane, Pane::Requests);
    app
}

fn type_filter(app: &mut App, text: &str) {
    press(app, "/");
    paste(app, text);
    press(app, "Enter");
}

fn arrives(app: &mut App, entry: LogEntry) {
    learn(app, Event::RequestLogged(Box::new(entry)));
}

fn whose(app: &App) -> Vec<&str> {
    app.requests.window(0, 99).map(|entry| entry.connection.as_str()).collect()
}

#[test]
fn every_word_must_be_found_and_some_words_mean_more_than_text() {
    for (filter, shown) in [
        ("", 14),
        ("oauth/TOKEN", 13),
        ("get", 1),
        ("manus.im", 2),
        ("invalid_grant", 1),
        ("timeout", 1),
        ("fact", 10),
        ("test", 1),
        ("@factory", 10),
        ("@FACTORY", 10),
        ("@fact", 0),
        ("@", 0),
        ("2xx", 12),
        ("4XX", 1),
        ("400", 1),
        ("429", 0),
        ("40", 1),
        ("error", 2),
        ("error post sandbox", 1),
        ("error @factory", 0),
        ("9xx", 0),
        ("12345", 0),
        ("post  hr-sync", 1),
    ] {
        let mut app = app_in_the_log();
        type_filter(&mut app, filter);
        assert_eq!(app.requests.shown(), shown, "{filter:?}");
    }
}

#[test]
fn a_filter_is_the_same_whether_requests_come_before_it_or_after() {
    let mut entries = log();
    entries.extend((0..40).map(|ago| LogEntry { outcome: Outcome::Status(429), ..request("hr-sync", ago) }));
    for filter in ["4xx", "error", "@hr-sync post", "nothing"] {
        let set = |requests: &mut Requests| requests.edit_filter(|field| field.push(filter));
        let mut before = Requests::default();
        set(&mut before);
        for entry in &entries {
            before.push(entry.clone());
        }
        let mut after = Requests::new(entries.clone());
        set(&mut after);
        assert!(before.window(0, 99).eq(after.window(0, 99)), "{filter}");
    }
}

#[test]
fn the_switches_show_what_failed_and_the_selected_connection_alone() {
    let mut app = app_in_the_log();
    press(&mut app, "E");
    assert_eq!(whose(&app), ["sandbox", "planning"]);
    press(&mut app, "E O");
    assert_eq!(whose(&app), ["factory"; 10]);
    app.pane = Pane::Connections;
    press(&mut app, "j j");
    assert_eq!(whose(&app), ["hr-sync"; 2], "the log goes along with the selection");
    app.pane = Pane::Requests;
    press(&mut app, "O");
    assert_eq!(app.requests.shown(), 14);
}

#[test]
fn esc_clears_the_log_s_filter_in_its_pane_and_the_table_s_elsewhere() {
    let mut app = app_of(seven());
    press(&mut app, "/ m a n u s Enter S-Tab E O");
    type_filter(&mut app, "2xx");
    press(&mut app, "Esc");
    assert!(!app.requests.filter().is_active());
    assert_eq!((app.connections.filter(), app.requests.shown()), ("manus", 14));
    press(&mut app, "Esc");
    assert_eq!(app.connections.filter(), "");
}

#[test]
fn esc_while_typing_clears_the_text_and_leaves_the_switches() {
    let mut app = app_in_the_log();
    press(&mut app, "E / x y z");
    assert_eq!((app.screens.top(), app.requests.shown()), (&Screen::LogFilter, 0), "letters are typed, no keys");
    press(&mut app, "Esc");
    assert_eq!((app.screens.top(), app.requests.shown()), (&Screen::Main, 2));
}

#[test]
fn the_log_s_keys_work_in_its_pane_alone() {
    for key in ["E", "O", "y", "x"] {
        let mut app = app_of(seven());
        let before = app.clone();
        assert_eq!(press(&mut app, key), NOTHING);
        assert!(app == before, "{key}");
    }
}

#[test]
fn what_was_selected_is_selected_again_once_the_filter_lets_it_through() {
    let mut app = app_in_the_log();
    press(&mut app, "j");
    assert_eq!(app.requests.selected().unwrap().connection, name("hr-sync"));
    type_filter(&mut app, "@planning");
    assert_eq!(app.requests.selected().unwrap().connection, name("planning"));
    press(&mut app, "Esc");
    assert_eq!((app.requests.selected_index(), whose(&app)[1]), (1, "hr-sync"));
}

#[test]
fn entries_that_make_room_leave_the_filtered_rows_too() {
    let mut requests = Requests::new(log());
    requests.set_filter(LogFilter::toggle_errors);
    assert_eq!(requests.shown(), 2);
    for _ in 0..Requests::MAX {
        requests.push(request("factory", 0));
    }
    assert_eq!((requests.shown(), requests.all(), requests.selected()), (0, Requests::MAX, None));
}

#[test]
fn new_requests_are_counted_while_they_are_out_of_sight_and_g_follows_them_again() {
    let mut app = app_in_the_log();
    assert_eq!(app.requests.unseen(), 0);
    press(&mut app, "j");
    for ago in 0..3 {
        arrives(&mut app, request("warehouse", ago));
    }
    assert_eq!(app.requests.unseen(), 3);
    press(&mut app, "k k");
    assert_eq!(app.requests.unseen(), 2, "what was gone through is not new any more");
    press(&mut app, "g");
    arrives(&mut app, request("planning", 0));
    assert_eq!((app.requests.unseen(), whose(&app)[0]), (0, "planning"));
}

#[test]
fn g_lets_a_frozen_log_continue() {
    let mut app = app_in_the_log();
    press(&mut app, "f j");
    arrives(&mut app, request("warehouse", 0));
    arrives(&mut app, refused_request());
    assert_eq!((app.requests.frozen(), app.requests.unseen()), (Some(2), 2));
    press(&mut app, "E");
    assert_eq!((app.requests.frozen(), app.requests.unseen()), (Some(1), 1), "only what the filter would show");
    press(&mut app, "g");
    assert_eq!((app.requests.frozen(), app.requests.selected_index()), (None, 0));
}

/// The request that is read.
fn read(app: &App) -> &LogEntry {
    match app.screens.top() {
        Screen::Request { entry, .. } => entry,
        mode => panic!("no request is read in {mode:?}"),
    }
}

#[test]
fn from_one_request_s_details_to_the_next_among_those_shown() {
    let mut app = app_in_the_log();
    press(&mut app, "Enter");
    assert_eq!(read(&app), app.requests.newest().next().unwrap());
    press(&mut app, "J J");
    assert_eq!(read(&app), &refused_request());
    press(&mut app, "K");
    assert_eq!(read(&app).connection, name("hr-sync"));
    press(&mut app, "Esc E Enter J J J");
    assert_eq!(read(&app).connection, name("planning"), "the last one that failed");
}

#[test]
fn what_is_read_stays_although_newer_requests_come() {
    let mut app = app_in_the_log();
    press(&mut app, "Enter");
    let before = read(&app).clone();
    arrives(&mut app, request("warehouse", 0));
    assert_eq!(read(&app), &before);
    press(&mut app, "J");
    assert_eq!(read(&app).connection, name("hr-sync"), "the one below it");
    press(&mut app, "K K");
    assert_eq!(read(&app).connection, name("warehouse"));
    press(&mut app, "Esc");
    arrives(&mut app, request("planning", 0));
    assert_eq!(app.requests.selected().unwrap().connection, name("planning"), "the newest was read: it is followed");
}

#[test]
fn a_request_is_copied_from_the_log_and_from_its_details() {
    let copied = || [Effect::CopyRequest(Box::new(refused_request()))];
    let mut app = app_in_the_log();
    assert_eq!(press(&mut app, "j j y"), copied());
    assert_eq!(press(&mut app, "Enter y"), copied());
    assert!(matches!(*app.screens.top(), Screen::Request { .. }), "it stays open");
}

#[test]
fn what_the_filter_shows_is_written_oldest_first() {
    for (keys, format) in [("x h", Format::Har), ("x j Enter", Format::JsonLines), ("Enter x l", Format::JsonLines)] {
        let mut app = app_in_the_log();
        press(&mut app, "E");
        let effects = press(&mut app, keys);
        let [Effect::Export { format: asked, entries, older: None }] = &effects[..] else { panic!("{effects:?}") };
        let whose: Vec<_> = entries.iter().map(|entry| entry.connection.as_str()).collect();
        assert_eq!((*asked, whose), (format, vec!["planning", "sandbox"]), "{keys}");
        let is_as_before = matches!(app.screens.top(), Screen::Request { .. }) == keys.starts_with("Enter");
        assert!(is_as_before, "{keys}: the menu alone is closed");
    }
    let mut app = app_in_the_log();
    type_filter(&mut app, "nothing like this");
    assert_eq!(press(&mut app, "x"), NOTHING);
    assert_eq!((app.screens.top(), message_text(&app)), (&Screen::Main, ""), "there is nothing to write");
}
