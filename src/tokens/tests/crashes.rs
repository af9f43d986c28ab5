//! A process that dies between two steps. Dying is dropping everything it had in memory; what is
//! on disk and in the store stays.

use crate::secrets::error::StoreError;
use crate::secrets::memory::{Call, InjectedFault};
use crate::tokens::journal::{Journal, Spending};
use crate::tokens::reconcile::Hazard;
use crate::tokens::record::tests::record;
use crate::tokens::tests::{Bench, generation, name, until};

#[tokio::test]
async fn a_whole_refresh_leaves_the_new_record_saved_and_nothing_to_repair() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    assert_eq!(generation(&locked.recover().await.unwrap()), Some(1));
    locked.preflight().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    locked.receive(record(2)).await.unwrap();
    drop(locked);
    let state = bench.after_a_restart().await;
    assert_eq!(state.record, Some(record(2)));
    assert!(state.saved && state.hazard.is_none());
    assert_eq!((state.mark, state.next_generation()), (2, 3));
}

#[tokio::test]
async fn died_while_the_answer_was_out_is_uncertain_and_stays_so_until_an_answer() {
    let bench = Bench::with_tokens().await;
    bench.lock(&bench.process()).await.spending(&record(1)).await.unwrap();
    for _ in 0..2 {
        let state = bench.after_a_restart().await;
        assert_eq!(generation(&state), Some(1));
        let Some(Hazard::Uncertain { generation: 1, pid, .. }) = state.hazard else { panic!("{state:?}") };
        assert_eq!(pid, std::process::id());
    }
    // The user has it tried once; the request does not leave: the earlier loss is still unexplained.
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.spending(&record(1)).await.unwrap();
    locked.unspent().await.unwrap();
    assert!(matches!(locked.recover().await.unwrap().hazard, Some(Hazard::Uncertain { .. })));
    locked.spending(&record(1)).await.unwrap();
    locked.receive(record(2)).await.unwrap();
    drop(locked);
    assert!(bench.after_a_restart().await.hazard.is_none());
}

#[tokio::test]
async fn a_token_proved_unspent_leaves_everything_as_it_was() {
    let bench = Bench::with_tokens().await;
    let before = bench.journal();
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.unspent().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    assert!(matches!(bench.journal(), Some(Journal::Spending(Spending { generation: 1, .. }))));
    locked.unspent().await.unwrap();
    assert_eq!(bench.journal(), before);
}

#[tokio::test]
async fn taking_a_spending_back_never_lowers_the_mark_of_a_record_found_meanwhile() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.spending(&record(1)).await.unwrap();
    // A process without our locks (another machine on the same home) saved a newer record.
    bench.memory.put("factory/token", &crate::tokens::record::to_line(&record(2)));
    assert_eq!(generation(&locked.recover().await.unwrap()), Some(2));
    locked.unspent().await.unwrap();
    assert!(matches!(bench.journal(), Some(Journal::Settled { generation: 2, .. })));
}

#[tokio::test]
async fn died_between_journal_and_store_is_saved_at_the_next_start() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.preflight().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    bench.memory.hang();
    let path = bench.journal_path();
    tokio::select! {
        outcome = locked.receive(record(2)) => panic!("the store hangs: {outcome:?}"),
        () = until(&path, |journal| matches!(journal, Journal::Received { .. })) => {}
    }
    drop((locked, vault));
    bench.memory.restart(); // the hanging call dies with its process
    bench.memory.release();

    let read = bench.process().read(&name()).await.unwrap();
    assert_eq!((generation(&read), read.saved), (Some(2), false), "reading changes nothing");
    let state = bench.after_a_restart().await;
    assert_eq!(state.record, Some(record(2)));
    assert!(state.saved);
    assert!(matches!(bench.journal(), Some(Journal::Settled { generation: 2, .. })));
    assert!(bench.process().read(&name()).await.unwrap().saved);
}

#[tokio::test]
async fn died_between_store_and_settling_is_settled_at_the_next_start() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    locked.receive(record(2)).await.unwrap_err();
    bench.memory.put("factory/token", &crate::tokens::record::to_line(&record(2)));
    drop(locked);
    assert!(bench.process().read(&name()).await.unwrap().saved);
    assert_eq!(generation(&bench.after_a_restart().await), Some(2));
    assert!(matches!(bench.journal(), Some(Journal::Settled { generation: 2, .. })));
}

#[tokio::test]
async fn an_item_left_empty_by_a_daemon_killed_while_creating_it_is_written_again() {
    let bench = Bench::new();
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.preflight().await.unwrap();
    bench.memory.fail_next(Call::Set, InjectedFault::Emptied);
    bench.memory.fail_next(Call::Set, InjectedFault::Emptied); // the call is retried on a new session
    locked.receive(record(1)).await.unwrap_err();
    assert!(bench.memory.item("factory/token").unwrap().is_empty());
    drop(locked);
    let state = bench.after_a_restart().await;
    assert_eq!((generation(&state), state.saved), (Some(1), true));
}

#[tokio::test]
async fn a_logout_forgets_the_tokens_but_not_how_far_they_had_come() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    locked.receive(record(7)).await.unwrap();
    locked.forget().await.unwrap();
    assert_eq!(bench.memory.item("factory/token"), None);
    drop(locked);
    let state = bench.after_a_restart().await;
    assert!(state.record.is_none() && state.hazard.is_none());
    assert_eq!(state.next_generation(), 8);
    bench.memory.put("factory/token", &crate::tokens::record::to_line(&record(3)));
    let restored = bench.after_a_restart().await;
    assert_eq!(restored.hazard, Some(Hazard::RolledBack { stored: 3, mark: 7 }));
    assert!(restored.record.is_none());
}

#[tokio::test]
async fn died_in_the_middle_of_a_logout_is_logged_out() {
    let bench = Bench::with_tokens().await;
    let vault = bench.process();
    bench.memory.fail_next(Call::Delete, InjectedFault::Error(StoreError::Locked));
    bench.lock(&vault).await.forget().await.unwrap_err();
    assert!(bench.memory.item("factory/token").is_some());
    let read = vault.read(&name()).await.unwrap();
    assert!(read.record.is_none() && read.hazard.is_none());
    assert!(bench.after_a_restart().await.record.is_none());
    assert_eq!(bench.memory.item("factory/token"), None, "the rest was made good");
}

#[tokio::test]
async fn a_logout_without_tokens_writes_nothing() {
    let bench = Bench::new();
    bench.lock(&bench.process()).await.forget().await.unwrap();
    assert_eq!(bench.journal(), None);
}

#[tokio::test]
async fn an_older_record_restored_from_a_backup_is_reported_and_never_handed_out() {
    let bench = Bench::with_tokens().await;
    let backup = bench.memory.item("factory/token").unwrap();
    let vault = bench.process();
    bench.lock(&vault).await.receive(record(2)).await.unwrap();
    bench.memory.put("factory/token", &backup);
    for state in [vault.read(&name()).await.unwrap(), bench.after_a_restart().await] {
        assert!(state.record.is_none());
        assert_eq!(state.hazard, Some(Hazard::RolledBack { stored: 1, mark: 2 }));
    }
    let mut locked = bench.lock(&vault).await;
    let refused = locked.spending(&record(1)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Outdated { given: 1, mark: 2 }), "{refused}");
    locked.receive(record(3)).await.unwrap();
    assert_eq!(generation(&locked.recover().await.unwrap()), Some(3), "a new login fixes it");
}

#[tokio::test]
async fn a_journal_lost_with_its_directory_costs_no_token() {
    let bench = Bench::with_tokens().await;
    std::fs::remove_file(bench.journal_path()).unwrap();
    assert_eq!(generation(&bench.process().read(&name()).await.unwrap()), Some(1));
    assert_eq!(bench.journal(), None, "reading changes nothing");
    assert_eq!(generation(&bench.after_a_restart().await), Some(1));
    assert!(matches!(bench.journal(), Some(Journal::Settled { generation: 1, .. })));
}
