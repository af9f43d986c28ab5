//! The timeline: rows, round times, zoom and keys.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use crate::dashboard::fixtures::*;
use crate::dashboard::tests::{point, resize, selected};
use crate::dashboard::timeline::axis::{Axis, Zoom};
use crate::dashboard::timeline::lane::{Cell, Mark};
use crate::dashboard::timeline::{Side, lane};
use crate::dashboard::*;
use crate::domain::Command;

fn utc() -> Zone {
    Zone::Fixed(FixedOffset::east_opt(0).unwrap())
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The row as letters: `-` lives, `:` waits, `R` refresh, `]` ends, `E` the refresh token ends,
/// `!` tries again, else a count.
fn row(view: &ConnectionView, zoom: Zoom, columns: usize) -> String {
    let letter = |cell| match cell {
        Cell::Empty => ' ',
        Cell::Lives => '-',
        Cell::Waits => ':',
        Cell::One(Mark::Refresh) => 'R',
        Cell::One(Mark::AccessEnds) => ']',
        Cell::One(Mark::RefreshEnds) => 'E',
        Cell::One(Mark::TriesAgain) => '!',
        Cell::Several(count) => char::from_digit(u32::try_from(count).unwrap(), 10).unwrap(),
    };
    let row: String = lane::cells(view, &Axis::new(now(), zoom, columns), now()).into_iter().map(letter).collect();
    row.trim_end().to_owned()
}

#[test]
fn a_bar_ends_where_the_access_token_does_and_the_refresh_stands_in_it() {
    // Ends in 24 minutes and 3 seconds, refreshed six minutes before.
    assert_eq!(row(&manu("factory", 1443), Zoom::Hour, 60), format!("{}R{}]", "-".repeat(18), "-".repeat(5)));
    assert_eq!(row(&manu("factory", 1443), Zoom::Minutes10, 20), "-".repeat(20), "it lives longer than is seen");
    assert_eq!(row(&fresh("archive"), Zoom::Hour, 60), "");
    let expired = ConnectionView { next_refresh: None, ..manu("factory", -1) };
    assert_eq!(row(&expired, Zoom::Hour, 60), "");
}

#[test]
fn several_things_in_one_column_are_a_count() {
    assert_eq!(row(&manu("factory", 1443), Zoom::Day, 24), "2");
    assert_eq!(row(&manu("factory", 1443), Zoom::Years2, 73), format!("2{}E", " ".repeat(71)));
}

#[test]
fn what_is_waited_for_covers_the_bar_and_what_it_overtakes() {
    let until = now() + TimeDelta::minutes(10);
    let limited = ConnectionView {
        problem: Some(Problem::RateLimited { until }),
        next_refresh: Some(now() + TimeDelta::minutes(5)),
        ..manu("factory", 1443)
    };
    assert_eq!(row(&limited, Zoom::Hour, 60), format!("{}!{}]", ":".repeat(10), "-".repeat(13)));
    let retrying = Problem::Retrying { at: Some(until), why: "timeout".into() };
    let ended = with_problem(manu("factory", -60), retrying);
    assert_eq!(row(&ended, Zoom::Hour, 60), format!("{}!", ":".repeat(10)));
    let over = Problem::RateLimited { until: now() - TimeDelta::seconds(1) };
    assert_eq!(row(&with_problem(manu("factory", 90), over), Zoom::Hour, 60), "-]");
}

#[test]
fn an_overdue_refresh_is_due_now_and_one_under_way_is_planned_no_more() {
    assert_eq!(row(&manu("warehouse", 120), Zoom::Hour, 60), "R-]");
    let refreshing = with_activity(manu("warehouse", 120), crate::domain::Activity::Refreshing { since: now() });
    assert_eq!(row(&refreshing, Zoom::Hour, 60), "--]");
}

#[test]
fn a_row_in_words_says_what_comes_next() {
    let said = |view: &ConnectionView, zoom| lane::words(view, zoom, options().zone, now()).0;
    for (view, text) in [
        (manu("a", 1443), "refresh 14:20, ends 14:26"),
        (ConnectionView { next_refresh: None, ..manu("a", 1443) }, "no refresh, ends 14:26"),
        (ConnectionView { next_refresh: None, ..manu("a", -7300) }, "no refresh, ended 2h ago"),
        (fresh("a"), "never logged in"),
        (with_problem(manu("a", 900), Problem::NeedsLogin { why: "revoked".into() }), "needs login"),
        (
            with_problem(manu("a", 900), Problem::RateLimited { until: now() + TimeDelta::seconds(34) }),
            "limited for 34s, ends 14:17",
        ),
    ] {
        assert_eq!(said(&view, Zoom::Hour), text);
    }
    assert_eq!(said(&manu("a", 1443), Zoom::Minutes10), "refresh 14:20:34, ends 14:26:34");
    assert_eq!(said(&manu("a", 1443), Zoom::Years2), "refresh token ~2028-03-09");
    assert_eq!(said(&manus("a", 1443), Zoom::Years2), "refresh 14:14, ends 14:26", "it has none");
    for view in every_status() {
        for zoom in Zoom::ALL {
            assert!(said(&view, zoom).len() <= 31, "{}", said(&view, zoom));
        }
    }
}

fn labels(from: DateTime<Utc>, zoom: Zoom, columns: usize, zone: Zone) -> Vec<(usize, String)> {
    Axis::new(from, zoom, columns).ticks(zone).into_iter().map(|tick| (tick.column, tick.label)).collect()
}

#[test]
fn ticks_are_round_local_times_far_enough_apart_for_their_labels() {
    let from = at("2026-03-10T12:02:31Z");
    let east = options().zone;
    let hour = labels(from, Zoom::Hour, 60, east);
    assert_eq!(hour[0], (7, "14:10".into()));
    assert_eq!(hour.len(), 6);
    assert_eq!(labels(from, Zoom::Week, 80, east)[0], (4, "Wed 11 Mar".into()));
    assert_eq!(labels(from, Zoom::Years2, 80, utc())[0], (5, "May 2026".into()));
    let india = Zone::Fixed(FixedOffset::east_opt(19_800).unwrap());
    assert_eq!(labels(from, Zoom::Hours12, 60, india)[0].1, "18:00", "half an hour off, and still round");
    for zoom in Zoom::ALL {
        for columns in 20..200 {
            let ticks = labels(from, zoom, columns, east);
            assert!(!ticks.is_empty(), "{zoom:?} {columns}");
            for pair in ticks.windows(2) {
                assert!(pair[1].0 >= pair[0].0 + pair[0].1.len() + 2, "{zoom:?} {columns}: {pair:?}");
            }
        }
    }
}

#[test]
fn a_column_of_the_past_keeps_its_moments_as_time_passes() {
    let entry = at("2026-03-10T12:00:00Z");
    let to = at("2026-03-10T12:02:31Z");
    let columns: Vec<_> = (0..300)
        .map(|second| Axis::until(to + TimeDelta::seconds(second), Zoom::Hour, 60).column(entry).unwrap())
        .collect();
    assert!(columns.windows(2).all(|pair| pair[1] == pair[0] || pair[1] + 1 == pair[0]), "{columns:?}");
    assert_eq!(columns[0] - columns[299], 5, "a column a minute");
    assert_eq!(Axis::until(to, Zoom::Hour, 60).column(to), Some(59), "now is in the last one");
}

#[test]
fn zoom_goes_step_by_step_and_stops_at_either_end() {
    let mut app = app_of(seven());
    press(&mut app, "T");
    let mut seen = vec![timeline::update::ahead(&app)];
    for _ in 0..10 {
        press(&mut app, "-");
        seen.push(timeline::update::ahead(&app));
    }
    seen.dedup();
    assert_eq!(seen, Zoom::ALL[2..]);
    press(&mut app, "0 + = +");
    assert_eq!(app.timeline.ahead, Some(Zoom::Minutes10));
    press(&mut app, "T T");
    assert_eq!(app.timeline.ahead, Some(Zoom::Minutes10), "it stays while it is closed");
}

fn arrow(app: &mut App, code: crossterm::event::KeyCode) {
    let key = crossterm::event::KeyEvent::new(code, crossterm::event::KeyModifiers::NONE);
    assert_eq!(update(app, Msg::Input(InputEvent::Key(key)), now()), NOTHING);
}

#[test]
fn arrows_move_by_a_quarter_and_never_past_now() {
    use crossterm::event::KeyCode::{Left, Right};
    let mut app = app_of(seven());
    press(&mut app, "T");
    arrow(&mut app, Left);
    assert_eq!(app.timeline.skipped, TimeDelta::zero());
    arrow(&mut app, Right);
    arrow(&mut app, Right);
    arrow(&mut app, Left);
    assert_eq!(app.timeline.skipped, TimeDelta::minutes(15));
    press(&mut app, "Tab +");
    assert_eq!(app.timeline.side, Side::Behind);
    arrow(&mut app, Right);
    assert_eq!(app.timeline.back, TimeDelta::zero());
    arrow(&mut app, Left);
    assert_eq!((app.timeline.behind, app.timeline.back), (Some(Zoom::Hours3), TimeDelta::minutes(45)));
    press(&mut app, "0");
    assert_eq!(
        (app.timeline.behind, app.timeline.back, app.timeline.skipped),
        (None, TimeDelta::zero(), TimeDelta::minutes(15))
    );
}

#[test]
fn the_selection_is_the_table_s_and_its_keys_work_here_too() {
    let mut app = app_of(seven());
    press(&mut app, "j T j");
    assert_eq!(selected(&app), "hr-sync");
    assert_eq!(press(&mut app, "R"), [Command::ForceIfSure { connection: name("hr-sync") }]);
    press(&mut app, "Enter");
    assert!(matches!(app.screens.top(), Screen::Details { connection, .. } if *connection == name("hr-sync")));
    press(&mut app, "Esc");
    assert_eq!(*app.screens.top(), Screen::Timeline, "where it was opened from");
    press(&mut app, "? Esc G T");
    assert_eq!((app.screens.top(), selected(&app)), (&Screen::Main, "archive"));
    press(&mut app, "T g Enter o Esc Enter Esc");
    assert_eq!(*app.screens.top(), Screen::Main, "these details were opened from the table");
    assert_eq!(press(&mut app_of(vec![]), "T"), NOTHING, "nothing to show");
}

#[test]
fn many_connections_are_scrolled_and_the_selected_one_is_always_in_sight() {
    let mut app = app_of((0..300).map(|n| manu(&format!("c{n}"), 1443)).collect());
    resize(&mut app, 80, 24);
    press(&mut app, "T");
    for keys in ["j", "PgDn", "PgDn", "G", "k", "g"] {
        press(&mut app, keys);
        let rows = timeline::update::rows(&app);
        let (first, at) = (app.connections.first_row(rows), app.connections.selected_index().unwrap());
        assert!((first..first + rows).contains(&at), "{keys}: {at} in {first}..+{rows}");
    }
    point(&mut app, crossterm::event::MouseEventKind::ScrollDown, 10, 10);
    assert_eq!(app.connections.selected_index(), Some(3));
}

#[test]
fn a_login_opens_over_the_timeline_and_help_for_others_does_not_move_it() {
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, "T l");
    change(&mut app, logging_in("archive", loopback(), None));
    assert!(matches!(*app.screens.top(), Screen::Login(_)));
}

#[test]
fn at_first_an_hour_is_seen_and_less_where_all_tokens_end_far_sooner() {
    let seen = |views| timeline::update::ahead(&app_of(views));
    assert_eq!(seen(vec![fresh("archive")]), Zoom::Hour);
    assert_eq!(seen(seven()), Zoom::Hour);
    let mut short = manu("demo", 60);
    if let crate::domain::Holding::Tokens { facts, .. } = &mut short.holding {
        facts.obtained_at = now() - TimeDelta::seconds(30);
    }
    assert_eq!(seen(vec![short]), Zoom::Minutes10);
}

#[test]
fn a_click_on_a_row_selects_its_connection_in_the_strip_and_in_the_timeline() {
    use crossterm::event::{MouseButton, MouseEventKind};
    let mut app = app_of(seven());
    resize(&mut app, 120, 50);
    let strip = layout::areas(app.size, app.shape()).unwrap().timeline.expect("there is room");
    point(&mut app, MouseEventKind::Down(MouseButton::Left), 40, strip.y + 4);
    assert_eq!((selected(&app), app.pane), ("hr-sync", Pane::Connections));
    press(&mut app, "T");
    point(&mut app, MouseEventKind::Down(MouseButton::Left), 40, 3);
    assert_eq!((selected(&app), app.screens.top()), ("factory", &Screen::Timeline));
}
