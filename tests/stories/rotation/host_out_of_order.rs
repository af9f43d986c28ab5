//! A host that is out of order for all its connections is asked by one of them now and then, and by
//! all again once it answers.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{ConnectionEvent, Event, EventKind};

use super::REDIRECT;
use crate::support::rig::{Rig, Running, eventually};

/// More than are begun at once.
const MANY: u64 = 60;
/// The most that are asked before it is clear that it is the host: what is begun at once, and what
/// took the places of the first to fail.
const BEGUN: u64 = 24;

/// Many connections that are due, at a host with this fault, and an engine that has met it.
async fn met(fault: DemoFault) -> (Rig, Running) {
    let mut rig = Rig::new();
    rig.clockwork().await;
    for number in 0..MANY {
        let connection = rig.manu(&format!("c{number}"), REDIRECT).await;
        rig.logged_in(&connection, TimeDelta::seconds(80)).await;
    }
    rig.servers.manu().break_down(None, fault);
    let mut running = rig.start(true);
    let mut failed = BTreeSet::new();
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { connection, kind: EventKind::RefreshFailed { .. } }) => {
                failed.insert(connection.clone());
                (failed.len() >= 8).then_some(())
            }
            _ => None,
        })
        .await;
    (rig, running)
}

#[tokio::test]
async fn it_is_not_flooded_with_requests_and_all_resume_once_it_answers() {
    let (rig, running) = met(DemoFault::status(503, r#"{"error":"temporarily_unavailable"}"#)).await;
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    let before = rig.refresh_posts();
    assert!(before <= BEGUN, "{before} of {MANY}");
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    let asked = rig.refresh_posts() - before;
    // Another pause may have ended already.
    assert!((1..=3).contains(&asked), "all are due, and {asked} asked");
    rig.servers.manu().clear_faults();
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    eventually("all are refreshed", || rig.servers.manu().stats().rotations >= MANY).await;
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

/// Each request without an answer may cost a connection its login.
#[tokio::test]
async fn one_that_never_answers_does_not_cost_all_their_answers() {
    let (rig, running) = met(DemoFault::lost_answer()).await;
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    rig.servers.manu().clear_faults();
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    let asked_in_vain = || async {
        let views = running.engine.views().await;
        views.iter().filter(|view| view.lost_answer.is_some()).count() as u64
    };
    let lost = asked_in_vain().await;
    assert!((8..=BEGUN + 3).contains(&lost), "{lost} of {MANY}");
    eventually("all others are refreshed", || rig.servers.manu().stats().rotations >= MANY).await;
    assert_eq!(asked_in_vain().await, lost);
}
