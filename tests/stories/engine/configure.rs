//! Another configuration while the engine runs: what changes takes effect, what does not is left
//! alone, and no token is lost on the way.

use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{
    Command, Connection, ConnectionEvent, ConnectionName, Event, EventKind, Holding, Problem, Secret,
};
use manutop::engine::Refreshed;
use manutop::secrets::memory::Call;

use crate::support::login::assert_newest_is_stored;
use crate::support::rig::{Rig, Running, SECRET, eventually, name};

const REDIRECT: &str = "http://127.0.0.1/callback";

fn configure(running: &Running, connections: &[Connection]) {
    let login_timeout = Duration::from_secs(60);
    running.engine.send(Command::Configure { connections: connections.to_vec(), login_timeout });
}

async fn configured(running: &mut Running) -> Vec<ConnectionName> {
    running
        .until(|event| match event {
            Event::Configured { connections } => Some(connections.iter().map(|one| one.name.clone()).collect()),
            _ => None,
        })
        .await
}

async fn removed(running: &mut Running, connection: &ConnectionName) {
    running.until(|event| (*event == EventKind::Removed.of(connection.clone())).then_some(())).await;
}

async fn forgotten(running: &mut Running) -> Result<(), Problem> {
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::Forgotten { result, .. }, .. }) => {
                Some(result.clone())
            }
            _ => None,
        })
        .await
}

fn busy(why: &'static str) -> Result<(), Problem> {
    Err(Problem::Retrying { at: None, why: why.into() })
}

async fn two() -> (Rig, ConnectionName, ConnectionName) {
    let mut rig = Rig::new();
    let (factory, warehouse) = (rig.manu("factory", REDIRECT).await, rig.manu("warehouse", REDIRECT).await);
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.logged_in(&warehouse, TimeDelta::zero()).await;
    (rig, factory, warehouse)
}

/// A connection with a wrong client ID, and how it should be configured.
async fn with_a_wrong_client_id() -> (Rig, ConnectionName, Connection) {
    let mut rig = Rig::new();
    let hr = rig.manus("hr").await;
    let right = rig.connections[0].clone();
    rig.connections[0].client_id = "tm_mistyped".into();
    (rig, hr, right)
}

/// An engine whose refresh of the connection has reached the server; the answer comes a little later.
async fn refreshing(rig: &Rig, connection: &ConnectionName) -> Running {
    let running = rig.start(true);
    running.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(700)));
    running.engine.send(Command::Refresh { connection: connection.clone(), force: true });
    rig.until_rotations(1).await;
    running
}

#[tokio::test]
async fn connections_come_go_and_follow_the_order_of_the_file() {
    let (rig, factory, warehouse) = two().await;
    let all = rig.connections.clone();
    let mut running = rig.start(true);
    running.engine.views().await;
    configure(&running, &all[1..]);
    assert_eq!(configured(&mut running).await, std::slice::from_ref(&warehouse));
    removed(&mut running, &factory).await;
    assert_eq!(running.engine.views().await.len(), 1);
    configure(&running, &[all[1].clone(), all[0].clone()]);
    assert_eq!(configured(&mut running).await, [warehouse.clone(), factory.clone()]);
    // Its tokens were kept: it is live as before, without a login.
    let back = running.until_view(&factory, |view| view.holding != Holding::Unknown).await;
    assert_eq!(back.token().unwrap().generation, 1);
    let order: Vec<_> = running.engine.views().await.into_iter().map(|view| view.name).collect();
    assert_eq!(order, [warehouse, factory.clone()]);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn a_connection_removed_while_its_refresh_is_out_still_has_its_answer_saved() {
    let (rig, factory, warehouse) = two().await;
    let mut running = refreshing(&rig, &factory).await;
    configure(&running, &rig.connections[1..]);
    assert_eq!(configured(&mut running).await, [warehouse]);
    let mut saw_it_saved = false;
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { connection, kind: EventKind::Refreshed { generation: 2, .. } })
                if *connection == factory =>
            {
                saw_it_saved = true;
                None
            }
            Event::Connection(ConnectionEvent { connection, kind: EventKind::Removed }) if *connection == factory => {
                Some(())
            }
            _ => None,
        })
        .await;
    assert!(saw_it_saved, "it goes only after the save");
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.journal_state(&factory), "settled");
}

#[tokio::test]
async fn one_that_is_back_before_its_work_ended_continues_as_before() {
    let (rig, factory, _) = two().await;
    let mut running = refreshing(&rig, &factory).await;
    configure(&running, &rig.connections[1..]);
    configure(&running, &rig.connections);
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { .. })).then_some(())).await;
    assert_eq!(running.engine.views().await.len(), 2);
    assert!(running.announced().iter().all(|event| !matches!(event.kind(), Some(EventKind::Removed))));
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)));
}

#[tokio::test]
async fn a_changed_client_id_applies_to_the_next_exchange_and_clears_what_the_old_one_caused() {
    let (rig, hr, right) = with_a_wrong_client_id().await;
    let mut running = rig.start(true);
    let is_refused =
        |view: &manutop::domain::ConnectionView| matches!(view.problem, Some(Problem::Misconfigured { .. }));
    running.until_view(&hr, is_refused).await;
    configure(&running, &[right]);
    let live = running.until_view(&hr, |view| view.token().is_some()).await;
    assert_eq!((&live.problem, live.token().unwrap().generation), (&None, 1));
}

#[tokio::test]
async fn another_provider_without_logins_costs_no_refresh_token() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    rig.manus("factory").await;
    configure(&running, &rig.connections[1..]);
    configured(&mut running).await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(
        matches!(&problem, Problem::Misconfigured { why, refused: false } if why.to_string().contains("log out first")),
        "{problem:?}"
    );
    assert_eq!(rig.servers.manus().stats().token_posts.total(), 0, "no client secret went to another server");
    configure(&running, &rig.connections[..1]);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn leaving_waits_until_a_client_secret_is_stored() {
    let (rig, factory, _) = two().await;
    let running = rig.start(true);
    running.engine.views().await;
    let calls = rig.store.calls().len();
    rig.store.hang();
    running.engine.send(Command::SetClientSecret { connection: factory.clone(), secret: Secret::new("typed-once") });
    eventually("the store was asked", || rig.store.calls().len() > calls).await;
    let mut leaving = pin!(running.engine.shutdown());
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut leaving).await.is_err(), "leaving now would lose it");
    rig.store.release();
    leaving.await;
    assert_eq!(rig.vault().client_secret(&factory).await.unwrap().unwrap().expose(), "typed-once");
}

#[tokio::test]
async fn what_changes_during_an_exchange_lets_it_end_and_is_looked_at_after() {
    let (rig, hr, right) = with_a_wrong_client_id().await;
    rig.servers.manus().push_fault(DemoFault::DelayBefore(Duration::from_millis(700)));
    let mut running = rig.start(true);
    running.until_view(&hr, |view| matches!(view.activity, manutop::domain::Activity::Refreshing { .. })).await;
    configure(&running, &[right]);
    let refused = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::RefreshFailed { problem }, .. }) => {
                Some(problem.clone())
            }
            _ => None,
        })
        .await;
    assert!(matches!(refused, Problem::Misconfigured { .. }), "{refused:?}");
    assert_eq!(running.until_view(&hr, |view| view.token().is_some()).await.problem, None);
}

#[tokio::test]
async fn titles_show_at_once_and_the_session_s_own_switch_survives_what_does_not_concern_it() {
    let (mut rig, factory, _) = two().await;
    let mut running = rig.start(true);
    running.engine.views().await;
    running.engine.send(Command::SetAuto { connection: factory.clone(), on: false });
    let reads = rig.store.calls().len();
    rig.connections[0].title = Some("Fabrik".into());
    configure(&running, &rig.connections);
    let view = running.until_view(&factory, |view| view.title.as_deref() == Some("Fabrik")).await;
    assert!(!view.auto);
    rig.connections[0].auto_refresh = false;
    configure(&running, &rig.connections);
    rig.connections[0].auto_refresh = true;
    configure(&running, &rig.connections);
    running.until_view(&factory, |view| view.auto).await;
    assert_eq!(rig.store.calls().len(), reads, "none of it is the store's business");
}

#[tokio::test]
async fn a_thousand_unchanged_connections_cause_no_store_reads() {
    let mut rig = Rig::new();
    rig.manu("factory", REDIRECT).await;
    for number in 1..1000 {
        let copy = Connection { name: name(&format!("factory-{number}")), ..rig.connections[0].clone() };
        rig.connections.push(copy);
    }
    let mut running = rig.start(true);
    assert_eq!(running.engine.views().await.len(), 1000);
    let (reads, _) = (rig.store.calls().len(), running.announced());
    let mut connections = rig.connections.clone();
    connections.reverse();
    connections.insert(0, Connection { name: name("new"), ..rig.connections[0].clone() });
    configure(&running, &connections);
    assert_eq!(configured(&mut running).await.len(), 1001);
    running.until_view(&name("new"), |view| view.holding != Holding::Unknown).await;
    let new_reads = &rig.store.calls()[reads..];
    assert!(new_reads.len() <= 2 && new_reads.iter().all(|call| *call == Call::Get), "{new_reads:?}");
}

#[tokio::test]
async fn a_client_secret_may_come_before_its_connection_and_repairs_what_lacked_it() {
    let mut rig = Rig::new();
    let hr = rig.manus("hr").await;
    let secret = |text: &str| Command::SetClientSecret { connection: name("hr"), secret: Secret::new(text) };
    rig.vault().remove_client_secret(&hr).await.unwrap();
    let mut running = rig.start(true);
    running.until_view(&hr, |view| matches!(view.problem, Some(Problem::NoClientSecret { .. }))).await;
    for bad in ["", "two\nlines", "pässword"] {
        running.engine.send(secret(bad));
        let why = running
            .until(|event| match event {
                Event::Connection(ConnectionEvent {
                    kind: EventKind::ClientSecretSet { result: Err(why) }, ..
                }) => Some(why.clone()),
                _ => None,
            })
            .await;
        assert!(why.starts_with("the client secret ") && !why.contains("lines\n"), "{why}");
    }
    running.engine.send(secret(&format!(" {SECRET}\n")));
    running.until_view(&hr, |view| view.token().is_some()).await;
    // One that is not configured yet.
    let early = name("early");
    running.engine.send(Command::SetClientSecret { connection: early.clone(), secret: Secret::new("s") });
    running
        .until(|event| matches!(event.kind(), Some(EventKind::ClientSecretSet { result: Ok(()) })).then_some(()))
        .await;
    assert_eq!(rig.vault().client_secret(&early).await.unwrap().unwrap().expose(), "s");
}

#[tokio::test]
async fn removing_forgets_everything_of_one_and_nothing_of_the_others() {
    let (rig, factory, warehouse) = two().await;
    let mut running = rig.start(true);
    running.engine.views().await;
    running.engine.send(Command::Remove { connection: factory.clone() });
    assert_eq!(forgotten(&mut running).await, Ok(()));
    assert_eq!(rig.store.items().iter().filter(|item| item.starts_with("factory/")).count(), 0);
    assert!(!rig.dir.path().join("journals/factory.json").exists());
    assert!(!rig.dir.path().join("history/factory.jsonl").exists());
    assert_eq!(running.view(&factory).await.holding, Holding::Nothing);
    assert_newest_is_stored(&rig, &warehouse, 1).await;
    assert!(rig.vault().client_secret(&warehouse).await.unwrap().is_some());
    running.engine.send(Command::Remove { connection: name("missing") });
    assert!(forgotten(&mut running).await.unwrap_err().to_string().contains("no such connection"));
}

#[tokio::test]
async fn removing_while_a_refresh_is_out_is_refused_and_the_answer_saved() {
    let (rig, factory, _) = two().await;
    let mut running = refreshing(&rig, &factory).await;
    running.engine.send(Command::Remove { connection: factory.clone() });
    assert_eq!(forgotten(&mut running).await, busy("a refresh is under way"));
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { .. })).then_some(())).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

/// Each step fails once: what is left is never more than a connection that has no tokens.
#[tokio::test]
async fn a_removal_cut_short_anywhere_can_be_asked_for_again() {
    for fails in 0..3 {
        let (rig, factory, warehouse) = two().await;
        let mut running = rig.start(true);
        running.engine.views().await;
        let error = || manutop::secrets::error::StoreError::Locked;
        for at in 0..=fails {
            let fault = if at == fails {
                manutop::secrets::memory::InjectedFault::Error(error())
            } else {
                manutop::secrets::memory::InjectedFault::None
            };
            rig.store.fail_next(Call::Delete, fault);
        }
        running.engine.send(Command::Remove { connection: factory.clone() });
        let first = forgotten(&mut running).await;
        assert_eq!(first.is_err(), fails < 2, "{first:?}");
        let standing = rig.vault().read(&factory).await.unwrap();
        assert!(standing.record.is_none() && standing.hazard.is_none(), "{standing:?}");
        rig.vault().lock(&factory, |_| {}).await.unwrap().recover().await.unwrap();
        assert_newest_is_stored(&rig, &warehouse, 1).await;
        if first.is_err() {
            running.until_view(&factory, |view| view.activity == manutop::domain::Activity::Idle).await;
            running.engine.views().await;
            running.engine.send(Command::Remove { connection: factory.clone() });
            // The store may still be being read again.
            let mut second = forgotten(&mut running).await;
            while second == busy("the store is being read") {
                running.engine.send(Command::Remove { connection: factory.clone() });
                second = forgotten(&mut running).await;
            }
            assert_eq!(second, Ok(()));
        }
        assert_eq!(rig.store.items().iter().filter(|item| item.starts_with("factory/")).count(), 0);
    }
}
