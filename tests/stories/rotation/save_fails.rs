//! The save fails, because the keyring is locked, its daemon killed or stopped, the item too
//! large, or the disk full. Known before: nothing is sent. Found out after: the new record is in
//! the journal, or at worst in memory; it is shown as not saved yet, tried again, and recovered
//! when the store is back and at the next start. Nothing is sent for it a second time.

use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{
    Activity, Clock as _, Command, ConnectionEvent, ConnectionName, ConnectionView, Event, EventKind, Holding, Problem,
    Status,
};
use manutop::engine::{Refreshed, Unfinished, UnfinishedWork};
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::{Call, MemoryStore};

use super::REDIRECT;
use crate::support::login::assert_newest_is_stored;
use crate::support::rig::{Rig, Running, STORE_TIMEOUT, eventually};

/// A rig with one logged-in connection, an engine on it, and the answer to its refresh held back
/// so long that something can be broken meanwhile; the server has replaced the token already.
async fn answered() -> (Rig, Running, ConnectionName) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(true);
    running.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    (rig, running, factory)
}

async fn not_saved(running: &mut Running, connection: &ConnectionName) -> ConnectionView {
    let view = running.until_view(connection, |view| matches!(view.problem, Some(Problem::NotSaved { .. }))).await;
    assert_eq!(view.token().unwrap().generation, 2, "the new one is used all the same");
    view
}

/// The second generation is in the store.
fn is_saved(view: &ConnectionView) -> bool {
    let is_there = matches!(&view.holding, Holding::Tokens { facts, saved } if facts.generation == 2 && *saved);
    is_there && view.problem.is_none()
}

#[tokio::test]
async fn a_locked_store_is_found_before_and_nothing_is_sent() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    rig.store.fail_always(Some(StoreError::Locked));
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(&problem, Problem::StoreUnavailable { why } if why.to_string().contains("locked")), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn a_store_that_is_locked_or_gone_when_the_answer_comes_gets_it_when_it_is_back() {
    for trouble in [StoreError::Locked, StoreError::unavailable("the daemon was killed")] {
        let (rig, mut running, factory) = answered().await;
        rig.store.fail_always(Some(trouble));
        not_saved(&mut running, &factory).await;
        assert_eq!(rig.journal_state(&factory), "received");
        rig.store.fail_always(None);
        running.until_view(&factory, is_saved).await;
        assert_newest_is_stored(&rig, &factory, 2).await;
        assert_eq!((rig.refresh_posts(), rig.journal_state(&factory).as_str()), (1, "settled"));
    }
}

#[tokio::test]
async fn what_the_store_did_not_take_is_never_announced_as_saved() {
    let (rig, mut running, factory) = answered().await;
    rig.store.fail_always(Some(StoreError::Locked));
    let announced = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { connection, kind: EventKind::NotSaved { generation, why } }) => {
                Some((connection.clone(), *generation, why.clone()))
            }
            Event::Connection(ConnectionEvent { kind: EventKind::Refreshed { .. }, .. })
            | Event::StoreChanged(Ok(())) => panic!("it is not: {event:?}"),
            _ => None,
        })
        .await;
    assert_eq!((&announced.0, announced.1), (&factory, 2));
    assert!(announced.2.to_string().contains("locked"), "{announced:?}");
}

#[tokio::test]
async fn what_was_left_unsaved_is_saved_at_the_next_start() {
    let (rig, mut running, factory) = answered().await;
    rig.store.fail_always(Some(StoreError::Locked));
    not_saved(&mut running, &factory).await;
    running.engine.shutdown().await;
    rig.store.fail_always(None);
    let mut again = rig.start(true);
    again.until_view(&factory, is_saved).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_refresh_asked_for_while_an_unsaved_token_waits_for_another_process_is_carried_out_after_it() {
    let (rig, mut running, factory) = answered().await;
    rig.store.fail_always(Some(StoreError::Locked));
    not_saved(&mut running, &factory).await;
    running.engine.shutdown().await;
    rig.store.fail_always(None);
    let vault = rig.vault();
    let locked = vault.lock(&factory, |_| {}).await.unwrap();
    let mut again = rig.start(true);
    again.until_view(&factory, |view| matches!(view.activity, Activity::WaitingForLock { .. })).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(locked);
    };
    let (unforced, forced) = (again.engine.refresh(&factory, false), again.engine.refresh(&factory, true));
    let (unforced, forced, ()) = tokio::join!(unforced, forced, release);
    assert_eq!((unforced, forced), (Ok(Refreshed::Obtained(3)), Ok(Refreshed::Obtained(3))));
    assert_newest_is_stored(&rig, &factory, 3).await;
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (2, 0));
}

#[tokio::test]
async fn a_record_that_is_safe_in_the_journal_holds_up_no_exit_though_the_store_hangs() {
    let (rig, mut running, factory) = answered().await;
    rig.store.fail_always(Some(StoreError::Locked));
    not_saved(&mut running, &factory).await;
    let calls = rig.store.calls().len();
    rig.store.hang();
    rig.store.fail_always(None);
    eventually("the save was tried again", || rig.store.calls().len() > calls).await;
    let asked = Instant::now();
    running.engine.shutdown().await;
    assert!(asked.elapsed() < STORE_TIMEOUT / 3, "{:?}", asked.elapsed());
    rig.store.release();
    assert_eq!(rig.journal_state(&factory), "received");
}

#[tokio::test]
async fn a_store_that_calls_the_item_too_large_is_asked_again_and_the_journal_keeps_it_meanwhile() {
    let (rig, mut running, factory) = answered().await;
    let refused = StoreError::TooLarge { item: "factory/token".into(), limit: 100 };
    rig.store.fail_next(Call::Set, manutop::secrets::memory::InjectedFault::Error(refused));
    let view = not_saved(&mut running, &factory).await;
    assert!(view.problem.unwrap().to_string().contains("too large"));
    running.until_view(&factory, is_saved).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn records_larger_than_the_store_s_items_are_kept_in_parts() {
    let mut rig = Rig::new();
    rig.store = MemoryStore::with_item_limit(160);
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    for generation in 2..=4 {
        running.engine.refresh(&factory, true).await.unwrap();
        assert_newest_is_stored(&rig, &factory, generation).await;
    }
    let items = rig.store.items();
    assert!(items.iter().filter(|item| item.starts_with("factory/token")).count() > 2, "{items:?}");
}

/// The journal's directory goes away, as a network home does; the store is locked as well.
#[tokio::test]
async fn what_neither_journal_nor_store_takes_stays_in_memory_and_leaving_waits_for_it() {
    let (rig, mut running, factory) = answered().await;
    let (journals, away) = (rig.dir.path().join("journals"), rig.dir.path().join("away"));
    std::fs::rename(&journals, &away).unwrap();
    rig.store.fail_always(Some(StoreError::Locked));
    let (connection, generation, why) = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { connection, kind: EventKind::InMemoryOnly { generation, why } }) => {
                Some((connection.clone(), *generation, why.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!((&connection, generation), (&factory, 2));
    assert!(why.to_string().contains("journals") && why.to_string().contains("locked"), "both causes: {why}");
    let view = not_saved(&mut running, &factory).await;
    assert!(view.problem.as_ref().unwrap().is_in_memory_only(), "{view:?}");
    assert_eq!(view.status(rig.clock.now()), Status::NotSaved, "no refresh that goes well");
    let unfinished = running.engine.unfinished().await;
    let [UnfinishedWork { connection, what: Unfinished::MemoryOnly(_) }] = &unfinished[..] else {
        panic!("{unfinished:?}")
    };
    assert_eq!(*connection, factory);
    let mut leaving = pin!(running.engine.shutdown());
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut leaving).await.is_err(), "leaving now would lose it");
    std::fs::rename(&away, &journals).unwrap();
    leaving.await;
    assert_eq!(rig.journal_state(&factory), "received", "there is room again");
    rig.store.fail_always(None);
    rig.start(true).until_view(&factory, is_saved).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.refresh_posts(), 1);
}

/// In another process, which no file takes a byte of.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_found_before_and_nothing_is_sent() {
    use super::process::{Process, Role, part};
    use crate::support::again::this_test;

    if let Some(part) = part() {
        return part.play().await;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut full = Process::start_after("trap '' XFSZ; ulimit -f 0;", &rig, Role::Command, this_test!());
    full.say("refresh");
    let problem = full.until("failed");
    assert!(problem.starts_with("failed could not write to"), "{problem}");
    full.say("leave");
    full.until("left generation 1 saved true");
    assert_eq!((rig.refresh_posts(), rig.journal_state(&factory).as_str()), (0, "settled"));
}

/// In another process, whose disk fills up, and whose store is locked, while the answer is out.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs prlimit; scripts/test runs it"]
async fn a_disk_that_is_full_when_the_answer_comes_gets_it_when_there_is_room_and_the_store_at_the_next_start() {
    use super::process::{Process, Role, part};
    use crate::support::again::this_test;

    if let Some(part) = part() {
        return part.play().await;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
    let mut process = Process::start_after("trap '' XFSZ;", &rig, Role::Command, this_test!());
    process.say("refresh");
    rig.until_rotations(1).await;
    let pid = process.id().to_string();
    let room = |limit: &str| {
        let set = std::process::Command::new("prlimit").args(["--pid", &pid, limit]).status();
        assert!(set.expect("prlimit is installed").success());
    };
    room("--fsize=0:");
    process.say("lock the store");
    process.until(
        "view generation 2 the new refresh token is in memory only, and ending manutop loses it: could not write",
    );
    assert_eq!(rig.journal_state(&factory), "spending", "neither took it");
    process.say("leave");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.journal_state(&factory), "spending", "it stays, or the token would be lost");
    room("--fsize=unlimited:");
    process.until("left generation 2 saved false");
    assert_eq!(rig.journal_state(&factory), "received");
    rig.start(true).until_view(&factory, is_saved).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.refresh_posts(), 1);
}

/// The real program and a real daemon, which something happens to while the answer is out.
#[cfg(target_os = "linux")]
async fn survives(
    trouble: impl FnOnce(&mut crate::support::keyring::Keyring),
    repair: impl FnOnce(&mut crate::support::keyring::Keyring),
) {
    use super::program::{Program, said};
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut program = Program::install(&rig);
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
    let refresh = program.start(&["refresh", "factory", "--force"]);
    rig.until_rotations(1).await;
    trouble(&mut program.keyring);
    let (out, err, code) = said(refresh.wait_with_output().unwrap());
    assert_eq!((out.as_str(), code), ("factory: refreshed, generation 2\n", Some(6)), "{err}");
    assert!(err.contains("factory: not saved yet: "), "{err}");
    assert_eq!(rig.journal_state(&factory), "received");
    repair(&mut program.keyring);
    let (out, err, code) = said(program.run(&["refresh", "factory"]));
    assert!(out.starts_with("factory: still fresh, generation 2;") && code == Some(0), "{out}{err}");
    program.assert_newest_is_stored(&factory, 2);
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn a_keyring_locked_while_the_answer_is_out_costs_nothing() {
    let unlock = |keyring: &mut crate::support::keyring::Keyring| {
        keyring.kill_daemon();
        keyring.start_daemon();
    };
    survives(|keyring| keyring.lock(), unlock).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn a_daemon_killed_while_the_answer_is_out_costs_nothing() {
    survives(crate::support::keyring::Keyring::kill_daemon, crate::support::keyring::Keyring::start_daemon).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn a_daemon_stopped_while_the_answer_is_out_costs_nothing() {
    survives(|keyring| keyring.stop_daemon(), |keyring| keyring.continue_daemon()).await;
}
