//! `invalid_grant`: the store is read again. If another process has saved a newer record meanwhile, it is
//! adopted; if not, the connection needs a login. Nothing is deleted, and nothing is sent again.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Command, EventKind, Problem};

use super::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn an_unchanged_record_needs_a_login_and_nothing_is_deleted() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().revoke(&record.refresh_token.as_ref().unwrap().token);
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(
        matches!(&problem, Problem::NeedsLogin { why } if why.to_string().contains("invalid_grant")),
        "{problem:?}"
    );
    let standing = rig.vault().read(&factory).await.unwrap();
    assert_eq!((standing.record, standing.hazard), (Some(record), None));
}

#[tokio::test]
async fn the_schedule_sends_a_refused_token_no_second_time() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    let record = rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().revoke(&record.refresh_token.unwrap().token);
    let mut running = rig.start(true);
    running.until_view(&factory, |view| matches!(view.problem, Some(Problem::NeedsLogin { .. }))).await;
    for _ in 0..2 {
        rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    }
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_record_saved_meanwhile_past_the_lock_is_adopted() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(500)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_refresh_posts(1).await;
    // A process that ignores the lock logs in: the first family is gone, a newer record is stored.
    rig.servers.manu().revoke(&first.refresh_token.unwrap().token);
    let mut newer = rig.servers.manu().issue("app-factory", "API_ALL").record(1);
    newer.generation = 2;
    rig.put(&factory, &newer).await;
    running.until(|event| matches!(event.kind(), Some(EventKind::Adopted { generation: 2, .. })).then_some(())).await;
    let standing = rig.vault().read(&factory).await.unwrap();
    assert_eq!((standing.record, standing.hazard), (Some(newer), None));
    assert_eq!(rig.refresh_posts(), 1);
}
