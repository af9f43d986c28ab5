//! The machine, or the process alone, sleeps past the access token's end: exactly one request goes
//! out soon after waking.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::EventKind;

use super::REDIRECT;
use crate::support::rig::Rig;

/// A machine's sleep: the wall clock has moved, and no timer has.
#[tokio::test]
async fn a_machine_that_slept_sends_exactly_one_request_after_waking() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    rig.clock.advance(TimeDelta::hours(9));
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(rig.refresh_posts(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_was_stopped_sends_exactly_one_request_after_it_continues() {
    use super::process::{Process, Role, part};
    use crate::support::again::this_test;

    if let Some(part) = part() {
        return part.play().await;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    // This one ends after five seconds, its successors after ninety.
    let mut short = rig.servers.manu().issue("app-factory", "API_ALL").record(1);
    short.expires_at = short.obtained_at + TimeDelta::seconds(5);
    rig.vault().lock(&factory, |_| {}).await.unwrap().receive(short).await.unwrap();
    let process = Process::start(&rig, Role::Dashboard, this_test!());
    process.signal("STOP");
    assert_eq!(rig.refresh_posts(), 0, "not due yet");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.refresh_posts(), 0, "it is stopped");
    process.signal("CONT");
    process.until("refreshed 2");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(rig.refresh_posts(), 1);
}
