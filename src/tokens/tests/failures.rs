//! Stores that fail, lie or hang, disks that refuse, and records that are not what they should be.

use std::time::{Duration, Instant};

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::secrets::memory::{Call, InjectedFault, MemoryStore};
use crate::secrets::worker::Secrets;
use crate::tokens::journal::Journal;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::record::tests::record;
use crate::tokens::save_error::SaveError;
use crate::tokens::tests::{Bench, generation, name};

/// A bench on which generation 1 is about to be sent.
async fn spending() -> (Bench, LockedConnection) {
    let bench = Bench::with_tokens().await;
    let mut locked = bench.lock(&bench.process()).await;
    locked.preflight().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    (bench, locked)
}

#[tokio::test]
async fn a_record_that_the_store_did_not_take_is_saved_when_the_store_is_back() {
    let (bench, mut locked) = spending().await;
    bench.memory.fail_always(Some(StoreError::Locked));
    let error = locked.receive(record(2)).await.unwrap_err();
    assert!(matches!(error, SaveError::InJournal { why: StoreError::Locked }), "{error}");
    // Still locked: the record is known all the same, because the identity is in memory.
    let state = locked.recover().await.unwrap();
    assert_eq!((generation(&state), state.saved), (Some(2), false));
    assert!(matches!(state.unsaved_because, Some(StoreError::Locked)));
    bench.memory.fail_always(None);
    let state = locked.recover().await.unwrap();
    assert_eq!((generation(&state), state.saved), (Some(2), true));
    assert_eq!(bench.process().read(&name()).await.unwrap().record, Some(record(2)));
}

#[tokio::test]
async fn a_record_that_waits_to_be_saved_cannot_be_written_over_by_spending_the_old_one() {
    let bench = Bench::with_tokens().await;
    let mut locked = bench.lock(&bench.process()).await;
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    locked.receive(record(2)).await.unwrap_err();
    let before = bench.journal();
    for (spent, is_refused) in [(record(1), true), (record(2), false)] {
        let outcome = locked.spending(&spent).await;
        assert_eq!(matches!(outcome, Err(StoreError::Unsaved { generation: 2 })), is_refused, "{outcome:?}");
        if is_refused {
            assert_eq!(bench.journal(), before);
        }
    }
}

#[tokio::test]
async fn a_store_that_reports_success_but_keeps_the_old_record_is_detected() {
    let bench = Bench::with_tokens().await;
    let mut locked = bench.lock(&bench.process()).await;
    bench.memory.fail_next(Call::Set, InjectedFault::Ignored);
    let error = locked.receive(record(2)).await.unwrap_err();
    assert!(matches!(error, SaveError::InJournal { why: StoreError::NotReadBack { .. } }), "{error}");
    assert!(locked.recover().await.unwrap().saved);
}

#[tokio::test]
async fn journal_and_store_failing_at_once_hands_the_record_back_until_one_takes_it() {
    let (bench, mut locked) = spending().await;
    bench.memory.fail_always(Some(StoreError::Locked));
    let journals = bench.dir.path().join("journals");
    std::fs::rename(&journals, bench.dir.path().join("away")).unwrap();
    let mut back = record(2);
    for _ in 0..2 {
        let error = locked.receive(back).await.unwrap_err();
        let SaveError::Nowhere { why: StoreError::Both { .. }, record: kept } = error else { panic!("{error}") };
        assert_eq!(*kept, record(2));
        back = *kept;
    }
    std::fs::rename(bench.dir.path().join("away"), &journals).unwrap();
    assert!(matches!(locked.receive(back).await, Err(SaveError::InJournal { .. })));
    bench.memory.fail_always(None);
    drop(locked);
    assert_eq!(bench.after_a_restart().await.record, Some(record(2)));
}

#[tokio::test]
async fn a_full_or_lost_journal_directory_does_not_keep_a_record_from_the_store() {
    let (bench, mut locked) = spending().await;
    let journals = bench.dir.path().join("journals");
    std::fs::rename(&journals, bench.dir.path().join("away")).unwrap();
    locked.receive(record(2)).await.unwrap();
    assert!(matches!(locked.preflight().await, Err(StoreError::Io { .. })), "nothing more is sent");
    std::fs::rename(bench.dir.path().join("away"), &journals).unwrap();
    drop(locked);
    let state = bench.after_a_restart().await;
    assert_eq!((generation(&state), state.hazard), (Some(2), None));
}

#[tokio::test]
async fn a_record_numbered_too_low_is_raised_rather_than_taken_for_an_old_one() {
    let bench = Bench::with_tokens().await;
    let mut locked = bench.lock(&bench.process()).await;
    locked.receive(record(9)).await.unwrap();
    locked.receive(record(1)).await.unwrap();
    let state = locked.recover().await.unwrap();
    assert_eq!(generation(&state), Some(10));
    assert_eq!(state.record.unwrap().access_token, Secret::new("access-1"));
}

#[tokio::test]
async fn an_identity_lost_while_a_record_is_sealed_to_it_is_reported_and_nothing_changes() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    bench.lock(&vault).await.receive(record(2)).await.unwrap_err();
    let journal = bench.journal();
    let identity = bench.memory.item("identity").unwrap();
    bench.memory.remove("identity");
    let restarted = bench.process();
    let error = bench.lock(&restarted).await.recover().await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { why, .. } if why.contains("identity")), "{error}");
    assert_eq!(bench.journal(), journal);
    bench.memory.put("identity", &identity);
    assert_eq!(generation(&bench.after_a_restart().await), Some(2));
}

#[tokio::test]
async fn an_identity_that_vanishes_while_running_is_put_back_before_the_next_request() {
    let bench = Bench::with_tokens().await;
    let locked = bench.lock(&bench.process()).await;
    locked.preflight().await.unwrap();
    let identity = bench.memory.item("identity").unwrap();
    bench.memory.remove("identity");
    locked.preflight().await.unwrap();
    assert_eq!(bench.memory.item("identity"), Some(identity));
}

#[tokio::test]
async fn records_and_journals_of_a_newer_version_are_left_alone() {
    let bench = Bench::with_tokens().await;
    let newer = Secret::new(r#"{"version":2}"#);
    let older = bench.memory.item("factory/token").unwrap();
    bench.memory.put("factory/token", &newer);
    let vault = bench.process();
    let error = bench.lock(&vault).await.recover().await.unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { version: 2, .. }), "{error}");
    assert_eq!(bench.memory.item("factory/token"), Some(newer));
    bench.memory.put("factory/token", &older);
    std::fs::write(bench.journal_path(), r#"{"version":3}"#).unwrap();
    let mut locked = bench.lock(&vault).await;
    assert!(matches!(locked.recover().await, Err(StoreError::NewerFormat { version: 3, .. })));
    assert!(matches!(locked.spending(&record(1)).await, Err(StoreError::NewerFormat { version: 3, .. })));
    assert!(matches!(locked.forget().await, Err(StoreError::NewerFormat { version: 3, .. })));
    assert_eq!(std::fs::read_to_string(bench.journal_path()).unwrap(), r#"{"version":3}"#);
}

#[tokio::test]
async fn a_hanging_store_is_bounded_and_the_runtime_stays_alive() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    vault.probe().await.unwrap();
    bench.memory.hang();
    let begun = Instant::now();
    let (probe, ticks) = tokio::join!(vault.probe(), async {
        let mut ticks = 0;
        while begun.elapsed() < Duration::from_millis(150) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ticks += 1;
        }
        ticks
    });
    assert!(matches!(probe, Err(StoreError::TimedOut { .. })), "{probe:?}");
    assert!(ticks > 20, "the same thread went on: {ticks}");
    assert!(matches!(vault.read(&name()).await, Err(StoreError::TimedOut { .. })));
    bench.memory.release();
    assert_eq!(generation(&vault.read(&name()).await.unwrap()), Some(1));
}

#[tokio::test]
async fn a_hanging_thread_is_abandoned_and_another_serves_the_next_call() {
    let (release, hung) = std::sync::mpsc::channel::<()>();
    let (hung, calm) = (std::sync::Mutex::new(Some(hung)), MemoryStore::new());
    let factory: crate::secrets::secret_store::StoreFactory = std::sync::Arc::new(move || {
        let first = hung.lock().unwrap().take();
        if let Some(hung) = first {
            let _ = hung.recv(); // until the test ends
        }
        calm.factory()()
    });
    let secrets = Secrets::with_timeout(factory, Duration::from_millis(300));
    assert!(matches!(secrets.probe().await, Err(StoreError::TimedOut { .. })));
    secrets.probe().await.unwrap();
    drop(release);
}

#[tokio::test]
async fn threads_abandoned_in_a_dead_store_are_bounded_and_end_when_it_wakes() {
    let bench = Bench::new();
    let secrets = Secrets::with_timeout(bench.memory.factory(), Duration::from_millis(10));
    bench.memory.hang();
    for _ in 0..20 {
        assert!(matches!(secrets.probe().await, Err(StoreError::TimedOut { .. })));
    }
    assert!(bench.memory.calls().len() <= 8, "{:?}", bench.memory.calls().len());
    bench.memory.release();
    for _ in 0..100 {
        if secrets.probe().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store is awake and still not asked");
}

#[tokio::test]
async fn a_write_given_up_before_it_began_never_happens() {
    let bench = Bench::new();
    let secrets = Secrets::with_timeout(bench.memory.factory(), Duration::from_secs(10));
    bench.memory.hang();
    let late = Secret::new("late");
    let given_up = tokio::time::timeout(Duration::from_millis(50), async {
        tokio::join!(secrets.probe(), secrets.set("item", &late))
    });
    assert!(given_up.await.is_err());
    bench.memory.release();
    secrets.probe().await.unwrap();
    assert_eq!(bench.memory.item("item"), None);
}

#[tokio::test]
async fn a_store_whose_session_broke_is_reconnected_within_the_same_call() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    vault.probe().await.unwrap();
    bench.memory.restart();
    assert_eq!(generation(&vault.read(&name()).await.unwrap()), Some(1));
}

#[tokio::test]
async fn a_store_that_panics_costs_one_call() {
    struct Panicking;
    impl crate::secrets::secret_store::SecretStore for Panicking {
        fn probe(&mut self) -> Result<(), StoreError> {
            panic!("a bug in a store")
        }
        fn get(&mut self, _: &str) -> Result<Option<Secret>, StoreError> {
            Ok(Some(Secret::new("kept")))
        }
        fn set(&mut self, _: &str, _: &Secret) -> Result<(), StoreError> {
            Ok(())
        }
        fn delete(&mut self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
    }
    let secrets = Secrets::new(std::sync::Arc::new(|| Ok(Box::new(Panicking))));
    assert!(matches!(secrets.probe().await, Err(StoreError::Unavailable { .. })));
    assert_eq!(secrets.get("item").await.unwrap(), Some(Secret::new("kept")));
}

#[tokio::test]
async fn preflight_refuses_anything_that_would_keep_an_answer_from_being_saved() {
    let bench = Bench::with_tokens().await;
    let locked = bench.lock(&bench.process()).await;
    bench.memory.fail_next(Call::Probe, InjectedFault::Error(StoreError::Locked));
    assert!(matches!(locked.preflight().await, Err(StoreError::Locked)));
    assert!(matches!(bench.journal(), Some(Journal::Settled { .. })));
}

#[tokio::test]
async fn a_damaged_identity_opens_nothing_and_is_replaced_before_the_next_request() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    bench.memory.put("identity", &Secret::new("not an identity"));
    let mut locked = bench.lock(&vault).await;
    locked.preflight().await.unwrap();
    assert!(bench.memory.item("identity").unwrap().expose().starts_with("AGE-SECRET-KEY-1"));
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    locked.receive(record(2)).await.unwrap_err();
    drop(locked);
    assert_eq!(generation(&bench.after_a_restart().await), Some(2));
}
