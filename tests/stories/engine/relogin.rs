//! Logging in over a connection that has a history, through the real engine: a login is what heals
//! it, and the newest login wins.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Activity, Command, ConnectionEvent, Event, EventKind, Holding, Problem};
use manutop::engine::Refreshed;
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::Call;
use manutop::tokens::reconcile::Hazard;

use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, logged_in};
use crate::support::rig::{Rig, SECRET};

#[tokio::test]
async fn a_login_heals_a_connection_whose_answer_was_lost() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::lost_answer());
    let (mut running, person) = (rig.start(false), Person::new());
    running.engine.views().await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::AnswerLost { .. }), "{problem:?}");
    assert!(matches!(rig.vault().read(&factory).await.unwrap().hazard, Some(Hazard::Uncertain { .. })));
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    let generation = logged_in(&mut running).await;
    assert!(generation > 1);
    assert_newest_is_stored(&rig, &factory, generation).await;
    assert_eq!(running.engine.views().await[0].problem, None);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(generation + 1)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_login_heals_a_rolled_back_store() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let backup: Vec<_> = rig.store.items().into_iter().map(|item| (item.clone(), rig.store.item(&item))).collect();
    let first = rig.start(false);
    first.engine.views().await;
    assert_eq!(first.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    first.engine.shutdown().await;
    for (item, secret) in backup {
        rig.store.put(&item, &secret.unwrap());
    }
    let (mut running, person) = (rig.start(false), Person::new());
    running.engine.views().await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::RolledBack { .. }), "{problem:?}");
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 3);
    assert_newest_is_stored(&rig, &factory, 3).await;
    assert_eq!(running.engine.views().await[0].problem, None);
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_login_that_ends_during_a_refresh_elsewhere_waits_for_it_and_wins() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (other, mut running, person) = (rig.start(false), rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    other.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_secs(1)));
    let refresh = other.engine.refresh(&factory, true);
    let meanwhile = async {
        while rig.servers.manu().stats().token_posts.refresh_token == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let waiting =
            running.until_view(&factory, |view| matches!(view.activity, Activity::WaitingForLock { pid: Some(_), .. }));
        tokio::join!(person.visit(&back), waiting).0.0
    };
    let (refreshed, status) = tokio::join!(refresh, meanwhile);
    assert_eq!((refreshed, status), (Ok(Refreshed::Obtained(2)), 200));
    assert_eq!(logged_in(&mut running).await, 3);
    assert_newest_is_stored(&rig, &factory, 3).await;
}

#[tokio::test]
async fn a_logout_that_the_store_did_not_finish_is_not_said_to_have_forgotten_nothing() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.store.fail_next(Call::Delete, manutop::secrets::memory::InjectedFault::Error(StoreError::Locked));
    running.engine.send(Command::Logout { connection: factory.clone() });
    let problem = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::LogoutFailed { problem, .. }, .. }) => {
                Some(problem.clone())
            }
            _ => None,
        })
        .await;
    assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem}");
    // The journal has given them up; what the store still held is erased at the next look.
    running.until_view(&factory, |view| view.holding == Holding::Nothing && view.problem.is_none()).await;
    assert_eq!(rig.store.item("factory/token"), None);
    assert_eq!(running.engine.refresh(&factory, true).await, Err(Problem::NeverLoggedIn));
}

#[tokio::test]
async fn logging_out_forgets_the_tokens_and_keeps_the_client_secret() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (mut running, person) = (rig.start(false), Person::new());
    running.engine.views().await;
    running.engine.send(Command::Logout { connection: factory.clone() });
    running.until(|event| matches!(event.kind(), Some(EventKind::LoggedOut { .. })).then_some(())).await;
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
    assert_eq!(rig.vault().client_secret(&factory).await.unwrap().unwrap().expose(), SECRET);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert_eq!(problem, Problem::NeverLoggedIn);
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    let generation = logged_in(&mut running).await;
    assert_newest_is_stored(&rig, &factory, generation).await;
}

#[tokio::test]
async fn a_logout_elsewhere_while_a_login_waits_here_is_noticed_once_that_is_given_up() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut here = rig.start(true);
    here.engine.views().await;
    begin(&mut here, &factory).await;
    let mut elsewhere = rig.start(false);
    elsewhere.engine.views().await;
    elsewhere.engine.send(Command::Logout { connection: factory.clone() });
    elsewhere.until(|event| matches!(event.kind(), Some(EventKind::LoggedOut { .. })).then_some(())).await;
    // The engine looks around every five seconds; that it did while the login waited shows nowhere.
    tokio::time::sleep(Duration::from_secs(6)).await;
    here.engine.send(Command::Cancel { connection: factory.clone() });
    here.until_view(&factory, |view| view.holding == Holding::Nothing).await;
    assert_eq!(rig.refresh_posts(), 0);
}
