//! `manutop log`: what every process wrote, asked for in many ways, and followed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use chrono::{DateTime, TimeDelta};
use manutop::demo::DemoFault;
use manutop::domain::{Clock as _, DEFAULT_LOG_LIMIT, Exchange, LogEntry, Outcome, SystemClock, Wire};
use manutop::request_log::segments::RequestLog;
use serde_json::Value;

use super::bench::{Bench, commented};
use crate::support::file_home::name;
use crate::support::program::{Program, eventually};

fn entry(connection: &str, ago: TimeDelta, outcome: Outcome) -> LogEntry {
    LogEntry {
        at: SystemClock.now() - ago,
        connection: name(connection),
        exchange: Exchange::Test,
        method: "GET".into(),
        host: "api.example".into(),
        path: "/v1".into(),
        outcome,
        duration_ms: 12,
        attempt: 1,
        size: 2,
        headers: Vec::new(),
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire::default(),
    }
}

/// Makes the file so large that the next append rotates.
fn fill(bench: &Bench) {
    let mut file = OpenOptions::new().append(true).open(bench.data_dir().join("requests.jsonl")).unwrap();
    file.write_all(&vec![b'x'; 2 * 1024 * 1024]).and_then(|()| file.write_all(b"\n")).unwrap();
}

fn refresh(bench: &Bench) {
    bench.run(&["refresh", "factory", "--force"], 0);
}

fn count(text: &str) -> usize {
    text.lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_printed_as_lines_and_as_json_and_chosen_by_name_words_and_time() {
    let bench = commented().await;
    let log = RequestLog::start(&bench.data_dir(), DEFAULT_LOG_LIMIT);
    for (connection, days, outcome) in
        [("old", 9, Outcome::Status(200)), ("hr", 2, Outcome::Error("timeout".into())), ("hr", 1, Outcome::Status(429))]
    {
        log.append(&entry(connection, TimeDelta::days(days), outcome));
    }
    drop(log);
    refresh(&bench);
    bench.manu().push_fault(DemoFault::status(400, r#"{"error":"invalid_scope","error_description":"not yours"}"#));
    bench.run(&["refresh", "factory", "--force"], 4);

    let all = bench.run(&["log"], 0);
    assert_eq!((count(&all.stdout), all.stderr.as_str()), (5, ""), "{}", all.stdout);
    assert!(!all.stdout.contains('\x1b'), "no colour where no terminal is");
    let last = all.stdout.lines().last().unwrap();
    assert!(last.contains("factory") && last.contains("POST 127.0.0.1"), "{last}");
    assert!(last.contains("400 invalid_scope") && last.ends_with(" ms  not yours"), "{last}");

    let dated = (SystemClock.now() - TimeDelta::days(3)).format("%Y-%m-%d").to_string();
    for (arguments, lines) in [
        (&["-n", "2"][..], 2),
        (&["--lines", "0"], 0),
        (&["factory"], 2),
        (&["hr"], 2),
        (&["gone"], 0),
        (&["--errors"], 3),
        (&["--filter", "4xx"], 2),
        (&["--filter", "@hr error"], 2),
        (&["--filter", "TIMEOUT", "hr"], 1),
        (&["--since", "1d 12h"], 3),
        (&["--since", "1h"], 2),
        (&["--since", &dated], 4),
        (&["--since", "10d", "-n", "1"], 1),
        (&["--since", "2999-01-01T00:00:00Z"], 0),
    ] {
        let reported = bench.run(&[&["log"], arguments].concat(), 0);
        assert_eq!(count(&reported.stdout), lines, "{arguments:?}: {reported:?}");
        let says_so = lines == 0 && !arguments.contains(&"--lines");
        assert_eq!(reported.stderr.contains("there is no matching request"), says_so, "{arguments:?}: {reported:?}");
    }
    assert!(bench.run(&["log", "--since", "yesterday"], 2).stderr.contains("2026-03-10 14:02"));

    let json = bench.run(&["log", "factory", "--json"], 0).stdout;
    let reported: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(reported.iter().all(|line| line["version"] == 1 && line["at"].as_str().unwrap().ends_with('Z')));
    assert_eq!(reported[0]["outcome"]["status"], 200);
    assert!(reported[0]["headers"].is_array() && reported[0]["wire"]["timings"]["wait_us"].is_u64(), "{}", reported[0]);
    assert_eq!((&reported[1]["oauth_error"], &reported[1]["exchange"]), (&"invalid_scope".into(), &"refresh".into()));
    let read: Vec<LogEntry> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, RequestLog::tail(&bench.data_dir(), 2).unwrap());
    bench.assert_no_secret(&[&json, &all.stdout], &[bench.factory.client_secret.expose()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_faulty_configuration_nor_a_locked_store_stops_the_log_and_nothing_is_made() {
    let bench = commented().await;
    refresh(&bench);
    fs::write(bench.config(), "connections = 7\n").unwrap();
    let reported = Program::start(bench.command(&["log"]).env_remove("MANUTOP_PASSPHRASE")).end().expect(0);
    assert_eq!(count(&reported.stdout), 1);
    let nowhere = bench.path("nowhere");
    let reported = bench.run(&["log", "--data-dir", nowhere.to_str().unwrap()], 0);
    assert!(reported.stdout.is_empty() && reported.stderr.contains("there is no request"), "{reported:?}");
    assert!(!nowhere.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_processes_append_is_followed_through_rotations_until_stopped() {
    let bench = commented().await;
    refresh(&bench);
    let follow = Program::start(&mut bench.command(&["log", "--follow", "--json"]));
    follow.until_stdout("\n");
    for rotations in 1..=7 {
        fill(&bench);
        refresh(&bench);
        eventually("it is printed", || count(&follow.stdout()) == rotations + 1);
    }
    refresh(&bench);
    eventually("it is printed", || count(&follow.stdout()) == 9);
    assert!(bench.data_dir().join("requests-000007.jsonl").exists());
    follow.signal("TERM");
    let ended = follow.end().expect(0);
    let times: Vec<DateTime<chrono::Utc>> =
        ended.stdout.lines().map(|line| serde_json::from_str::<LogEntry>(line).unwrap().at).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert_eq!(ended.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_comes_later_is_followed_and_only_what_passes_is_printed() {
    let bench = commented().await;
    let data_dir = bench.path("later/data");
    let directory = data_dir.to_str().unwrap();
    let follow = Program::start(&mut bench.command(&["log", "-f", "hr", "--errors", "--data-dir", directory]));
    // It says nothing that could be waited for: the first entries may be there before its first look.
    let log = RequestLog::start(&data_dir, DEFAULT_LOG_LIMIT);
    log.append(&entry("hr", TimeDelta::zero(), Outcome::Error("timeout".into())));
    follow.until_stdout("timeout");
    log.append(&entry("hr", TimeDelta::zero(), Outcome::Status(200)));
    log.append(&entry("factory", TimeDelta::zero(), Outcome::Error("refused".into())));
    log.append(&entry("hr", TimeDelta::zero(), Outcome::Status(503)));
    follow.until_stdout("503");
    follow.signal("INT");
    assert_eq!(count(&follow.end().expect(0).stdout), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_well_when_its_reader_is_gone() {
    let bench = commented().await;
    refresh(&bench);
    let follow = Program::start(&mut bench.shell("{ \"$0\" log --follow; echo \"ended with $?\" >&2; } | head -n 1"));
    follow.until_stdout("factory");
    refresh(&bench);
    assert_eq!(follow.end().expect(0).stderr, "ended with 0\n");
    let log = RequestLog::start(&bench.data_dir(), DEFAULT_LOG_LIMIT);
    for _ in 0..900 {
        log.append(&entry("hr", TimeDelta::zero(), Outcome::Status(200)));
    }
    drop(log);
    let whole = Program::start(&mut bench.shell("{ \"$0\" log --since 1d; echo \"ended with $?\" >&2; } | head -n 1"));
    assert_eq!(whole.end().expect(0).stderr, "ended with 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_is_for_terminals_that_want_it() {
    let bench = commented().await;
    bench.manu().push_fault(DemoFault::status(400, r#"{"error":"invalid_scope"}"#));
    bench.run(&["refresh", "factory", "--force"], 4);
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")], false), (&[("TERM", "dumb")], false)] {
        let mut terminal = bench.terminal_with(&["log"], variables);
        assert_eq!(terminal.ended(), 0);
        let shown = String::from_utf8(terminal.everything()).unwrap();
        assert!(shown.contains("400 invalid_scope"), "{shown}");
        assert_eq!(shown.contains('\x1b'), coloured, "{variables:?}: {shown:?}");
    }
}
