//! Moving between stores: killed at any call of either store, no token is lost, and doing it once
//! more finishes it.

use std::sync::Arc;

use crate::domain::{ConnectionName, Secret, SystemClock};
use crate::secrets::error::StoreError;
use crate::secrets::memory::{Call, InjectedFault, MemoryStore};
use crate::secrets::worker::Secrets;
use crate::tokens::journal::Journal;
use crate::tokens::migrate::{Copied, Migration, Moved};
use crate::tokens::record::tests::record;
use crate::tokens::rename::Renaming;
use crate::tokens::tests::{Bench, name};
use crate::tokens::vault::Vault;

/// A bench with a second store to move to, and which of the two the configuration names.
struct Moving {
    bench: Bench,
    to: MemoryStore,
    has_switched: bool,
}

fn other() -> ConnectionName {
    ConnectionName::new("sandbox").unwrap()
}

fn client_secret() -> Secret {
    Secret::new("client secret")
}

impl Moving {
    /// Two connections. Generation 2 of the first waits in the journal to be saved.
    async fn new() -> Self {
        let bench = Bench::with_tokens().await;
        let vault = bench.process();
        vault.set_client_secret(&name(), &client_secret()).await.unwrap();
        vault.lock(&other(), |_| {}).await.unwrap().receive(record(7)).await.unwrap();
        let mut locked = bench.lock(&vault).await;
        locked.preflight().await.unwrap();
        bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
        locked.receive(record(2)).await.unwrap_err();
        assert!(matches!(bench.journal(), Some(Journal::Received { generation: 2, .. })));
        Self { bench, to: MemoryStore::new(), has_switched: false }
    }

    fn destination(&self) -> Vault {
        Vault::open(Secrets::new(self.to.factory()), self.bench.dir.path(), Arc::new(SystemClock)).unwrap()
    }

    async fn copy(&self) -> Result<Copied, StoreError> {
        let (from, to) = (self.bench.process(), self.destination());
        Migration::begin(from, to, self.has_switched, &[name()], |_, _| {}).await?.copy().await
    }

    /// What `manutop store migrate` does.
    async fn migrate(&mut self) -> Result<Moved, StoreError> {
        let copied = self.copy().await?;
        self.has_switched = true;
        copied.remove_source().await
    }

    /// A process that starts now, with the present configuration, has everything.
    async fn assert_nothing_is_lost(&self, context: &str) {
        let vault = if self.has_switched { self.destination() } else { self.bench.process() };
        for (name, newest) in [(name(), 2), (other(), 7)] {
            let state = vault.read(&name).await.unwrap();
            assert_eq!((state.record, state.hazard), (Some(record(newest)), None), "{name} {context}");
        }
        assert_eq!(vault.client_secret(&name()).await.unwrap(), Some(client_secret()), "{context}");
    }
}

#[tokio::test]
async fn everything_is_moved_and_a_record_that_waits_is_saved_first() {
    let mut moving = Moving::new().await;
    let moved = moving.migrate().await.unwrap();
    assert_eq!(moved, Moved { tokens: 2, client_secrets: 1, left: vec![] });
    assert_eq!(moving.to.items(), ["factory/client-secret", "factory/token", "identity", "sandbox/token"]);
    assert!(moving.bench.memory.items().is_empty(), "{:?}", moving.bench.memory.items());
    moving.assert_nothing_is_lost("after the move").await;
    assert_eq!(moving.migrate().await.unwrap(), moved, "again changes nothing");
    moving.assert_nothing_is_lost("after a second move").await;
}

#[tokio::test]
async fn a_record_that_the_source_finds_too_large_is_saved_in_the_destination() {
    let mut moving = Moving::new().await;
    let too_large = StoreError::TooLarge { item: "factory/token".into(), limit: 10 };
    moving.bench.memory.fail_next(Call::Set, InjectedFault::Error(too_large));
    moving.migrate().await.unwrap();
    moving.assert_nothing_is_lost("after the move").await;
    assert!(moving.bench.memory.items().is_empty());
}

#[tokio::test]
async fn damage_to_one_connection_moves_along_and_keeps_no_other_from_moving() {
    let journal = |moving: &Moving| moving.bench.dir.path().join("journals/sandbox.json");
    let damages: [fn(&Moving, &std::path::Path); 4] = [
        |_, journal| std::fs::write(journal, "").unwrap(),
        |_, journal| std::fs::write(journal, "{\"version\":1,\"state\":\"received\",\"gener").unwrap(),
        |_, journal| std::fs::write(journal, "{\"version\":2}").unwrap(),
        |moving, _| moving.bench.memory.put("sandbox/token", &Secret::new("damage")),
    ];
    for damage in damages {
        let mut moving = Moving::new().await;
        let (path, token) = (journal(&moving), moving.bench.memory.item("sandbox/token"));
        damage(&moving, &path);
        let token = moving.bench.memory.item("sandbox/token").or(token);
        let text = std::fs::read(&path).unwrap();
        moving.migrate().await.unwrap();
        assert_eq!(moving.to.item("sandbox/token"), token, "as it was");
        assert_eq!(std::fs::read(&path).unwrap(), text);
        let state = moving.destination().read(&name()).await.unwrap();
        assert_eq!(state.record, Some(record(2)));
        assert!(moving.bench.memory.items().is_empty());
    }
}

#[tokio::test]
async fn killed_at_any_call_of_either_store_nothing_is_lost_and_doing_it_again_finishes() {
    let mut deaths = 0;
    for is_source in [true, false] {
        for call in [Call::Probe, Call::Get, Call::Set, Call::Delete] {
            for survived in 0.. {
                let mut moving = Moving::new().await;
                let store = if is_source { moving.bench.memory.clone() } else { moving.to.clone() };
                for _ in 0..survived {
                    store.fail_next(call, InjectedFault::None);
                }
                // Not `Unavailable`, which is retried on a new session.
                store.fail_next(call, InjectedFault::Error(StoreError::Locked));
                let context =
                    format!("{call:?} {survived} of the {}", if is_source { "source" } else { "destination" });
                if moving.migrate().await.is_ok() {
                    break;
                }
                deaths += 1;
                moving.assert_nothing_is_lost(&context).await;
                moving.migrate().await.unwrap_or_else(|error| panic!("{context}: {error}"));
                moving.assert_nothing_is_lost(&context).await;
                assert!(moving.bench.memory.items().is_empty(), "{context}: {:?}", moving.bench.memory.items());
            }
        }
    }
    assert!(deaths > 30, "only {deaths} places to die in");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_changed_leaves_the_source_in_use() {
    let mut moving = Moving::new().await;
    drop(moving.copy().await.unwrap());
    moving.assert_nothing_is_lost("copied only").await;
    // Refreshed meanwhile in the store that is still in use.
    let vault = moving.bench.process();
    vault.lock(&other(), |_| {}).await.unwrap().receive(record(8)).await.unwrap();
    moving.migrate().await.unwrap();
    let state = moving.destination().read(&other()).await.unwrap();
    assert_eq!((state.record, state.hazard), (Some(record(8)), None));
}

#[tokio::test]
async fn tokens_that_an_old_process_saved_in_the_source_after_the_switch_are_fetched() {
    let mut moving = Moving::new().await;
    drop(moving.copy().await.unwrap());
    moving.has_switched = true; // and killed before the source was emptied
    let old_process = moving.bench.process();
    old_process.lock(&other(), |_| {}).await.unwrap().receive(record(8)).await.unwrap();
    let state = moving.destination().read(&other()).await.unwrap();
    assert!(state.record.is_none(), "generation 7 is known to be old and never handed out");
    moving.migrate().await.unwrap();
    let state = moving.destination().read(&other()).await.unwrap();
    assert_eq!((state.record, state.hazard), (Some(record(8)), None));
}

#[tokio::test]
async fn another_client_secret_in_the_source_is_neither_copied_nor_removed_when_finishing() {
    let mut moving = Moving::new().await;
    drop(moving.copy().await.unwrap());
    moving.has_switched = true;
    moving.bench.process().set_client_secret(&name(), &Secret::new("another")).await.unwrap();
    let moved = moving.migrate().await.unwrap();
    assert_eq!(moved.left, ["factory/client-secret"]);
    assert_eq!(moving.bench.memory.items(), ["factory/client-secret"]);
    moving.assert_nothing_is_lost("the one in use stays").await;
}

#[tokio::test]
async fn an_older_copy_in_the_destination_is_replaced_and_a_damaged_one_too() {
    for old in ["{\"half a", crate::tokens::record::to_line(&record(1)).expose()] {
        let mut moving = Moving::new().await;
        moving.to.put("factory/token", &Secret::new(old));
        moving.migrate().await.unwrap();
        moving.assert_nothing_is_lost(old).await;
    }
}

#[tokio::test]
async fn a_newer_format_on_either_side_stops_the_move_and_stays_untouched() {
    let newer = Secret::new("{\"version\":2}");
    let mut moving = Moving::new().await;
    moving.to.put("sandbox/token", &newer);
    assert!(matches!(moving.migrate().await, Err(StoreError::NewerFormat { version: 2, .. })));
    assert_eq!(moving.to.item("sandbox/token"), Some(newer));
    assert!(!moving.has_switched);
    moving.assert_nothing_is_lost("nothing was moved").await;
}

#[tokio::test]
async fn a_move_waits_for_the_holder_of_a_connection_s_lock() {
    let moving = Moving::new().await;
    let holder = moving.bench.lock(&moving.bench.process()).await;
    let mut holders = Vec::new();
    let begin = Migration::begin(moving.bench.process(), moving.destination(), false, &[], |name, pid| {
        holders.push((name.clone(), pid));
    });
    let waited = tokio::time::timeout(std::time::Duration::from_millis(300), begin).await;
    assert!(waited.is_err(), "the lock is held");
    assert_eq!(holders, [(name(), Some(std::process::id()))]);
    drop(holder);
    moving.copy().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_renamed_while_the_move_waits_for_it_is_moved_under_its_new_name() {
    let moving = Moving::new().await;
    let plant = ConnectionName::new("plant").unwrap();
    let renaming = Renaming::begin(moving.bench.process(), &name(), &plant, |_, _| {}).await.unwrap();
    let (waiting, waits) = tokio::sync::oneshot::channel();
    let mut waiting = Some(waiting);
    let begin = async {
        let on_wait = |_: &ConnectionName, _| waiting.take().into_iter().for_each(|waiting| waiting.send(()).unwrap());
        Migration::begin(moving.bench.process(), moving.destination(), false, &[name()], on_wait).await
    };
    let rename = async {
        waits.await.unwrap();
        renaming.carry().await.unwrap().empty_old().await.unwrap();
    };
    let (held, ()) = tokio::join!(begin, rename);
    held.unwrap().copy().await.unwrap().remove_source().await.unwrap();
    let state = moving.destination().read(&plant).await.unwrap();
    assert_eq!((state.record, state.hazard), (Some(record(2)), None));
    assert!(moving.bench.memory.items().is_empty(), "{:?}", moving.bench.memory.items());
}
