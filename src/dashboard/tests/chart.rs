//! Latencies and failures over the past.

use chrono::TimeDelta;

use crate::dashboard::fixtures::*;
use crate::dashboard::tests::resize;
use crate::dashboard::timeline::axis::Zoom;
use crate::dashboard::timeline::chart::Chart;
use crate::dashboard::*;
use crate::domain::{Exchange, Outcome};

fn took(connection: &str, seconds_ago: i64, duration_ms: u64) -> LogEntry {
    LogEntry { duration_ms, ..request(connection, seconds_ago) }
}

fn failed(seconds_ago: i64) -> LogEntry {
    LogEntry { outcome: Outcome::Error("timeout".into()), duration_ms: 30_000, ..request("factory", seconds_ago) }
}

/// The past of a log, opened on a screen that shows both sides.
fn past_of(log: Vec<LogEntry>) -> App {
    let mut app = App::new(seven(), log, options(), now());
    resize(&mut app, 120, 40);
    press(&mut app, "T Tab");
    app
}

fn chart(app: &App) -> &Chart {
    app.timeline.chart().expect("the past is seen")
}

#[test]
fn percentiles_are_of_what_went_well_and_failures_are_counted_apart() {
    let mut log: Vec<_> = (1..=100).map(|n| took("factory", 200 - n, u64::try_from(n).unwrap())).collect();
    log.extend([failed(50), failed(49)]);
    let app = past_of(log);
    let chart = chart(&app);
    assert_eq!((chart.went_well(), chart.failures()), (100, 2));
    assert_eq!([50, 95, 100].map(|of_hundred| chart.percentile(of_hundred)), [Some(50), Some(95), Some(100)]);
}

#[test]
fn one_exchange_is_every_percentile_and_none_is_none() {
    let app = past_of(vec![took("factory", 10, 7)]);
    assert_eq!([0, 50, 95, 100].map(|of_hundred| chart(&app).percentile(of_hundred)), [Some(7); 4]);
    let app = past_of(vec![]);
    assert_eq!((chart(&app).percentile(50), chart(&app).went_well()), (None, 0));
}

#[test]
fn a_column_shows_its_slowest_exchange_and_its_failures() {
    let app = past_of(vec![took("factory", 400, 90), took("factory", 0, 300), took("hr-sync", 0, 100), failed(0)]);
    let chart = chart(&app);
    assert_eq!((chart.slowest().last(), chart.failed().last()), (Some(&Some(300)), Some(&1)));
    assert_eq!(chart.slowest().iter().flatten().count(), 2, "a column without an exchange has no bar");
}

#[test]
fn how_long_a_person_took_to_log_in_is_no_latency() {
    let login = LogEntry { exchange: Exchange::Authorization, ..took("factory", 10, 90_000) };
    assert_eq!(chart(&past_of(vec![login, took("factory", 5, 80)])).percentile(100), Some(80));
}

#[test]
fn at_first_the_whole_log_is_seen_and_zooming_in_leaves_the_older_out() {
    let mut app = past_of(vec![took("factory", 7200, 500), took("factory", 60, 100)]);
    assert_eq!((chart(&app).asked().zoom, chart(&app).went_well()), (Zoom::Hours3, 2));
    press(&mut app, "+");
    assert_eq!((chart(&app).asked().zoom, chart(&app).went_well()), (Zoom::Hour, 1));
    press(&mut app, "0");
    assert_eq!(chart(&app).went_well(), 2);
}

#[test]
fn it_can_be_the_selected_connection_s_alone() {
    let mut app = past_of(vec![took("factory", 20, 500), took("hr-sync", 10, 100)]);
    press(&mut app, "O");
    assert_eq!(chart(&app).percentile(100), Some(500));
    press(&mut app, "j j");
    assert_eq!(chart(&app).percentile(100), Some(100));
    press(&mut app, "O");
    assert_eq!(chart(&app).went_well(), 2);
}

#[test]
fn it_is_made_again_each_second_and_not_for_every_entry() {
    let mut app = past_of(vec![took("factory", 10, 100)]);
    learn(&mut app, Event::RequestLogged(Box::new(took("factory", 0, 900))));
    assert_eq!(chart(&app).went_well(), 1, "a flood of entries costs nothing");
    assert_eq!(update(&mut app, Msg::Tick, now() + TimeDelta::seconds(1)), NOTHING);
    assert_eq!(chart(&app).went_well(), 2);
}

#[test]
fn it_is_made_only_while_it_is_seen() {
    let mut app = past_of(log());
    press(&mut app, "Esc");
    assert_eq!(app.timeline.chart(), None);
    resize(&mut app, 60, 15);
    press(&mut app, "T Tab");
    assert_eq!(app.timeline.chart(), None, "the other side is shown");
    press(&mut app, "Tab");
    assert_eq!(chart(&app).slowest().len(), 49, "as many columns as the screen has");
}
