//! What a server writes into its errors reaches the person who asks for it, and no place that other users read: health,
//! metrics, the service manager's status line and the program for events.

use std::time::Duration;

use manutop::demo::{DemoFault, Reply};
use serde_json::Value;

use super::bench::{Bench, Manager, get, stop};
use crate::support::program::{Program, eventually};

/// What a server puts where only it knows that it is a secret; a file name may hold it in any case.
const MARKER: &str = "marker0secret";
const SHORT: Duration = Duration::from_secs(4);

/// An answer to a refresh: its status and body, the connection's problem by then, and the provider's code.
type Case = (u16, &'static str, &'static str, Option<&'static str>);

const CASES: [Case; 5] = [
    (400, r#"{"error":"invalid_grant","error_description":"marker0secret"}"#, "needs_login", Some("invalid_grant")),
    (401, r#"{"error":"invalid_client: MARKER0SECRET"}"#, "misconfigured", Some("invalid_client")),
    (400, r#"{"error":"marker0secret","error_description":"x"}"#, "retrying", None),
    (403, "<html><h1>marker0secret</h1></html>", "retrying", None),
    (502, "<html>token marker0secret</html>", "answer_lost", None),
];

fn assert_unmarked(place: &str, text: &str) {
    assert!(!text.to_ascii_lowercase().contains(MARKER), "{place}: {text}");
}

#[tokio::test]
async fn what_a_server_says_is_for_the_person_at_manutop_alone() {
    for case in CASES {
        refused(case).await;
    }
}

async fn refused((code, body, class, known): Case) {
    let mut bench = Bench::with_factory(SHORT).await;
    bench.configure("on_event = [\"sh\", \"-c\", \"cat >> events\"]");
    let manager = Manager::listen(&bench, "notify");
    bench.env.insert("NOTIFY_SOCKET", manager.socket.display().to_string());
    let (mut keepalive, address) = bench.keepalive_on_a_port(&[]);
    bench.servers.manu().push_fault(DemoFault::Instead(Reply::Status { code, body: body.into(), retry_after: None }));
    let log = keepalive.until_stderr("factory: not refreshed");
    let events = || std::fs::read_to_string(bench.path("events")).unwrap_or_default();
    eventually("the failure is reported", || events().contains("\"event\":\"refresh_failed\""));
    manager.until("STATUS=", 1);
    let (health, metrics) = (get(&address, "/healthz"), get(&address, "/metrics"));
    let status = Program::start(&mut bench.command(&["status", "factory"])).end();
    let log = log + &stop(keepalive);

    assert!(status.stdout.to_ascii_lowercase().contains(MARKER), "a person sees what was said: {status:?}");
    assert!(log.to_ascii_lowercase().contains(MARKER), "so does who reads the keepalive service's log: {log}");
    let factory = &health.json()["connections"][0];
    assert_eq!((factory["problem_class"].as_str(), factory["code"].as_str()), (Some(class), known), "{}", health.body);
    assert!(factory["problem"].as_str().unwrap().contains(&code.to_string()), "{}", health.body);
    assert_unmarked("/healthz", &health.body);
    assert_unmarked("/metrics", &metrics.body);
    let events = events();
    let failed: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = failed.iter().find(|event| event["event"] == "refresh_failed").unwrap();
    assert_eq!(failed["code"].as_str(), known, "{events}");
    assert!(failed["why"].as_str().unwrap().contains(&code.to_string()), "{events}");
    assert_unmarked("on_event", &events);
    assert_unmarked("the service manager", &manager.reported().join("\n"));
}
