//! The vault's promises, with a store in memory and a real directory: what happens when a process
//! dies between any two steps, when stores fail or hang, and when two processes meet.

pub mod bindings;
pub mod crashes;
pub mod failures;
pub mod identities;
pub mod migration;
pub mod processes;
pub mod renaming;
mod renaming_locks;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Clock, ConnectionName, SystemClock};
use crate::secrets::memory::MemoryStore;
use crate::secrets::worker::Secrets;
use crate::tokens::journal::Journal;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::TokenState;
use crate::tokens::record::tests::{at, record};
use crate::tokens::vault::Vault;

/// A data directory and a store that outlive the "processes" opened on them.
struct Bench {
    dir: tempfile::TempDir,
    memory: MemoryStore,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), memory: MemoryStore::new() }
    }

    /// A bench on which generation 1 is saved and settled.
    async fn with_tokens() -> Self {
        let bench = Self::new();
        let mut locked = bench.lock(&bench.process()).await;
        locked.preflight().await.unwrap();
        locked.receive(record(1)).await.unwrap();
        bench
    }

    /// A vault as a newly started process has it: nothing in memory.
    fn process(&self) -> Vault {
        let secrets = Secrets::with_timeout(self.memory.factory(), Duration::from_secs(1));
        Vault::open(secrets, self.dir.path(), Arc::new(SystemClock)).unwrap()
    }

    async fn lock(&self, vault: &Vault) -> LockedConnection {
        tokio::time::timeout(Duration::from_secs(10), vault.lock(&name(), |_| {})).await.expect("lock is free").unwrap()
    }

    /// What a newly started process finds after its repairs.
    async fn after_a_restart(&self) -> TokenState {
        self.lock(&self.process()).await.recover().await.unwrap()
    }

    fn journal_path(&self) -> std::path::PathBuf {
        self.dir.path().join("journals/factory.json")
    }

    fn journal(&self) -> Option<Journal> {
        Journal::read(&self.journal_path()).unwrap()
    }
}

fn name() -> ConnectionName {
    ConnectionName::new("factory").unwrap()
}

/// Waits until the journal is in the wanted state, as a spy on another process would.
async fn until(path: &Path, wanted: impl Fn(&Journal) -> bool) {
    for _ in 0..500 {
        if Journal::read(path).unwrap().as_ref().is_some_and(&wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the journal never reached that state: {:?}", Journal::read(path));
}

fn generation(state: &TokenState) -> Option<u64> {
    state.record.as_ref().map(|record| record.generation)
}

#[test]
fn the_engine_may_move_its_work_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    let bench = Bench::new();
    let vault = bench.process();
    let name = name();
    sendable(&async move {
        let mut locked = vault.lock(&name, |_| {}).await.unwrap();
        let state = locked.recover().await.unwrap();
        locked.preflight().await.unwrap();
        locked.spending(&record(state.next_generation())).await.unwrap();
        locked.unspent().await.unwrap();
        locked.receive(record(1)).await.unwrap();
        locked.forget().await.unwrap();
        vault.read(&name).await.unwrap();
    });
}

#[tokio::test]
async fn opening_touches_no_store_and_makes_private_directories() {
    let bench = Bench::new();
    bench.process();
    assert!(bench.memory.calls().is_empty());
    #[cfg(unix)]
    for dir in ["journals", "locks"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(bench.dir.path().join(dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{dir:?}");
    }
}

#[tokio::test]
async fn a_client_secret_is_set_read_removed_and_untouched_by_tokens() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let secret = crate::domain::Secret::new("client secret");
    assert_eq!(vault.client_secret(&name()).await.unwrap(), None);
    vault.set_client_secret(&name(), &secret).await.unwrap();
    let mut locked = bench.lock(&vault).await;
    locked.receive(record(2)).await.unwrap();
    locked.forget().await.unwrap();
    assert_eq!(bench.process().client_secret(&name()).await.unwrap(), Some(secret));
    assert!(vault.remove_client_secret(&name()).await.unwrap());
    assert!(!vault.remove_client_secret(&name()).await.unwrap());
}

/// A stopped clock.
struct Still(chrono::DateTime<chrono::Utc>);

impl Clock for Still {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.0
    }
}

#[tokio::test]
async fn a_change_by_another_process_is_noticed_and_its_absence_too() {
    let bench = Bench::with_tokens().await;
    let clock = Arc::new(Still(at() + chrono::TimeDelta::days(100_000))); // every change is long ago
    let watching = Vault::open(Secrets::new(bench.memory.factory()), bench.dir.path(), clock).unwrap();
    let mut seen = crate::tokens::journal_stamps::JournalDirStamp::default();
    assert!(watching.changed_since(&mut seen), "nothing was seen before");
    assert!(!watching.changed_since(&mut seen));
    tokio::time::sleep(Duration::from_millis(20)).await;
    bench.lock(&bench.process()).await.receive(record(2)).await.unwrap();
    assert!(watching.changed_since(&mut seen));
    assert!(!watching.changed_since(&mut seen));
}

#[tokio::test]
async fn a_change_of_this_very_moment_is_reported_again_in_case_another_follows() {
    let bench = Bench::with_tokens().await;
    let changed = std::fs::metadata(bench.dir.path().join("journals")).unwrap().modified().unwrap();
    let clock = Arc::new(Still(chrono::DateTime::from(changed) + chrono::TimeDelta::milliseconds(50)));
    let watching = Vault::open(Secrets::new(bench.memory.factory()), bench.dir.path(), clock).unwrap();
    let mut seen = crate::tokens::journal_stamps::JournalDirStamp::default();
    assert!(watching.changed_since(&mut seen));
    assert!(watching.changed_since(&mut seen));
}

#[tokio::test]
async fn no_file_holds_a_token_in_any_state_of_the_journal() {
    let bench = Bench::with_tokens().await;
    let grep = || {
        for entry in std::fs::read_dir(bench.dir.path().join("journals")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let is_room = path.extension().is_some_and(|extension| extension == "room");
            assert!(!text.contains("access-") && !text.contains("refresh-") && !text.contains("client"), "{text}");
            assert!(is_room || (text.starts_with("{\"version\":1,") && text.is_ascii()), "{text}");
        }
    };
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    grep();
    locked.preflight().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    grep();
    bench.memory.fail_always(Some(crate::secrets::error::StoreError::Locked));
    let error = locked.receive(record(2)).await.unwrap_err();
    assert!(matches!(bench.journal(), Some(Journal::Received { generation: 2, .. })));
    grep();
    assert!(!format!("{error} {error:?} {:?}", bench.journal()).contains("refresh-2"));
}

#[tokio::test]
async fn of_many_journals_only_those_that_changed_are_read() {
    let bench = Bench::new();
    let (here, elsewhere) = (bench.process(), bench.process());
    let mut known = Vec::new();
    for number in 0..20 {
        let name = ConnectionName::new(&format!("connection-{number}")).unwrap();
        elsewhere.lock(&name, |_| {}).await.unwrap().receive(record(1)).await.unwrap();
        let (state, journal) = here.read_stamped(&name).await.unwrap();
        known.push(crate::tokens::journal_stamps::JournalStamp { name, journal, generation: state.mark });
    }
    known.push(crate::tokens::journal_stamps::JournalStamp { name: name(), journal: None, generation: 0 });
    assert!(here.changes(known.clone()).await.is_empty());

    elsewhere.lock(&known[7].name, |_| {}).await.unwrap().receive(record(2)).await.unwrap();
    elsewhere.lock(&known[9].name, |_| {}).await.unwrap().forget().await.unwrap();
    elsewhere.lock(&name(), |_| {}).await.unwrap().receive(record(1)).await.unwrap();
    let changes = here.changes(known).await;
    let facts: Vec<_> =
        changes.iter().map(|change| (change.known.name.as_str(), change.generation, change.forgotten)).collect();
    assert_eq!(facts, [("connection-7", 2, false), ("connection-9", 1, true), ("factory", 1, false)]);
    // What was read is not reported again.
    let known = changes
        .into_iter()
        .map(|change| crate::tokens::journal_stamps::JournalStamp { journal: change.journal, ..change.known })
        .collect();
    assert!(here.changes(known).await.is_empty());
}
