//! `invalid_client`: the connection is misconfigured and says so; its tokens are kept, and the
//! automatic refresh stops until a person asks.

use chrono::TimeDelta;
use manutop::domain::{Problem, Secret};
use manutop::engine::Refreshed;

use crate::REDIRECT;
use crate::support::rig::{Rig, SECRET};

#[tokio::test]
async fn a_refused_client_is_misconfigured_and_keeps_its_tokens() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().delete_client("app-factory");
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(&problem, Problem::Misconfigured { why } if why.contains("invalid_client")), "{problem:?}");
    let standing = rig.vault().read(&factory).await.unwrap();
    assert_eq!((standing.record, standing.hazard), (Some(record), None));
}

#[tokio::test]
async fn the_automatic_refresh_stops_until_somebody_asks() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().delete_client("app-factory");
    let mut running = rig.start(true);
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::Misconfigured { .. }))).await;
    assert_eq!((view.next_refresh, view.token().unwrap().generation), (None, 1));
    for _ in 0..2 {
        rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    }
    assert_eq!(rig.refresh_posts(), 1);
    rig.servers.manu().register_client("app-factory", &Secret::new(SECRET), &[REDIRECT]);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}
