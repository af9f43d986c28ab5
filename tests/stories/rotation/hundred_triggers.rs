//! A hundred triggers in one process: one request goes out, and all share its result, good or bad.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use manutop::demo::DemoFault;
use manutop::domain::{Command, Problem};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn a_hundred_triggers_share_one_exchange() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    // Due, so that the schedule is one of those who want it.
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(300)));
    let running = rig.start(true);
    running.engine.views().await;
    for force in [true, false] {
        running.engine.send(Command::Refresh { connection: factory.clone(), force });
    }
    let keys = join_all((0..50).map(|_| running.engine.refresh(&factory, true)));
    let scripts = join_all((0..50).map(|_| running.engine.access_token(&factory, Duration::from_secs(60))));
    let (keys, scripts) = tokio::join!(keys, scripts);
    assert!(keys.iter().all(|result| *result == Ok(Refreshed::Obtained(2))), "{keys:?}");
    let newest = rig.vault().read(&factory).await.unwrap().record.unwrap().access_token;
    assert!(scripts.iter().all(|token| token.as_ref().is_ok_and(|token| token.token == newest)));
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_hundred_triggers_share_one_failure() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().revoke(&record.refresh_token.unwrap().token);
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(300)));
    let running = rig.start(false);
    running.engine.views().await;
    let all = join_all((0..100).map(|_| running.engine.refresh(&factory, true))).await;
    assert!(all.iter().all(|result| matches!(result, Err(Problem::NeedsLogin { .. }))), "{all:?}");
    assert_eq!(rig.refresh_posts(), 1);
}
