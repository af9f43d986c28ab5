//! What is sent to the service manager, on a socket as it has one.

use std::time::Duration;

use super::bench::{Bench, Manager, stop};
use crate::support::program::eventually;

/// Half a second: a sign of life is due every quarter.
const WATCHDOG_USEC: &str = "500000";

fn state(reported: &str) -> &str {
    reported.split('=').next().unwrap()
}

#[tokio::test]
async fn ready_status_signs_of_life_reloading_and_stopping_come_in_this_order() {
    let mut bench = Bench::with_factory(Duration::from_secs(4)).await;
    let manager = Manager::listen(&bench, "notify");
    bench.env.insert("NOTIFY_SOCKET", manager.socket.display().to_string());
    bench.env.insert("WATCHDOG_USEC", WATCHDOG_USEC.into());
    let keepalive = bench.keepalive(&[]);
    manager.until("STATUS=leading; 1 live", 1);
    manager.until("WATCHDOG=1", 3);
    keepalive.signal("HUP");
    manager.until("READY=1", 2);
    bench.add_manus("billing").await;
    keepalive.signal("HUP");
    manager.until("READY=1", 3);
    manager.until("STATUS=leading; 2 live", 1);
    stop(keepalive);
    let reported = manager.reported();
    let mut states: Vec<_> = reported.iter().map(|reported| state(reported)).collect();
    states.retain(|state| !["STATUS", "WATCHDOG"].contains(state));
    assert_eq!(states, ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"]);
    assert!(
        reported.iter().position(|reported| state(reported) == "STATUS")
            > reported.iter().position(|reported| state(reported) == "READY")
    );
    let reloading = reported.iter().find(|reported| state(reported) == "RELOADING").unwrap();
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    bench.sweep(&reported.iter().map(String::as_str).collect::<Vec<_>>(), 5);
}

/// A process that is stopped gives none: shown by another one beside it, whose heartbeats continue.
#[tokio::test]
async fn signs_of_life_end_with_the_process_s_life() {
    let mut bench = Bench::with_factory(Duration::from_secs(600)).await;
    let (one, other) = (Manager::listen(&bench, "one"), Manager::listen(&bench, "other"));
    bench.env.insert("WATCHDOG_USEC", WATCHDOG_USEC.into());
    let start = |bench: &mut Bench, manager: &Manager| {
        bench.env.insert("NOTIFY_SOCKET", manager.socket.display().to_string());
        bench.keepalive(&[])
    };
    let (stopped, beside) = (start(&mut bench, &one), start(&mut bench, &other));
    one.until("WATCHDOG=1", 2);
    stopped.signal("STOP");
    let is_stopped = || {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", stopped.id())).unwrap();
        line.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    eventually("it is stopped", is_stopped);
    let (before, seen) = (one.beats(), other.beats());
    eventually("the other one lives on", || other.beats() >= seen + 4);
    // One may have been on its way.
    assert!(one.beats() <= before + 1, "{} after {before}", one.beats());
    stopped.signal("CONT");
    eventually("it lives again", || one.beats() > before + 1);
    stop(beside);
    stop(stopped);
}

#[tokio::test]
async fn an_unavailable_store_is_reported_and_does_not_keep_the_service_from_being_ready() {
    let mut bench = Bench::with_factory(Duration::from_secs(600)).await;
    let config = std::fs::read_to_string(bench.path("config.toml")).unwrap();
    std::fs::write(bench.path("config.toml"), config.replace("store = \"file\"", "store = \"keyring\"")).unwrap();
    bench.env.insert("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus".into());
    let runtime_dir = bench.dir.path().display().to_string();
    bench.env.insert("XDG_RUNTIME_DIR", runtime_dir);
    let manager = Manager::listen(&bench, "notify");
    bench.env.insert("NOTIFY_SOCKET", manager.socket.display().to_string());
    let (mut keepalive, address) = bench.keepalive_on_a_port(&[]);
    manager.until("READY=1", 1);
    manager.until("STATUS=leading; 1 no store", 1);
    keepalive.until_stderr("error   ");
    let health = super::bench::get(&address, "/healthz");
    assert_eq!((health.status, &health.json()["status"]), (503, &"unavailable".into()), "{}", health.body);
    assert!(health.json()["problem"].as_str().unwrap().len() > 10, "{}", health.body);
    stop(keepalive);
}
