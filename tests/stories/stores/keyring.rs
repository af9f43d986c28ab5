//! The store floor on a real gnome-keyring: saved and visible to others, locked, killed,
//! restarted, stopped, missing.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manutop::domain::{Secret, SystemClock};
use manutop::secrets::error::StoreError;
use manutop::secrets::keyring;
use manutop::secrets::namespace::Namespace;
use manutop::secrets::worker::Secrets;
use manutop::tokens::locked_connection::LockedConnection;
use manutop::tokens::record::to_line;
use manutop::tokens::save_error::SaveError;
use manutop::tokens::vault::Vault;
use tokio::runtime::Runtime;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::support::again::this_test;
use crate::support::keyring::{Keyring, inside_a_session, run_again};
use crate::support::records::{name, record};

/// Far below the timeout of ten seconds: what must be reported at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A vault as a newly started process has it, on the default data directory.
fn process(dir: &Path) -> Vault {
    with_timeout(dir, Duration::from_secs(10))
}

fn with_timeout(dir: &Path, timeout: Duration) -> Vault {
    let namespace = Namespace::for_data_dir(dir, Some(dir));
    Vault::open(Secrets::with_timeout(keyring::factory(namespace), timeout), dir, Arc::new(SystemClock)).unwrap()
}

async fn locked(vault: &Vault) -> LockedConnection {
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
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let vault = process(dir.path());
            let mut locked = locked(&vault).await;
            assert!(locked.recover().await.unwrap().record.is_none());
            locked.preflight().await.unwrap();
            for generation in 1..=3 {
                locked.receive(record(generation)).await.unwrap();
                locked.spending(&record(generation)).await.unwrap();
                locked.unspent().await.unwrap();
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
            locked(&vault).await.forget().await.unwrap();
            assert!(vault.remove_client_secret(&name()).await.unwrap());
        });
        assert_eq!(keyring.lookup("factory/token"), None);
        assert_eq!(keyring.lookup("factory/client-secret"), None);
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn two_data_directories_on_one_keyring_keep_their_tokens_apart() {
    inside_a_session(this_test!(), |keyring| {
        let (default, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let namespace = Namespace::for_data_dir(other.path(), Some(default.path()));
        let user = namespace.user("factory/token");
        let secrets = Secrets::new(keyring::factory(namespace));
        let other = Vault::open(secrets, other.path(), Arc::new(SystemClock)).unwrap();
        let default = process(default.path());
        runtime().block_on(async {
            locked(&default).await.receive(record(7)).await.unwrap();
            locked(&other).await.receive(record(1)).await.unwrap();
            assert_eq!(default.read(&name()).await.unwrap().record, Some(record(7)));
            assert_eq!(other.read(&name()).await.unwrap().record, Some(record(1)));
        });
        assert!(keyring.lookup(&user).unwrap().contains("refresh-1"));
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-7"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_locked_keyring_is_reported_at_once_and_nothing_is_sent() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        runtime().block_on(async {
            let mut locked = locked(&vault).await;
            locked.preflight().await.unwrap();
            locked.receive(record(1)).await.unwrap();
            keyring.lock();
            let (refused, took) = timed(locked.preflight()).await;
            assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
            assert!(took < AT_ONCE, "{took:?}");
            assert!(matches!(vault.read(&name()).await, Err(StoreError::Locked)));
            assert!(matches!(vault.client_secret(&name()).await, Err(StoreError::Locked)));
            let (saved, took) = timed(locked.receive(record(2))).await;
            assert!(matches!(saved, Err(SaveError::InJournal { why: StoreError::Locked })), "{saved:?}");
            assert!(took < AT_ONCE, "{took:?}");
            keyring.kill_daemon();
            keyring.start_daemon();
            assert!(locked.recover().await.unwrap().saved);
        });
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-2"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_daemon_killed_during_a_refresh_costs_nothing_and_its_successor_gets_the_record() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        runtime().block_on(async {
            let mut locked = locked(&vault).await;
            locked.receive(record(1)).await.unwrap();
            locked.preflight().await.unwrap();
            locked.spending(&record(1)).await.unwrap();
            keyring.kill_daemon();
            let (saved, took) = timed(locked.receive(record(2))).await;
            assert!(matches!(saved, Err(SaveError::InJournal { why: StoreError::Unavailable { .. } })), "{saved:?}");
            assert!(took < AT_ONCE, "{took:?}");
            let standing = locked.recover().await.unwrap();
            assert_eq!((standing.record, standing.saved), (Some(record(2)), false));
            keyring.start_daemon();
            let standing = locked.recover().await.unwrap();
            assert_eq!((standing.record, standing.saved), (Some(record(2)), true));
        });
        assert!(keyring.lookup("factory/token").unwrap().contains("refresh-2"));
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_stopped_daemon_is_waited_for_no_longer_than_allowed_and_holds_up_nothing_else() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(700);
        let vault = with_timeout(dir.path(), limit);
        let runtime = runtime();
        runtime.block_on(async {
            let mut locked = locked(&vault).await;
            locked.receive(record(1)).await.unwrap();
            keyring.stop_daemon();
            let ticking = async {
                for _ in 0..50 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let (((refused, took), ((), ticked)), _) =
                timed(async { tokio::join!(timed(locked.preflight()), timed(ticking)) }).await;
            assert!(matches!(refused, Err(StoreError::TimedOut { .. })), "{refused:?}");
            assert!(took >= limit && took < limit + AT_ONCE, "{took:?}");
            assert!(ticked < limit + AT_ONCE, "the thread went on meanwhile: {ticked:?}");
            assert!(matches!(locked.receive(record(2)).await, Err(SaveError::InJournal { .. })));
            // Continued, the calls left behind finish; none of them may harm what comes now.
            keyring.continue_daemon();
            assert!(locked.recover().await.unwrap().saved);
            locked.receive(record(3)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(locked.recover().await.unwrap().record, Some(record(3)));
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
fn an_item_that_is_empty_is_missing() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        let item = ["service", "manutop", "username", "factory/token"];
        keyring.secret_tool_with(&[&["store", "--label=empty"][..], &item].concat(), "");
        assert!(keyring.secret_tool(&[&["search"][..], &item].concat()).contains("label = empty"));
        runtime().block_on(async {
            assert!(vault.read(&name()).await.unwrap().record.is_none());
            locked(&vault).await.receive(record(1)).await.unwrap();
            assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(1)));
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
        this_test!(),
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

/// Another collection beside the default one, made and unlocked by the keyring's own interface for
/// that, which needs no window.
struct Other {
    bus: zbus::blocking::Connection,
    path: OwnedObjectPath,
}

type Master = (OwnedObjectPath, Vec<u8>, Vec<u8>, &'static str);

impl Other {
    const SERVICE: &str = "org.freedesktop.secrets";
    const PATH: &str = "/org/freedesktop/secrets";
    const INTERNAL: &str = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";

    fn make(label: &str) -> Self {
        let bus = zbus::blocking::Connection::session().unwrap();
        let properties = HashMap::from([("org.freedesktop.Secret.Collection.Label", Value::from(label))]);
        let arguments = (properties, Self::master(&bus));
        let made = bus
            .call_method(Some(Self::SERVICE), Self::PATH, Some(Self::INTERNAL), "CreateWithMasterPassword", &arguments)
            .unwrap();
        let path = made.body().deserialize().unwrap();
        Self { bus, path }
    }

    /// Its password, in a session of its own.
    fn master(bus: &zbus::blocking::Connection) -> Master {
        let interface = Some("org.freedesktop.Secret.Service");
        let opened =
            bus.call_method(Some(Self::SERVICE), Self::PATH, interface, "OpenSession", &("plain", Value::from("")));
        let (_, session): (OwnedValue, OwnedObjectPath) = opened.unwrap().body().deserialize().unwrap();
        (session, Vec::new(), b"another password".to_vec(), "text/plain")
    }

    fn lock(&self) {
        let interface = Some("org.freedesktop.Secret.Service");
        self.bus.call_method(Some(Self::SERVICE), Self::PATH, interface, "Lock", &(vec![&self.path],)).unwrap();
    }

    fn unlock(&self) {
        let arguments = (&self.path, Self::master(&self.bus));
        let interface = Some(Self::INTERNAL);
        self.bus
            .call_method(Some(Self::SERVICE), Self::PATH, interface, "UnlockWithMasterPassword", &arguments)
            .unwrap();
    }

    /// Puts an item there.
    fn put(&self, keyring: &Keyring, user: &str, text: &str) {
        let collection = format!("--collection={}", self.path.as_str());
        let item = ["service", "manutop", "username", user];
        keyring.secret_tool_with(&[&["store", "--label=another", &collection][..], &item].concat(), text);
    }
}

fn line(generation: u64) -> String {
    to_line(&record(generation)).expose().to_owned()
}

/// How many items of that name can be seen.
fn count(keyring: &Keyring, user: &str) -> usize {
    let found = keyring.secret_tool(&["search", "--all", "service", "manutop", "username", user]);
    found.matches("label = ").count()
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn of_several_items_in_one_collection_the_journal_s_is_used_and_the_others_go() {
    inside_a_session(this_test!(), |keyring| {
        for older in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let vault = process(dir.path());
            runtime().block_on(async {
                let mut locked = locked(&vault).await;
                locked.receive(record(5)).await.unwrap();
                let second = line(if older { 4 } else { 500 });
                let item = ["service", "manutop", "username", "factory/token"];
                keyring.secret_tool_with(&[&["store", "--label=twice", "other", "x"][..], &item].concat(), &second);
                assert_eq!(count(keyring, "factory/token"), 2);
                let standing = process(dir.path()).read(&name()).await.unwrap();
                assert_eq!((standing.record, standing.hazard), (Some(record(5)), None));
                locked.receive(record(6)).await.unwrap();
                assert_eq!(count(keyring, "factory/token"), 1, "superseded ones go");
                assert_eq!(process(dir.path()).read(&name()).await.unwrap().record, Some(record(6)));
                keyring.secret_tool_with(&[&["store", "--label=twice", "other", "x"][..], &item].concat(), &second);
                locked.erase().await.unwrap();
                assert_eq!(count(keyring, "factory/token"), 0, "a logout takes all");
            });
        }
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_second_item_in_another_collection_is_recognised_and_cleaned_up() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        let other = Other::make("Old");
        runtime().block_on(async {
            let mut locked = locked(&vault).await;
            locked.receive(record(5)).await.unwrap();
            vault.set_client_secret(&name(), &Secret::new("of the default")).await.unwrap();
            other.put(keyring, "factory/token", &line(4));
            other.put(keyring, "factory/client-secret", "of the other");
            assert_eq!((count(keyring, "factory/token"), count(keyring, "factory/client-secret")), (2, 2));
            let vault = process(dir.path());
            assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(5)));
            assert_eq!(vault.client_secret(&name()).await.unwrap(), Some(Secret::new("of the default")));
            let elsewhere = vault.elsewhere(&name()).await.unwrap();
            let reported: Vec<_> = elsewhere.iter().map(|one| (&*one.item, &*one.place, one.is_locked)).collect();
            assert_eq!(reported, [("factory/token", "Old", false), ("factory/client-secret", "Old", false)]);
            vault.set_client_secret(&name(), &Secret::new("set again")).await.unwrap();
            assert_eq!(count(keyring, "factory/client-secret"), 1);
            assert!(vault.remove_client_secret(&name()).await.unwrap());
            locked.forget().await.unwrap();
            assert_eq!((count(keyring, "factory/token"), count(keyring, "factory/client-secret")), (0, 0));
        });
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn the_newest_record_is_found_in_another_collection_and_saved_into_the_default_one_next() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let vault = process(dir.path());
        let other = Other::make("Newer");
        runtime().block_on(async {
            let mut locked = locked(&vault).await;
            locked.receive(record(5)).await.unwrap();
            // Another program puts an old record into the default collection; the one that was saved is elsewhere.
            other.put(keyring, "factory/token", &line(5));
            let item = ["service", "manutop", "username", "factory/token"];
            let label = ["store", "--label=manutop: factory (token)"];
            keyring.secret_tool_with(&[&label[..], &item].concat(), &line(2));
            let standing = process(dir.path()).read(&name()).await.unwrap();
            assert_eq!((standing.record, standing.hazard), (Some(record(5)), None));
            locked.receive(record(6)).await.unwrap();
            assert_eq!(count(keyring, "factory/token"), 1);
            assert_eq!(process(dir.path()).read(&name()).await.unwrap().record, Some(record(6)));
            assert_eq!(process(dir.path()).elsewhere(&name()).await.unwrap(), []);
        });
    });
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn an_old_locked_collection_blocks_nothing_and_is_named() {
    inside_a_session(this_test!(), |keyring| {
        let dir = tempfile::tempdir().unwrap();
        let other = Other::make("Old login");
        other.put(keyring, "factory/token", &line(3));
        other.lock();
        let vault = process(dir.path());
        runtime().block_on(async {
            let (error, took) = timed(vault.read(&name())).await;
            let error = error.unwrap_err();
            assert!(matches!(&error, StoreError::LockedElsewhere { keyring, .. } if keyring == "Old login"), "{error}");
            assert!(error.is_about_one_item() && error.with_advice().contains("unlock that keyring"), "{error}");
            assert!(took < AT_ONCE, "no prompt is waited for: {took:?}");
            // The first remedy: it is unlocked.
            other.unlock();
            assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(3)));
            other.lock();
            // The second: a login, whose tokens go to the default collection.
            let mut locked = locked(&vault).await;
            let standing = locked.recover_or_replace().await.unwrap();
            assert!(standing.record.is_none());
            locked.preflight().await.unwrap();
            locked.receive(record(7)).await.unwrap();
            let (standing, took) = timed(process(dir.path()).read(&name())).await;
            assert_eq!(standing.unwrap().record, Some(record(7)));
            assert!(took < AT_ONCE, "{took:?}");
            let elsewhere = vault.elsewhere(&name()).await.unwrap();
            assert!(elsewhere.len() == 1 && elsewhere[0].is_locked && elsewhere[0].place == "Old login");
            other.unlock();
            assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(7)), "the old one stays old");
            other.lock();
            let (forgotten, took) = timed(locked.forget()).await;
            forgotten.unwrap();
            assert!(took < AT_ONCE, "{took:?}");
            other.unlock();
            assert_eq!(vault.read(&name()).await.unwrap().record, None, "given up stays given up");
        });
    });
}
