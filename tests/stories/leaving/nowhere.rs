//! Neither journal nor store takes the new tokens: said at once, everywhere, with what ending the process costs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::bench::{Bench, LATER};
use crate::support::program::{Program, eventually};

const WORDS: &str = "factory: the new refresh token is in memory only, and ending manutop loses it: could not write";

/// Takes journals and store away, as a network home that goes does.
fn take_away(bench: &Bench) {
    for dir in ["journals", "store"] {
        fs::rename(bench.data_dir().join(dir), bench.path(dir)).unwrap();
    }
}

fn bring_back(bench: &Bench) {
    for dir in ["journals", "store"] {
        fs::rename(bench.path(dir), bench.data_dir().join(dir)).unwrap();
    }
}

#[tokio::test]
async fn a_command_says_so_at_once_and_saves_it_when_it_can() {
    let bench = Bench::new().await;
    let mut refresh = bench.refreshing(Duration::from_secs(1));
    take_away(&bench);
    let said = refresh.until_stderr(WORDS);
    assert!(said.contains("see that the disk has room"), "{said}");
    refresh.signal("TERM");
    refresh.until_stderr("stopping; waiting");
    bring_back(&bench);
    assert_eq!(refresh.end().expect(0).stdout, "factory: refreshed, generation 42\n");
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn a_second_signal_ends_a_command_with_the_same_words() {
    for command in ["refresh", "token"] {
        let bench = Bench::expired().await;
        bench.hold_back(Duration::from_secs(1));
        let mut program = Program::start(&mut bench.command(&[command, "factory"]));
        bench.until_rotations(1);
        take_away(&bench);
        program.until_stderr(WORDS);
        program.signal("TERM");
        program.until_stderr("stopping; waiting");
        tokio::time::sleep(LATER).await;
        program.signal("TERM");
        let said = program.end().expect(6).stderr;
        let words =
            "left although factory's new refresh token is in memory only; ending manutop loses it, log in again";
        assert!(said.contains(words), "{said}");
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_keepalive_s_log_health_metrics_and_incident_say_so_and_it_does_not_leave() {
    let bench = Bench::expired().await;
    bench.hold_back(Duration::from_secs(2));
    let mut keepalive = Program::start(&mut bench.command(&["keepalive", "--listen", "127.0.0.1:0"]));
    let said = keepalive.until_stderr("health and metrics on ");
    let at = said.find("health and metrics on ").unwrap() + "health and metrics on ".len();
    bench.until_rotations(1);
    take_away(&bench);
    let said = keepalive.until_stderr("factory: generation 42: the new refresh token is in memory only, and ending");
    let address = said[at..].lines().next().unwrap().to_owned();
    let (status, body) = get(&address, "/healthz");
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["status"]), (200, &"degraded".into()), "a restart would lose it: {body}");
    let factory = &health["connections"][0];
    assert_eq!((&factory["status"], &factory["needs_person"]), (&"not_saved".into(), &true.into()), "{body}");
    let (_, metrics) = get(&address, "/metrics");
    assert!(metrics.contains("connection_needs_person{connection=\"factory\"} 1"), "{metrics}");
    assert!(metrics.contains("connection=\"factory\",status=\"not_saved\"} 1"), "{metrics}");
    keepalive.until_stderr("incident: cannot use its store: the new refresh token is in memory only");
    keepalive.signal("TERM");
    keepalive.until_stderr("stopping once pending answers are saved");
    bring_back(&bench);
    assert!(keepalive.end().expect(0).stderr.contains("refreshed, generation 42"));
    bench.assert_newest_is_stored().await;
}

/// What a service manager's socket receives next, without signs of life and status.
fn next_state(manager: &UnixDatagram) -> String {
    loop {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).expect("the service manager is notified within its time");
        let state = String::from_utf8(buffer[..length].to_vec()).unwrap().trim().to_owned();
        if !["STATUS=", "WATCHDOG="].iter().any(|other| state.starts_with(other)) {
            return state;
        }
    }
}

/// A service manager kills a service that takes too long to stop, unless it asks for more time.
#[tokio::test]
async fn a_keepalive_asks_the_service_manager_for_time_until_it_is_saved() {
    let bench = Bench::expired().await;
    bench.hold_back(Duration::from_secs(1));
    let manager = UnixDatagram::bind(bench.path("notify")).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut command = bench.command(&["keepalive"]);
    command.env("NOTIFY_SOCKET", bench.path("notify")).env("WATCHDOG_USEC", "500000").env_remove("WATCHDOG_PID");
    let mut keepalive = Program::start(&mut command);
    bench.until_rotations(1);
    take_away(&bench);
    keepalive.until_stderr("factory: generation 42: the new refresh token is in memory only, and ending");
    keepalive.signal("TERM");
    for state in ["READY=1", "STOPPING=1", "EXTEND_TIMEOUT_USEC=60000000", "EXTEND_TIMEOUT_USEC=60000000"] {
        assert_eq!(next_state(&manager), state);
    }
    bring_back(&bench);
    keepalive.end().expect(0);
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn the_dashboard_says_so_and_asks_before_it_leaves() {
    let bench = Bench::new().await;
    let mut terminal = bench.dashboard_refreshing(Duration::from_secs(1));
    take_away(&bench);
    terminal.until_text("factory: new tokens not saved yet, in memory only; keep manutop running");
    terminal.keys("q");
    terminal.until_text("Leave now?");
    terminal.keys("y");
    terminal.until_text("saving first: factory's new refresh token is in memory only");
    bring_back(&bench);
    assert_eq!(terminal.ended(), 0);
    eventually("it is saved", || bench.journal_state() != "spending");
    bench.assert_newest_is_stored().await;
}
