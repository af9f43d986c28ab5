//! What the passing of time alone changes.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::dashboard::fixtures::{manu, now, seven};
use crate::dashboard::tests::{NOTHING, app_of};
use crate::dashboard::{App, Msg, update};

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
