//! The keyring is rolled back (a restored backup, a second daemon on one home): the older
//! generation is never sent, the connection says so, and a login fixes it.

use chrono::TimeDelta;
use manutop::domain::Problem;
use manutop::engine::Refreshed;
use manutop::tokens::reconcile::Hazard;

use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, logged_in};
use crate::support::rig::Rig;

#[tokio::test]
async fn an_older_generation_is_never_sent_says_so_and_a_login_fixes_it() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.clockwork().await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let before = rig.start(false);
    before.engine.views().await;
    for generation in [2, 3] {
        assert_eq!(before.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(generation)));
    }
    before.engine.shutdown().await;
    rig.put(&factory, &first).await;

    let (mut running, person) = (rig.start(true), Person::new());
    let is_told = |problem: &Problem| matches!(problem, Problem::RolledBack { why } if why.to_string().contains('1') && why.to_string().contains('3'));
    running.until_view(&factory, |view| view.problem.as_ref().is_some_and(is_told)).await;
    rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    for force in [false, true] {
        let problem = running.engine.refresh(&factory, force).await.unwrap_err();
        assert!(matches!(problem, Problem::RolledBack { .. }), "{problem:?}");
    }
    assert_eq!(rig.refresh_posts(), 2, "those before");

    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 4);
    assert_newest_is_stored(&rig, &factory, 4).await;
    assert_eq!(running.view(&factory).await.problem, None);
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_store_rolled_back_under_a_running_engine_is_seen_before_anything_is_sent() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    rig.put(&factory, &first).await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::RolledBack { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_store_that_lost_everything_is_rolled_back_too() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.store.remove("factory/token");
    assert!(matches!(
        rig.vault().read(&factory).await.unwrap().hazard,
        Some(Hazard::RolledBack { stored: 0, mark: 1 })
    ));
    let problem = rig.start(false).engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::RolledBack { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 0);
}
