//! The store floor on a real gnome-keyring: saved and visible to others, locked, killed,
//! restarted, stopped, missing.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "support/records.rs"]
mod records;
#[path = "support/keyring.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manutop::domain::{Secret, SystemClock};
use manutop::store::{Lease, Namespace, SaveError, Secrets, StoreError, Vault, keyring};
use records::{name, record};
use support::{Keyring, inside_a_session, run_again};
use tokio::runtime::Runtime;

/// Far below the timeout of ten seconds: what must be told at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A vault as a newly started process has it, on the default data directory.
fn process(dir: &Path) -> Vault {
    with_timeout(dir, Duration::from_secs(10))
}

fn with_timeout(dir: &Path, timeout: Duration) -> Vault {
    let namespace = Namespace::for_data_dir(dir, Some(dir));
    Vault::open(Secrets::with_timeout(keyring::factory(namespace), timeout), dir, Arc::new(SystemClock)).unwrap()
}

async fn lease(vault: &Vault) -> Lease {
    vault.lock(&name(), |pid| panic!("held by {pid:?}")).await.unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    (work.await, begun.elapsed())
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn tokens_are_saved_survive_a_restart_and_are_seen_by_secret_tool() {
    inside_a_session("tokens_are_saved_survive_a_restart_and_are_seen_by_secret_tool", |keyring| {
        let dir = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let vault = process(dir.path());
            let mut lease = lease(&vault).await;
            assert!(lease.recover().await.unwrap().record.is_none());
            lease.preflight().await.unwrap();
            for generation in 1..=3 {
                lease.receive(record(generation)).await.unwrap();
                lease.spending(&record(generation)).await.unwrap();
                lease.unspent().await.unwrap();
            }
            vault.set_client_secret(&name(), &Secret::new("client secret")).await.unwrap();
        });
        let line = keyring.lookup("factory/token").unwrap();
        assert!(line.contains("refresh-3") && line.is_ascii() && !line.contains('\n'), "{line}");
        assert_eq!(keyring.lookup("factory/client-secret").as_deref(), Some("client secret"));
        assert!(keyring.lookup("identity").unwrap().starts_with("AGE-SECRET-KEY-1"));
        let found = keyring.secret_tool(&["search", "--all", "service", "manutop"]);
        assert!(found.contains("label = manutop: factory (token)"), "{found}");
        assert_eq!(found.matches("label = ").count(), 3, "one item each: {found}");

        keyring.kill_daemon();
        keyring.start_daemon();
        runtime().block_on(async {
            let standing = process(dir.path()).read(&name()).await.unwrap();
            assert_eq!(standing.record, Some(record(3)));
            let vault = process(dir.path());
            lease(&vault).await.forget().await.unwrap();
            assert!(vault.remove_client_secret(&name()).await.unwrap());
        });
        assert_eq!(keyring.lookup("factory/token"), None);
        assert_eq!(keyring.lookup("factory/client-secret"), None);
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn two_data_directories_on_one_keyring_keep_their_tokens_apart() {
    inside_a_session("two_data_directories_on_one_keyring_keep_their_tokens_apart", |keyring| {
        let (default, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let namespace = Namespace::for_data_dir(other.path(), Some(default.path()));
        let user = namespace.user("factory/token");
        let secrets = Secrets::new(keyring::factory(namespace));
        let other = Vault::open(secrets, other.path(), Arc::new(SystemClock)).unwrap();
        let default = process(default.path());
        runtime().block_on(async {
            lease(&default).await.receive(record(7)).await.unwrap();
            lease(&other).await.receive(record(1)).await.unwrap();
            assert_eq!(default.read(&name()).await.unwrap().record, Some(record(7)));
            assert_eq!(other.read(&name()).await.unwrap().record, Some(record(1)));
        });
        assert!(keyring.lookup(&user).unwrap().contains("refresh-1"));
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-7"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_locked_keyring_is_told_at_once_and_nothing_is_sent() {
    inside_a_session("a_locked_keyring_is_told_at_once_and_nothing_is_sent", |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        runtime().block_on(async {
            let mut lease = lease(&vault).await;
            lease.preflight().await.unwrap();
            lease.receive(record(1)).await.unwrap();
            keyring.lock();
            let (refused, took) = timed(lease.preflight()).await;
            assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
            assert!(took < AT_ONCE, "{took:?}");
            assert!(matches!(vault.read(&name()).await, Err(StoreError::Locked)));
            assert!(matches!(vault.client_secret(&name()).await, Err(StoreError::Locked)));
            let (saved, took) = timed(lease.receive(record(2))).await;
            assert!(matches!(saved, Err(SaveError::InJournal { why: StoreError::Locked })), "{saved:?}");
            assert!(took < AT_ONCE, "{took:?}");
            keyring.kill_daemon();
            keyring.start_daemon();
            assert!(lease.recover().await.unwrap().saved);
        });
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-2"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_daemon_killed_during_a_refresh_costs_nothing_and_its_successor_gets_the_record() {
    inside_a_session("a_daemon_killed_during_a_refresh_costs_nothing_and_its_successor_gets_the_record", |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        runtime().block_on(async {
            let mut lease = lease(&vault).await;
            lease.receive(record(1)).await.unwrap();
            lease.preflight().await.unwrap();
            lease.spending(&record(1)).await.unwrap();
            keyring.kill_daemon();
            let (saved, took) = timed(lease.receive(record(2))).await;
            assert!(matches!(saved, Err(SaveError::InJournal { why: StoreError::Unavailable { .. } })), "{saved:?}");
            assert!(took < AT_ONCE, "{took:?}");
            let standing = lease.recover().await.unwrap();
            assert_eq!((standing.record, standing.saved), (Some(record(2)), false));
            keyring.start_daemon();
            let standing = lease.recover().await.unwrap();
            assert_eq!((standing.record, standing.saved), (Some(record(2)), true));
        });
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-2"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_stopped_daemon_is_waited_for_no_longer_than_allowed_and_holds_up_nothing_else() {
    inside_a_session("a_stopped_daemon_is_waited_for_no_longer_than_allowed_and_holds_up_nothing_else", |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(700);
        let vault = with_timeout(dir.path(), limit);
        let runtime = runtime();
        runtime.block_on(async {
            let mut lease = lease(&vault).await;
            lease.receive(record(1)).await.unwrap();
            keyring.stop_daemon();
            let ticking = async {
                for _ in 0..50 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let (((refused, took), ((), ticked)), _) =
                timed(async { tokio::join!(timed(lease.preflight()), timed(ticking)) }).await;
            assert!(matches!(refused, Err(StoreError::TimedOut { .. })), "{refused:?}");
            assert!(took >= limit && took < limit + AT_ONCE, "{took:?}");
            assert!(ticked < limit + AT_ONCE, "the thread went on meanwhile: {ticked:?}");
            assert!(matches!(lease.receive(record(2)).await, Err(SaveError::InJournal { .. })));
            // Continued, the calls left behind finish; none of them may harm what comes now.
            keyring.continue_daemon();
            assert!(lease.recover().await.unwrap().saved);
            lease.receive(record(3)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(lease.recover().await.unwrap().record, Some(record(3)));
            keyring.stop_daemon();
            assert!(matches!(vault.probe().await, Err(StoreError::TimedOut { .. })));
        });
        let begun = Instant::now();
        drop(runtime);
        assert!(begun.elapsed() < Duration::from_millis(200), "the program ends at once: {:?}", begun.elapsed());
        keyring.continue_daemon();
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn an_item_that_is_empty_is_missing_and_one_that_is_there_twice_is_damage() {
    inside_a_session("an_item_that_is_empty_is_missing_and_one_that_is_there_twice_is_damage", |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        let item = ["service", "manutop", "username", "factory/token"];
        keyring.secret_tool_with(&[&["store", "--label=empty"][..], &item].concat(), "");
        assert!(keyring.secret_tool(&[&["search"][..], &item].concat()).contains("label = empty"));
        runtime().block_on(async {
            assert!(vault.read(&name()).await.unwrap().record.is_none());
            lease(&vault).await.receive(record(1)).await.unwrap();
            assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(1)));
            keyring.secret_tool_with(&[&["store", "--label=twice", "other", "x"][..], &item].concat(), "old");
            let error = vault.read(&name()).await.unwrap_err();
            assert!(matches!(&error, StoreError::Corrupt { why, .. } if why.contains('2')), "{error}");
        });
    });
}

#[test]
fn without_a_session_bus_the_store_says_so_at_once() {
    const NO_BUS: &str = "MANUTOP_TEST_NO_BUS";
    if std::env::var_os(NO_BUS).is_some() {
        let dir = tempfile::tempdir().unwrap();
        let (error, took) = runtime().block_on(timed(async { process(dir.path()).probe().await.unwrap_err() }));
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(took < AT_ONCE, "{took:?}");
        assert!(error.advice().contains("gnome-keyring"));
        return;
    }
    run_again(
        Command::new(std::env::current_exe().unwrap())
            .env(NO_BUS, "1")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus"),
        "without_a_session_bus_the_store_says_so_at_once",
    );
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_private_keyring_is_seen_by_the_programs_started_for_it_and_by_no_other() {
    let (one, other) = (Keyring::start(), Keyring::start());
    one.secret_tool_with(&["store", "--label=x", "service", "manutop", "username", "factory/token"], "of one");
    assert_eq!(one.lookup("factory/token").as_deref(), Some("of one"));
    assert_eq!(other.lookup("factory/token"), None);
    assert!(one.home().starts_with(std::env::temp_dir()) && one.home() != other.home());
}
