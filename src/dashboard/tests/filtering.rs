//! What a filter leaves, and what stays selected.

use chrono::TimeDelta;

use crate::dashboard::fixtures::*;
use crate::dashboard::request_log::latencies::Latencies;
use crate::dashboard::tests::*;
use crate::dashboard::*;
use crate::domain::Activity;

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
