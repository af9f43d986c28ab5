//! Quitting, or SIGTERM, during a refresh: what is out is waited for and saved first; what only
//! waits is given up at once.

#[cfg(target_os = "linux")]
use std::io::BufRead as _;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::Command;
use manutop::engine::{Unfinished, UnfinishedWork};

use super::REDIRECT;
use crate::support::login::assert_newest_is_stored;
use crate::support::rig::Rig;

#[tokio::test]
async fn quitting_leaves_after_the_save() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(700)));
    let running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    running.engine.shutdown().await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn quitting_before_the_answer_is_even_begun_leaves_after_the_save_too() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(700)));
    let running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_refresh_posts(1).await;
    running.engine.shutdown().await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn a_rest_comes_after_the_save_and_while_it_is_held_nothing_due_is_begun() {
    let mut rig = Rig::new();
    let (factory, other) = (rig.manu("factory", REDIRECT).await, rig.manu("other", REDIRECT).await);
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.logged_in(&other, TimeDelta::zero()).await;
    let running = rig.start(true);
    running.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(700)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    let unfinished = running.engine.unfinished().await;
    assert_eq!(unfinished, [UnfinishedWork { connection: factory.clone(), what: Unfinished::Answer }]);
    let mut rest = running.engine.rest();
    // What was asked before this has been heard.
    running.engine.views().await;
    // Both are due by now; and the engine looks at it whenever it is asked something.
    rig.clock.advance(TimeDelta::hours(2));
    running.engine.views().await;
    rest.came().await;
    assert_eq!(rig.journal_state(&factory), "settled");
    running.engine.views().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.refresh_posts(), 1, "nothing was begun");
    drop(rest);
    running.engine.views().await;
    rig.until_refresh_posts(3).await;
    running.engine.shutdown().await;
    assert_newest_is_stored(&rig, &other, 2).await;
}

#[tokio::test]
async fn a_wait_for_another_process_is_given_up_at_once() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let vault = rig.vault();
    let _lease = vault.lock(&factory, |_| {}).await.unwrap();
    let running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    let asked = Instant::now();
    running.engine.shutdown().await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(rig.refresh_posts(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn the_program_stopped_by_a_signal_leaves_after_the_save() {
    use super::process::signal_process;
    use super::program::{Program, said};
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let program = Program::install(&rig);
    for (signal, rotations) in [("TERM", 1), ("INT", 2), ("HUP", 3)] {
        rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
        let refresh = program.start(&["refresh", "factory", "--force"]);
        rig.until_rotations(rotations).await;
        signal_process(refresh.id(), signal);
        let generation = rotations + 1;
        let (out, err, code) = said(refresh.wait_with_output().unwrap());
        assert_eq!((out, code), (format!("factory: refreshed, generation {generation}\n"), Some(0)), "{err}");
        assert!(err.contains("manutop: stopping;"), "{err}");
        program.assert_newest_is_stored(&factory, generation);
    }
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

/// In a place without a keyring: the lock comes first.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_program_stopped_while_it_waits_for_another_process_ends_at_once() {
    use super::process::signal_process;
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let vault = rig.vault();
    let _lease = vault.lock(&factory, |_| {}).await.unwrap();
    let mut program = super::lock_holder::program_without_a_keyring(&rig);
    let mut lines = std::io::BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.by_ref().any(|line| line.contains("waiting for process")));
    signal_process(program.id(), "TERM");
    let asked = Instant::now();
    assert_eq!(program.wait().unwrap().code(), Some(1), "cancelled");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(rig.refresh_posts(), 0);
}
