//! It refreshes automatically, again and again; it stops after the save; it reads its configuration
//! again on SIGHUP, and continues with the last good one.

use std::time::Duration;

use manutop::demo::DemoFault;

use super::bench::{Bench, objects, stop};
use crate::support::file_home::{PASSPHRASE, name};
use crate::support::program::{Program, eventually};

const SHORT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn it_refreshes_automatically_and_says_so_until_it_is_stopped() {
    let mut bench = Bench::with_factory(SHORT).await;
    bench.add_manus("billing").await;
    let mut keepalive = bench.keepalive(&[]);
    bench.until_rotations(3);
    keepalive.until_stderr("factory: refreshed, generation 4");
    keepalive.until_stderr("billing: refreshed, generation 1");
    let said = stop(keepalive);
    assert!(said.contains("notice  stopped; all tokens saved"), "{said}");
    assert!(!said.contains('<') && !said.contains('\x1b'), "no priorities, no colours: {said}");
    bench.assert_nothing_was_lost().await;
    // What it did stands where a dashboard looks: by whom, and each request.
    let history = bench.vault().await.history(&name("factory")).await.unwrap();
    assert_eq!(history[0].by, Some(manutop::domain::Program::Keepalive));
    let requests = std::fs::read_to_string(bench.path("data/requests.jsonl")).unwrap();
    assert!(requests.lines().filter(|line| line.contains("\"refresh\"")).count() >= 3, "{requests}");
    bench.sweep(&[&said], 8);
}

#[tokio::test]
async fn stopped_during_a_slow_exchange_it_leaves_after_the_save() {
    for name in ["TERM", "INT"] {
        let bench = Bench::with_factory(SHORT).await;
        bench.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(1500)));
        let keepalive = bench.keepalive(&["--log", "json"]);
        bench.until_rotations(1);
        keepalive.signal(name);
        let ended = keepalive.end().expect(0);
        let log = objects(&ended.stderr);
        let events: Vec<_> = log.iter().map(|line| line["event"].as_str().unwrap()).collect();
        let place =
            |event: &str| events.iter().position(|other| *other == event).unwrap_or_else(|| panic!("{events:?}"));
        assert!(place("stopping") < place("refreshed") && place("refreshed") < place("stopped"), "{events:?}");
        assert_eq!(log[place("refreshed")]["generation"], 2);
        bench.assert_nothing_was_lost().await;
    }
}

#[tokio::test]
async fn a_hang_up_has_the_configuration_read_and_a_faulty_one_changes_nothing() {
    let mut bench = Bench::with_factory(SHORT).await;
    let mut keepalive = bench.keepalive(&[]);
    keepalive.until_stderr("all connections are read");
    bench.add_manus("partner").await;
    keepalive.signal("HUP");
    keepalive.until_stderr("configuration reloaded");
    keepalive.until_stderr("partner: refreshed, generation 1");
    bench.add("auto_refresh = 5\n");
    keepalive.signal("HUP");
    let said = keepalive.until_stderr("error   configuration: not applied: config.toml");
    let line = said.lines().find(|line| line.contains("not applied")).unwrap();
    let (place, what) = line.split_once("config.toml:").unwrap_or_else(|| panic!("{line}"));
    assert!(!place.is_empty() && what.starts_with(|first: char| first.is_ascii_digit()), "line and column: {line}");
    assert!(what.contains("auto_refresh"), "{line}");
    let before = bench.servers.manu().stats().rotations;
    bench.until_rotations(before + 2);
    stop(keepalive);
    bench.assert_nothing_was_lost().await;
}

#[tokio::test]
async fn a_program_for_events_is_run_and_knows_neither_passphrase_nor_service_manager() {
    let mut bench = Bench::with_factory(SHORT).await;
    bench.configure("on_event = [\"sh\", \"-c\", \"cat >> events; env > environment\"]");
    let manager = super::bench::Manager::listen(&bench, "notify");
    bench.env.insert("NOTIFY_SOCKET", manager.socket.display().to_string());
    bench.env.insert("WATCHDOG_USEC", "60000000".into());
    let keepalive = bench.keepalive(&[]);
    let events = || std::fs::read_to_string(bench.path("events")).unwrap_or_default();
    eventually("the refresh reaches it", || events().contains("\"event\":\"refreshed\""));
    stop(keepalive);
    let environment = std::fs::read_to_string(bench.path("environment")).unwrap();
    assert!(environment.contains("HOME="), "{environment}");
    for hidden in ["NOTIFY_SOCKET", "WATCHDOG", PASSPHRASE] {
        assert!(!environment.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_connection_that_needs_a_person_is_reported_as_an_incident_and_the_others_continue() {
    let mut bench = Bench::with_factory(SHORT).await;
    bench.add_manus("billing").await;
    let newest = bench.servers.manu().newest_refresh_token("app-factory").unwrap();
    bench.servers.manu().revoke(&newest);
    let mut keepalive = bench.keepalive(&["--log", "json"]);
    keepalive.until_stderr("\"event\":\"incident_opened\"");
    keepalive.until_stderr("\"connection\":\"billing\"");
    let log = objects(&stop(keepalive));
    let find =
        |event: &str| log.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("{event}: {log:?}"));
    assert_eq!(
        (&find("refresh_failed")["connection"], &find("refresh_failed")["level"]),
        (&"factory".into(), &"error".into())
    );
    assert_eq!(find("incident_opened")["incident"]["kind"], "needs_login");
    for line in &log {
        assert!(line["version"] == 1 && line["at"].is_string() && line["message"].is_string(), "{line}");
    }
}

/// The journal takes the priority off each line; it is recognised by the file that standard error is.
#[tokio::test]
async fn for_the_journal_each_line_begins_with_its_priority() {
    let bench = Bench::with_factory(SHORT).await;
    // The shell makes a file and announces it as systemd announces the journal's socket.
    let script = "exec 2>log; export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/$$/fd/2); exec \"$0\" keepalive";
    let keepalive = Program::start(&mut bench.shell(script));
    let log = || std::fs::read_to_string(bench.path("log")).unwrap_or_default();
    eventually("a refresh is reported", || log().contains("<6>factory: refreshed, generation 2\n"));
    stop(keepalive);
    assert!(log().lines().all(|line| line.starts_with('<') && line.as_bytes()[2] == b'>'), "{}", log());
    assert!(log().contains("<5>stopped; all tokens saved\n"), "{}", log());
}
