//! What the passing of time alone changes.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::dashboard::fixtures::{fresh, manu, now, press, seven};
use crate::dashboard::tests::{NOTHING, app_of, selected};
use crate::dashboard::{App, Msg, follow, receive, update};
use crate::domain::{Event, EventKind};

/// How many connections are in each status: as they are counted, and as they stand.
fn counted(app: &App, now: DateTime<Utc>) -> (BTreeMap<&'static str, usize>, BTreeMap<&'static str, usize>) {
    let kept = app.connections.status_counts().counts().map(|(status, number)| (status.id(), number)).collect();
    let mut recounted = BTreeMap::new();
    for view in app.connections.all() {
        *recounted.entry(view.status(now).id()).or_default() += 1;
    }
    (kept, recounted)
}

#[test]
fn whatever_the_clock_does_the_counts_are_those_of_the_moment() {
    let mut views = seven();
    views.extend((0..40).map(|at| manu(&format!("connection-{at}"), 3 + at * 41)));
    let mut app = app_of(views);
    // On, with a pause for sleep in between; back; and on again.
    let forth = (0..200).chain(900..1100).chain(5000..5010);
    for second in forth.chain((0..3).rev()).chain(0..100) {
        let at = now() + TimeDelta::seconds(second);
        assert_eq!(update(&mut app, Msg::Tick, at), NOTHING);
        let (kept, recounted) = counted(&app, at);
        assert_eq!(kept, recounted, "after {second} s");
        let asking: Vec<_> = app.connections.asking().map(|view| &view.name).collect();
        let all = app.connections.all().iter();
        let standing = all.filter(|view| view.status(at).severity() >= crate::domain::Severity::Busy);
        assert_eq!(asking, standing.map(|view| &view.name).collect::<Vec<_>>(), "after {second} s");
    }
}

#[test]
fn a_burst_of_events_is_computed_once_and_the_selection_stays_in_sight() {
    let mut app = app_of((0..9).map(|at| manu(&format!("connection-{at}"), 1000)).collect());
    press(&mut app, "/ i s : l i v e Enter j");
    for at in [0, 1, 5] {
        let changed = fresh(&format!("connection-{at}"));
        let said = EventKind::LoginCancelled.of(changed.name.clone());
        for event in [Event::Changed(Box::new(changed)), said] {
            assert_eq!(receive(&mut app, Msg::Event(event), now()), NOTHING);
            assert!(!app.connections.is_computed());
        }
    }
    assert_eq!(follow(&mut app), None);
    assert_eq!((app.connections.lines(), selected(&app)), (6, "connection-3"));
}
