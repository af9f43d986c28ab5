//! A keyring item that exists but is empty, as a daemon killed during a create leaves it: treated
//! as missing, be it the tokens' or the identity's, and what the journal holds is saved over it.

use chrono::TimeDelta;
use manutop::domain::{Problem, Secret};
use manutop::engine::Refreshed;
use manutop::secrets::memory::{Call, InjectedFault};

use super::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn an_empty_token_is_a_connection_never_logged_in() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.store.put("factory/token", &Secret::default());
    let running = rig.start(false);
    assert_eq!(running.view(&factory).await.token(), None);
    assert_eq!(running.engine.refresh(&factory, true).await, Err(Problem::NeverLoggedIn));
}

#[tokio::test]
async fn a_daemon_killed_while_creating_the_token_costs_nothing() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let mut running = rig.start(true);
    running.until_view(&sync, |view| view.token().is_some()).await;
    let other = rig.manus("other").await;
    running.engine.shutdown().await;
    let mut running = rig.start(true);
    // Twice: a store that fails is opened again and asked again.
    rig.store.fail_next(Call::Set, InjectedFault::Emptied);
    rig.store.fail_next(Call::Set, InjectedFault::Emptied);
    running.until_view(&other, |view| matches!(view.problem, Some(Problem::NotSaved { .. }))).await;
    assert_eq!(rig.store.item("other/token"), Some(Secret::default()), "it is there and empty");
    let view = running.until_view(&other, |view| view.problem.is_none() && view.token().is_some()).await;
    assert_eq!(view.token().unwrap().generation, 1);
    assert!(rig.vault().read(&other).await.unwrap().saved);
    assert_eq!(rig.servers.manus().stats().mints, 2, "one for each");
}

#[tokio::test]
async fn an_empty_identity_is_made_before_anything_is_sent() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.store.put("identity", &Secret::default());
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert!(rig.store.item("identity").unwrap().expose().starts_with("AGE-SECRET-KEY-1"));
}
