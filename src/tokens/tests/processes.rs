//! Two processes on one data directory, one of them real: this test binary, started again.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::secrets::memory::{Call, InjectedFault, MemoryStore};
use crate::secrets::worker::Secrets;
use crate::tokens::journal::Journal;
use crate::tokens::lock;
use crate::tokens::reconcile::Hazard;
use crate::tokens::record::tests::record;
use crate::tokens::tests::{Bench, generation, name};
use crate::tokens::vault::Vault;

/// In the child: the data directory whose lock it takes and keeps until it is killed.
const HOLD: &str = "MANUTOP_TEST_HOLD_LOCK_IN";

/// Starts another process that holds the lock of `factory`; returns once it does.
fn holder(bench: &Bench) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tokens::tests::processes::a_lock_held_by_another_process_is_waited_for_by_pid",
            "--nocapture",
        ])
        .env(HOLD, bench.dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("holding")), "the child never got the lock");
    child
}

async fn hold_forever(dir: std::ffi::OsString) {
    let secrets = Secrets::new(MemoryStore::new().factory());
    let vault = Vault::open(secrets, dir.as_ref(), Arc::new(crate::domain::SystemClock)).unwrap();
    let _locked = vault.lock(&name(), |_| {}).await.unwrap();
    println!("holding");
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_lock_held_by_another_process_is_waited_for_by_pid() {
    if let Some(dir) = std::env::var_os(HOLD) {
        return hold_forever(dir).await;
    }
    let bench = Bench::with_tokens().await;
    let mut other = holder(&bench);
    let (holders, vault) = (Arc::new(Mutex::new(Vec::new())), bench.process());
    let (sink, connection) = (Arc::clone(&holders), name());
    let waiting = vault.lock(&connection, |pid| sink.lock().unwrap().push(pid));
    let mut waiting = std::pin::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(400), &mut waiting).await.is_err(), "it is held");
    other.kill().unwrap();
    let locked = tokio::time::timeout(Duration::from_secs(2), waiting).await.expect("freed by the kernel").unwrap();
    assert_eq!(*holders.lock().unwrap(), [Some(other.id())], "called once, with the holder");
    other.wait().unwrap();
    drop(locked);
}

#[tokio::test]
async fn giving_up_the_wait_leaves_the_lock_to_others() {
    let bench = Bench::new();
    let vault = bench.process();
    let locked = bench.lock(&vault).await;
    let path = bench.dir.path().join("locks/factory.lock");
    assert!(lock::is_held(&path));
    for _ in 0..10 {
        assert!(tokio::time::timeout(Duration::from_millis(5), vault.lock(&name(), |_| {})).await.is_err());
    }
    drop(locked);
    bench.lock(&vault).await;
}

#[tokio::test]
async fn other_connections_are_not_locked() {
    let bench = Bench::new();
    let vault = bench.process();
    let _factory = bench.lock(&vault).await;
    let other = crate::domain::ConnectionName::new("identity").unwrap();
    let locked = tokio::time::timeout(Duration::from_secs(2), vault.lock(&other, |_| panic!("it is free"))).await;
    let locked = locked.unwrap().unwrap();
    locked.preflight().await.unwrap();
}

#[tokio::test]
async fn a_token_being_spent_by_a_living_process_is_no_hazard_but_a_dead_one_s_is() {
    let bench = Bench::with_tokens().await;
    let (vault, other) = (bench.process(), bench.process());
    let mut locked = bench.lock(&other).await;
    locked.spending(&record(1)).await.unwrap();
    let state = vault.read(&name()).await.unwrap();
    assert_eq!((generation(&state), state.hazard), (Some(1), None));
    drop(locked);
    assert!(matches!(vault.read(&name()).await.unwrap().hazard, Some(Hazard::Uncertain { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_while_another_process_saves_never_sees_a_rollback_or_an_older_record() {
    let bench = Bench::with_tokens().await;
    let (reader, writer) = (bench.process(), bench.process());
    let writing = tokio::spawn(async move {
        let mut locked = writer.lock(&name(), |_| {}).await.unwrap();
        for generation in 1..60 {
            locked.spending(&record(generation)).await.unwrap();
            locked.receive(record(generation + 1)).await.unwrap();
        }
        locked.forget().await.unwrap();
    });
    let mut newest = 1;
    while !writing.is_finished() {
        let state = reader.read(&name()).await.unwrap();
        assert_eq!(state.hazard, None);
        if let Some(generation) = generation(&state) {
            assert!(generation >= newest, "{generation} after {newest}");
            newest = generation;
        }
    }
    writing.await.unwrap();
    assert!(newest > 10, "the reader saw it happen: {newest}");
}

#[tokio::test]
async fn two_processes_that_need_an_identity_at_once_make_one() {
    let bench = Bench::new();
    let vaults: Vec<Vault> = (0..8).map(|_| bench.process()).collect();
    let outcomes = futures_util::future::join_all(vaults.iter().map(Vault::identity)).await;
    let made: std::collections::HashSet<String> =
        outcomes.into_iter().map(|identity| identity.unwrap().text().expose().to_owned()).collect();
    assert_eq!(made.len(), 1);
    assert!(made.contains(bench.memory.item("identity").unwrap().expose()));
}

#[tokio::test]
async fn the_identity_is_locked_while_it_is_being_made() {
    let bench = Bench::new();
    let vault = bench.process();
    bench.memory.fail_next(Call::Set, InjectedFault::Hang);
    let path = bench.dir.path().join("locks/.identity.lock");
    let watching = async {
        while !bench.memory.calls().contains(&Call::Set) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let is_held = lock::is_held(&path);
        bench.memory.release();
        is_held
    };
    let (identity, is_held) = tokio::join!(vault.identity(), watching);
    assert!(is_held && identity.is_ok());
}

#[tokio::test]
async fn a_logout_by_another_process_between_our_two_reads_is_no_rollback() {
    let bench = Bench::with_tokens().await;
    let (vault, factory) = (bench.process(), name());
    vault.probe().await.unwrap(); // so that the next get is the reader's
    bench.memory.fail_next(Call::Get, InjectedFault::Hang);
    let logout = async {
        while bench.memory.calls().last() != Some(&Call::Get) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let Some(Journal::Settled { generation, fingerprint, .. }) = bench.journal() else { panic!("not settled") };
        Journal::Settled { generation, fingerprint, forgotten: true }.write(&bench.journal_path()).unwrap();
        bench.memory.remove("factory/token");
        bench.memory.release();
    };
    let (state, ()) = tokio::join!(vault.read(&factory), logout);
    assert_eq!(state.unwrap().hazard, None);
}

#[tokio::test]
async fn a_lock_outlives_a_file_write_begun_under_it_even_if_it_is_dropped() {
    let bench = Bench::new();
    let locked = bench.lock(&bench.process()).await;
    let path = bench.dir.path().join("locks/factory.lock");
    let (finish, disk) = std::sync::mpsc::channel::<()>();
    let writing = locked.on_disk(move || Ok(disk.recv()));
    assert!(tokio::time::timeout(Duration::from_millis(50), writing).await.is_err(), "the disk is slow");
    drop(locked);
    assert!(lock::is_held(&path));
    finish.send(()).unwrap();
    bench.lock(&bench.process()).await;
}
