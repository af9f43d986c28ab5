//! Manus: a restart uses the stored token again; a 401 from its API leads to at most one new mint.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::{Activity, Command, ConnectionEvent, ConnectionName, Event, EventKind, TestFailure};
use manutop::engine::Refreshed;

use crate::support::rig::{Rig, Running};

#[tokio::test]
async fn a_minted_token_is_reused_after_a_restart() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let first = rig.start(false);
    let token = first.engine.access_token(&sync, Duration::from_secs(60)).await.unwrap();
    first.engine.shutdown().await;
    for automatic in [false, true] {
        let again = rig.start(automatic);
        assert_eq!(again.engine.access_token(&sync, Duration::from_secs(60)).await, Ok(token.clone()));
        again.engine.shutdown().await;
    }
    assert_eq!(rig.servers.manus().stats().mints, 1);
}

async fn tested(running: &mut Running, connection: &ConnectionName) -> Result<u16, TestFailure> {
    running.engine.send(Command::Test { connection: connection.clone() });
    let result = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::Tested { result }, .. }) => {
                Some(result.clone().map(|(status, _)| status))
            }
            _ => None,
        })
        .await;
    running.until_view(connection, |view| view.activity == Activity::Idle).await;
    result
}

#[tokio::test]
async fn a_401_from_the_api_leads_to_one_new_mint_and_only_when_asked() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    rig.logged_in(&sync, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    assert_eq!(tested(&mut running, &sync).await, Ok(200));
    let token = running.engine.access_token(&sync, Duration::from_secs(60)).await.unwrap();
    rig.servers.manus().revoke(&token.token);
    for _ in 0..3 {
        let refused = tested(&mut running, &sync).await.unwrap_err();
        assert_eq!(refused.status, Some(401), "{refused:?}");
    }
    assert_eq!(rig.servers.manus().stats().mints, 0, "none automatically");
    let (one, other) = tokio::join!(running.engine.refresh(&sync, true), running.engine.refresh(&sync, true));
    assert_eq!((one, other), (Ok(Refreshed::Obtained(2)), Ok(Refreshed::Obtained(2))));
    assert_eq!(tested(&mut running, &sync).await, Ok(200));
    assert_eq!(rig.servers.manus().stats().mints, 1);
}
