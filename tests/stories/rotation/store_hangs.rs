//! The store hangs: the engine, and so the screen, answers at once; every call is bounded; no
//! exchange begins; the program ends at once even while a hung call is out.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::domain::{Command, ConnectionEvent, Event, EventKind, Problem};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::rig::{Rig, STORE_TIMEOUT, eventually};

/// Far less than any wait for the store.
const AT_ONCE: Duration = STORE_TIMEOUT.checked_div(3).unwrap();

#[tokio::test]
async fn the_engine_keeps_answering_and_no_exchange_begins() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.store.hang();
    let calls = rig.store.calls().len();
    let began = Instant::now();
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    eventually("the store was called", || rig.store.calls().len() > calls).await;
    for on in [false, true, false] {
        running.engine.send(Command::SetAuto { connection: factory.clone(), on });
        let asked = Instant::now();
        assert_eq!(running.view(&factory).await.auto, on);
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    }
    let problem = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::RefreshFailed { problem }, .. }) => {
                Some(problem.clone())
            }
            _ => None,
        })
        .await;
    assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem:?}");
    assert!(began.elapsed() < 2 * STORE_TIMEOUT, "bounded: {:?}", began.elapsed());
    assert_eq!(rig.refresh_posts(), 0);
    rig.store.release();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn the_program_ends_at_once_while_a_hung_call_is_out() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    rig.store.hang();
    let calls = rig.store.calls().len();
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    eventually("the store was called", || rig.store.calls().len() > calls).await;
    let asked = Instant::now();
    running.engine.shutdown().await;
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    rig.store.release();
}

#[tokio::test]
async fn a_store_that_hangs_from_the_start_is_reported_and_holds_up_neither_start_nor_end() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.store.hang();
    let began = Instant::now();
    let running = rig.start(true);
    running.engine.send(Command::SetAuto { connection: factory.clone(), on: false });
    assert!(began.elapsed() < AT_ONCE);
    let problem = running.view(&factory).await.problem;
    assert!(matches!(problem, Some(Problem::StoreUnavailable { .. })), "{problem:?}");
    assert!(began.elapsed() < 2 * STORE_TIMEOUT, "bounded: {:?}", began.elapsed());
    let asked = Instant::now();
    running.engine.shutdown().await;
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    rig.store.release();
}

#[tokio::test]
async fn a_store_that_hangs_while_the_answer_comes_costs_nothing() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(manutop::demo::DemoFault::DelayAfter(Duration::from_millis(300)));
    let mut running = rig.start(true);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    rig.store.hang();
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::NotSaved { .. }))).await;
    assert_eq!(view.token().unwrap().generation, 2);
    rig.store.release();
    running.until_view(&factory, |view| view.problem.is_none()).await;
    assert!(rig.vault().read(&factory).await.unwrap().saved);
    assert_eq!(rig.refresh_posts(), 1);
}
