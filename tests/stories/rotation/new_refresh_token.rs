//! A new refresh token in the answer: it is in the journal, then in the store and read back from
//! it, before it is shown or handed out.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::{Command, CopyWhat, EventKind, Problem};
use manutop::engine::Refreshed;
use manutop::secrets::memory::{Call, InjectedFault};

use super::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn a_new_refresh_token_is_saved_read_back_and_the_newest_the_server_knows() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    let before = rig.store.calls().len();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    let calls = rig.store.calls().split_off(before);
    let written = calls.iter().rposition(|call| *call == Call::Set).expect("it was written");
    assert!(calls[written..].contains(&Call::Get), "and read back: {calls:?}");
    assert_eq!(rig.journal_state(&factory), "settled");
    let standing = rig.vault().read(&factory).await.unwrap();
    let record = standing.record.unwrap();
    assert!(standing.saved && standing.hazard.is_none());
    assert_eq!(Some(record.refresh_token.unwrap().token), rig.servers.manu().newest_refresh_token("app-factory"));
    assert_ne!(record.access_token, first.access_token);
}

#[tokio::test]
async fn during_the_save_the_journal_has_it_and_it_is_not_shown() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.store.fail_next(Call::Set, InjectedFault::Hang);
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_journal(&factory, "received").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(running.view(&factory).await.token().unwrap().generation, 1);
    assert_eq!(running.engine.reveal(&factory, CopyWhat::AccessToken).await, Ok(first.access_token));
    let early = running.announced().into_iter().find(|event| matches!(event.kind(), Some(EventKind::Refreshed { .. })));
    assert_eq!(early, None);
    rig.store.release();
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    assert_eq!(rig.journal_state(&factory), "settled");
    assert!(rig.vault().read(&factory).await.unwrap().saved);
}

#[tokio::test]
async fn a_store_that_says_yes_and_keeps_nothing_is_caught_by_the_reading_back() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    rig.store.fail_next(Call::Set, InjectedFault::Ignored);
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::NotSaved { .. }))).await;
    assert_eq!(view.token().unwrap().generation, 2, "safe in the journal");
    running.until_view(&factory, |view| view.problem.is_none()).await;
    assert_eq!(rig.journal_state(&factory), "settled");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record.unwrap().generation, 2);
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn every_generation_of_an_automatic_refresh_follows_the_one_before() {
    let mut rig = Rig::with(|options| options.manu_lifetime = Duration::from_secs(3));
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.until_view(&factory, |view| view.token().is_some_and(|token| token.generation == 4)).await;
    let stats = rig.servers.manu().stats();
    assert!(stats.reuses_detected == 0 && stats.rotations >= 3, "{stats:?}");
}
