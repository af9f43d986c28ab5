//! The holder of the lock is slow, stopped, or killed with SIGKILL: a process that waits shows its PID,
//! headless too, answers everything else meanwhile, and continues at once after a kill. That the
//! wait has an end is tested beside the code, where time can be made to pass.

#[cfg(target_os = "linux")]
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Activity, Command, ConnectionEvent, ConnectionName, Event, EventKind, Problem};
use manutop::engine::Refreshed;

use super::REDIRECT;
use super::process::{Process, Role, part};
use crate::support::again::this_test;
use crate::support::rig::{Rig, Running};

/// Far less than it takes to suspect anything; far more than the pause between two tries.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn shows(running: &mut Running, connection: &ConnectionName, holder: u32) {
    running
        .until_view(
            connection,
            |view| matches!(view.activity, Activity::WaitingForLock { pid: Some(pid), .. } if pid == holder),
        )
        .await;
}

#[tokio::test]
async fn a_slow_holder_is_waited_for_with_its_pid_shown_and_its_result_adopted() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (slow, mut waiting) = (rig.start(false), rig.start(false));
    tokio::join!(slow.engine.views(), waiting.engine.views());
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
    slow.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    waiting.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    shows(&mut waiting, &factory, std::process::id()).await;
    waiting.until(|event| matches!(event.kind(), Some(EventKind::Adopted { generation: 2, .. })).then_some(())).await;
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_stopped_holder_is_waited_for_until_it_is_killed_and_its_answer_is_then_lost() {
    if let Some(part) = part() {
        return part.play().await;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let mut holder = Process::start(&rig, Role::Command, this_test!());
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_secs(20)));
    holder.say("refresh");
    rig.until_refresh_posts(1).await;
    holder.signal("STOP");
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: false });
    shows(&mut running, &factory, holder.id()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(matches!(running.view(&factory).await.activity, Activity::WaitingForLock { .. }), "it keeps waiting");
    holder.kill();
    let killed = Instant::now();
    let failed = |event: &Event| match event {
        Event::Connection(ConnectionEvent { kind: EventKind::RefreshFailed { problem }, .. }) => Some(problem.clone()),
        _ => None,
    };
    let problem = running.until(failed).await;
    assert!(killed.elapsed() < AT_ONCE, "{:?}", killed.elapsed());
    assert!(matches!(&problem, Problem::AnswerLost { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 1, "nothing is sent at once after it");
}

/// A connection with tokens, and another process that holds its lock and has sent nothing.
async fn held(test: &str) -> (Rig, ConnectionName, Process) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let holder = Process::start(&rig, Role::Holder, test);
    (rig, factory, holder)
}

#[tokio::test]
async fn a_holder_killed_before_it_sent_anything_leaves_nothing_behind() {
    if let Some(part) = part() {
        return part.play().await;
    }
    let (rig, factory, mut holder) = held(this_test!()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    shows(&mut running, &factory, holder.id()).await;
    holder.kill();
    let killed = Instant::now();
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    assert!(killed.elapsed() < AT_ONCE, "{:?}", killed.elapsed());
}

#[tokio::test]
async fn a_wait_can_be_cancelled_and_leaves_the_connection_as_it_was() {
    if let Some(part) = part() {
        return part.play().await;
    }
    let (rig, factory, mut holder) = held(this_test!()).await;
    holder.signal("STOP");
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    shows(&mut running, &factory, holder.id()).await;
    running.engine.send(Command::Cancel { connection: factory.clone() });
    running.until_view(&factory, |view| view.activity == Activity::Idle && view.problem.is_none()).await;
    holder.kill();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

/// The real program, in a place without a keyring: the lock comes first.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_headless_program_says_whom_it_waits_for_and_continues_at_once_after_a_kill() {
    if let Some(part) = part() {
        return part.play().await;
    }
    let (rig, _, mut holder) = held(this_test!()).await;
    let mut program = program_without_a_keyring(&rig);
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
    let reported = format!("manutop: factory: waiting for process {}", holder.id());
    assert!(lines.by_ref().any(|line| line.starts_with(&reported)), "it never said: {reported}");
    holder.kill();
    let killed = Instant::now();
    assert_eq!(program.wait().unwrap().code(), Some(6), "there is no secret store here");
    assert!(killed.elapsed() < AT_ONCE, "{:?}", killed.elapsed());
    assert_eq!(rig.refresh_posts(), 0);
}

/// `manutop refresh factory --force` where there is no keyring.
#[cfg(target_os = "linux")]
pub fn program_without_a_keyring(rig: &Rig) -> std::process::Child {
    std::fs::write(rig.dir.path().join("config.toml"), rig.configuration()).unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_manutop"))
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .arg("--config")
        .arg(rig.dir.path().join("config.toml"))
        .arg("--data-dir")
        .arg(rig.dir.path())
        .args(["refresh", "factory", "--force"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}
