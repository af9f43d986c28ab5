//! Logging out, through the real engine: the refresh token is revoked first where the provider has
//! an endpoint for it, and nothing that goes wrong with that stops the logout.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::domain::{
    Command, Connection, ConnectionEvent, ConnectionName, Event, EventKind, Exchange, Holding, Problem, Revocation,
    Secret, SecretSource,
};
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::Call;
use url::Url;

use crate::support::login::LOOPBACK;
use crate::support::rig::{Rig, Running};

/// Where a revocation goes.
type At = fn(&Rig) -> Url;

/// A connection with tokens that revokes at this address.
async fn logged_in(revoke_url: impl FnOnce(&Rig) -> Option<Url>) -> (Rig, ConnectionName) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.connections[0].revoke_url = revoke_url(&rig);
    (rig, factory)
}

/// Logs out; gives what became of the refresh token, and the exchanges that were logged.
async fn log_out(running: &mut Running, factory: &ConnectionName) -> (Revocation, Vec<manutop::domain::LogEntry>) {
    running.engine.views().await;
    running.engine.send(Command::Logout { connection: factory.clone() });
    let mut entries = Vec::new();
    let revocation = running
        .until(|event| match event {
            Event::RequestLogged(entry) => {
                entries.push(entry.as_ref().clone());
                None
            }
            Event::Connection(ConnectionEvent { kind: EventKind::LoggedOut { revocation }, .. }) => {
                Some(revocation.clone())
            }
            Event::Connection(ConnectionEvent { kind: EventKind::LogoutFailed { problem, .. }, .. }) => {
                panic!("{problem}")
            }
            _ => None,
        })
        .await;
    running.until_view(factory, |view| view.holding == Holding::Nothing).await;
    (revocation, entries)
}

#[tokio::test]
async fn logging_out_revokes_the_refresh_token_first() {
    let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    let held = rig.vault().read(&factory).await.unwrap().record.unwrap().refresh_token.unwrap().token;
    let mut running = rig.start(false);
    let (revocation, entries) = log_out(&mut running, &factory).await;
    assert_eq!(revocation, Revocation::Revoked);
    assert_eq!(rig.servers.manu().newest_refresh_token("app-factory"), None, "it works no more");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((entry.exchange, entry.path.as_str(), entry.is_ok()), (Exchange::Revoke, "/oauth/revoke", true));
    assert!(!serde_json::to_string(entry).unwrap().contains(held.expose()));
}

#[tokio::test]
async fn without_an_endpoint_or_without_tokens_nothing_is_sent() {
    let (rig, factory) = logged_in(|_| None).await;
    let (revocation, entries) = log_out(&mut rig.start(false), &factory).await;
    assert!(revocation == Revocation::None && entries.is_empty(), "{entries:?}");
    assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    rig.logged_in(&sync, TimeDelta::zero()).await;
    rig.connections[0].revoke_url = Some(rig.servers.manu().revoke_url());
    let (revocation, _) = log_out(&mut rig.start(false), &sync).await;
    assert_eq!(revocation, Revocation::None, "there is no refresh token");
}

#[tokio::test]
async fn a_revocation_that_fails_stops_no_logout_and_says_why() {
    let cases: [(&str, At); 3] = [
        ("403", |rig| rig.servers.manu().authorize_url()),
        ("404", |rig| rig.servers.manu().token_url().join("/oauth/nothing").expect("a path")),
        ("refused", |_| {
            let closed = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
            Url::parse(&format!("http://{closed}/revoke")).expect("an address makes a URL")
        }),
    ];
    for (words, url) in cases {
        let (rig, factory) = logged_in(|rig| Some(url(rig))).await;
        let (revocation, entries) = log_out(&mut rig.start(false), &factory).await;
        let Revocation::Failed { why } = &revocation else { panic!("{words}: {revocation:?}") };
        assert!(why.to_string().to_lowercase().contains(words), "{why}");
        assert!(revocation.words().ends_with("; the token may work until it ends"), "{}", revocation.words());
        assert!(entries.len() == 1 && !entries[0].is_ok(), "{entries:?}");
        assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
    }
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_providers_answer_and_a_missing_one_sends_nothing() {
    let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    rig.vault().set_client_secret(&factory, &Secret::new("another")).await.unwrap();
    let (revocation, _) = log_out(&mut rig.start(false), &factory).await;
    assert!(
        matches!(&revocation, Revocation::Failed { why } if why.to_string().contains("invalid_client")),
        "{revocation:?}"
    );
    let (mut rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    let command = SecretSource::Command(vec!["/nonexistent/vault".into()]);
    rig.connections[0] = Connection { client_secret: command, ..rig.connections[0].clone() };
    let (revocation, entries) = log_out(&mut rig.start(false), &factory).await;
    assert!(
        matches!(&revocation, Revocation::Skipped { why } if why.to_string().contains("cannot be started")),
        "{revocation:?}"
    );
    assert!(entries.is_empty() && rig.servers.manu().stats().revocation_posts == 0);
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_not_waited_for_longer_than_ten_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/revoke", silent.local_addr().unwrap())).unwrap();
    let (rig, factory) = logged_in(|_| Some(url)).await;
    let began = Instant::now();
    let (revocation, _) = log_out(&mut rig.start(false), &factory).await;
    assert!(matches!(&revocation, Revocation::Failed { why } if why.to_string() == "timeout"), "{revocation:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
}

#[tokio::test]
async fn removing_a_connection_revokes_too() {
    let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Remove { connection: factory.clone() });
    let end = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::Forgotten { result, revocation }, .. }) => {
                Some((result.clone(), revocation.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!(end, (Ok(()), Revocation::Revoked));
    assert_eq!(rig.servers.manu().newest_refresh_token("app-factory"), None);
    assert!(rig.store.items().iter().all(|item| !item.contains("factory")), "{:?}", rig.store.items());
}

#[tokio::test]
async fn what_the_store_does_not_give_is_not_revoked_and_said_so() {
    let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.store.fail_next(Call::Get, manutop::secrets::memory::InjectedFault::Error(StoreError::Locked));
    running.engine.send(Command::Logout { connection: factory.clone() });
    let end = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::LoggedOut { revocation }, .. }) => {
                Some(Ok(revocation.clone()))
            }
            Event::Connection(ConnectionEvent { kind: EventKind::LogoutFailed { problem, .. }, .. }) => {
                Some(Err(problem.clone()))
            }
            _ => None,
        })
        .await;
    match end {
        Ok(Revocation::Skipped { why }) => assert!(why.to_string().contains("locked"), "{why}"),
        Err(Problem::StoreUnavailable { .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
}

/// Logs out or removes; gives the failure.
async fn failing(running: &mut Running, command: Command) -> (Problem, Revocation) {
    running.engine.views().await;
    running.engine.send(command);
    running
        .until(|event| match event.kind()? {
            EventKind::LogoutFailed { problem, revocation }
            | EventKind::Forgotten { result: Err(problem), revocation } => Some((problem.clone(), revocation.clone())),
            EventKind::LoggedOut { .. } | EventKind::Forgotten { .. } => panic!("{event:?}"),
            _ => None,
        })
        .await
}

/// Both ways to leave.
const LEAVING: [fn(ConnectionName) -> Command; 2] =
    [|connection| Command::Logout { connection }, |connection| Command::Remove { connection }];

#[tokio::test]
async fn nothing_is_revoked_that_could_not_be_forgotten() {
    for command in LEAVING {
        let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
        let journals = rig.dir.path().join("journals");
        // As on a full disk, neither the file for the reservation nor the one for the journal can be made.
        for file in [".factory.json.room", ".factory.json.new"] {
            let _ = std::fs::remove_file(journals.join(file));
            std::fs::create_dir(journals.join(file)).unwrap();
        }
        let mut running = rig.start(false);
        let (problem, revocation) = failing(&mut running, command(factory.clone())).await;
        assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem}");
        assert!(matches!(revocation, Revocation::Skipped { .. }), "{revocation:?}");
        assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
        assert!(rig.vault().read(&factory).await.unwrap().record.is_some(), "they are kept, and work");
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_meanwhile_does_not_stop_a_logout_that_has_its_room() {
    let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
    std::fs::create_dir(rig.dir.path().join("journals/.factory.json.new")).unwrap();
    let (revocation, _) = log_out(&mut rig.start(false), &factory).await;
    assert_eq!(revocation, Revocation::Revoked);
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
}

#[tokio::test]
async fn what_was_revoked_and_could_not_be_forgotten_is_said() {
    for command in LEAVING {
        let (rig, factory) = logged_in(|rig| Some(rig.servers.manu().revoke_url())).await;
        rig.store.refuse(Some((Call::Delete, StoreError::Locked)));
        let (problem, revocation) = failing(&mut rig.start(false), command(factory)).await;
        assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem}");
        assert_eq!(revocation, Revocation::Revoked);
        let words = revocation.before_failure("the rest");
        assert_eq!(words, "the provider revoked the refresh token, but the rest");
    }
}
