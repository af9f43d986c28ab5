//! Health and metrics on a socket of this machine; what Prometheus' own parser reads of them.

#![expect(clippy::float_cmp, clippy::cast_precision_loss, reason = "counts and whole seconds, which are exact")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use manutop::demo::DemoFault;
use serde_json::Value;

use super::bench::{Bench, get, get_by_name, get_unix, stop};
use crate::support::file_home::name;
use crate::support::program::eventually;

/// Reads both formats that Prometheus may be given; prints what it read.
const PARSE: &str = r#"
import json, sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
text = sys.stdin.read()
def reported(families):
    return [[f.name, f.type, f.unit, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]
print(json.dumps({
    "openmetrics": reported(openmetrics.text_string_to_metric_families(text)),
    "classic": reported(parser.text_string_to_metric_families(text)),
}))
"#;

fn parsed(metrics: &str) -> Value {
    let mut python = Command::new("/usr/bin/python3");
    let mut child = python.args(["-c", PARSE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Prometheus cannot read:\n{metrics}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The value of the one sample with this name and these labels.
fn sample(format: &Value, name: &str, labels: &[(&str, &str)]) -> f64 {
    let samples = format.as_array().unwrap().iter().flat_map(|family| family[3].as_array().unwrap());
    let mut found =
        samples.filter(|sample| sample[0] == name && labels.iter().all(|(key, value)| sample[1][*key] == *value));
    let value = found.next().unwrap_or_else(|| panic!("{name} {labels:?} is not there"))[2].as_f64().unwrap();
    assert!(found.next().is_none(), "{name} {labels:?} is there twice");
    value
}

#[tokio::test]
#[ignore = "needs python3-prometheus-client; scripts/test runs it"]
async fn prometheus_own_parser_reads_what_happened() {
    let mut bench = Bench::with_factory(Duration::from_secs(6)).await;
    bench.add_manus("billing").await;
    let (mut keepalive, address) = bench.keepalive_on_a_port(&[]);
    bench.servers.manu().push_fault(DemoFault::status(503, r#"{"error":"server_error"}"#));
    keepalive.until_stderr("factory: not refreshed");
    keepalive.until_stderr("factory: refreshed, generation 3");
    keepalive.until_stderr("billing: refreshed, generation 1");
    let metrics = get(&address, "/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let rotations = bench.servers.manu().stats().rotations;
    let parsed = parsed(&metrics.body);
    let factory = [("connection", "factory")];
    for format in [&parsed["openmetrics"], &parsed["classic"]] {
        // One more may be between the server and the scrape.
        let refreshes = sample(format, "manutop_refreshes_total", &factory);
        assert!((2.0..=rotations as f64).contains(&refreshes), "{refreshes} of {rotations}");
        assert_eq!(sample(format, "manutop_refreshes_total", &[("connection", "billing")]), 1.0);
        assert_eq!(sample(format, "manutop_adoptions_total", &factory), 0.0);
        let failed = [("connection", "factory"), ("kind", "server_error")];
        assert_eq!(sample(format, "manutop_refresh_failures_total", &failed), 1.0);
        assert_eq!(sample(format, "manutop_exchange_duration_seconds_count", &factory), refreshes + 1.0);
        let endless = [("connection", "factory"), ("le", "+Inf")];
        assert_eq!(sample(format, "manutop_exchange_duration_seconds_bucket", &endless), refreshes + 1.0);
        assert!(sample(format, "manutop_exchange_duration_seconds_sum", &factory) > 0.0);
        assert!(sample(format, "manutop_clock_skew_seconds", &factory).abs() <= 2.0);
        assert_eq!(sample(format, "manutop_leader", &[]), 1.0);
        assert_eq!(sample(format, "manutop_connection_needs_person", &factory), 0.0);
        assert_eq!(sample(format, "manutop_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
        let status = [("connection", "billing"), ("status", "live")];
        assert_eq!(sample(format, "manutop_connection_status", &status), 1.0);
    }
    let record = bench.vault().await.read(&name("billing")).await.unwrap().record.unwrap();
    let expiry =
        sample(&parsed["openmetrics"], "manutop_access_token_expiry_timestamp_seconds", &[("connection", "billing")]);
    assert_eq!(expiry, record.expires_at.timestamp() as f64);
    let end = sample(&parsed["openmetrics"], "manutop_refresh_token_estimated_end_timestamp_seconds", &factory);
    assert!(end > expiry, "a refresh token outlives an access token");
    let unit = |name: &str| {
        parsed["openmetrics"].as_array().unwrap().iter().find(|family| family[0] == name).unwrap()[2].clone()
    };
    assert_eq!(unit("manutop_exchange_duration_seconds"), "seconds");
    let health = get(&address, "/healthz");
    let said = stop(keepalive);
    bench.sweep(&[&metrics.body, &metrics.head, &health.body, &said], 8);
}

#[tokio::test]
async fn health_has_the_role_counts_and_who_needs_a_person() {
    let mut bench = Bench::with_factory(Duration::from_secs(6)).await;
    bench.add_manus("billing").await;
    let (mut keepalive, address) = bench.keepalive_on_a_port(&[]);
    keepalive.until_stderr("billing: refreshed");
    let newest = bench.servers.manu().newest_refresh_token("app-factory").unwrap();
    bench.servers.manu().revoke(&newest);
    keepalive.until_stderr("factory: not refreshed: needs login");
    let health = get(&address, "/healthz");
    let body = health.json();
    assert_eq!((health.status, &body["status"], &body["role"]), (200, &"degraded".into(), &"leader".into()));
    assert_eq!((&body["pid"], &body["leader_pid"]), (&keepalive.id().into(), &keepalive.id().into()));
    assert_eq!(body["counts"], serde_json::json!({ "live": 1, "needs_login": 1 }));
    let factory = body["connections"].as_array().unwrap().iter().find(|one| one["name"] == "factory").unwrap();
    assert_eq!((&factory["needs_person"], &factory["status"]), (&true.into(), &"needs_login".into()));
    let metrics = get(&address, "/metrics").body;
    assert!(metrics.contains("manutop_connection_needs_person{connection=\"factory\"} 1\n"), "{metrics}");
    assert!(metrics.contains("kind=\"invalid_grant\"") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(get(&address, "/").status, 404);
    // A page in a browser of this machine, whose name was made to mean it.
    for (host, status) in [("evil.example", 421), (&*address, 200), ("[::1]:9464", 200)] {
        assert_eq!(get_by_name(&address, host, "/healthz").status, status, "{host}");
    }
    stop(keepalive);
}

#[tokio::test]
async fn requests_are_bounded_and_a_silent_client_blocks_no_other() {
    let bench = Bench::new(Duration::from_secs(600));
    let (keepalive, address) = bench.keepalive_on_a_port(&[]);
    // Fewer than are answered at once: the next one is served beside them.
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(&address).unwrap()).collect();
    assert_eq!(get(&address, "/healthz").status, 200);
    let mut endless = TcpStream::connect(&address).unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "y".repeat(64 * 1024));
    // It may be closed in the middle of what is too long.
    let _ = endless.write_all(head.as_bytes());
    let mut answer = String::new();
    let _ = endless.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut posted = TcpStream::connect(&address).unwrap();
    posted.write_all(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = posted.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    // More than are answered at once: they are let go after a while, and then others are answered.
    let more: Vec<_> = (0..24).map(|_| TcpStream::connect(&address).unwrap()).collect();
    assert_eq!(get(&address, "/healthz").status, 200);
    drop((silent, more));
    stop(keepalive);
}

#[test]
fn addresses_that_others_could_reach_are_refused_with_2() {
    let bench = Bench::new(Duration::from_secs(600));
    for address in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "9464", "unix:", "example.com:80"] {
        let ended = bench.keepalive(&["--listen", address]).end().expect(2);
        assert!(ended.stderr.contains("127.0.0.1:9464") || ended.stderr.contains("unix: needs a path"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_unix_socket_is_its_owner_s_alone_goes_with_it_and_survives_a_killed_one() {
    let bench = Bench::with_factory(Duration::from_secs(600)).await;
    let socket = bench.path("http");
    let listen = format!("unix:{}", socket.display());
    let mut keepalive = bench.keepalive(&["--listen", &listen]);
    keepalive.until_stderr("leader: refreshing");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    eventually("it is well", || get_unix(&socket, "/healthz").status == 200);
    let second = bench.keepalive(&["--listen", &listen]).end().expect(1);
    assert!(second.stderr.contains("another process listens there"), "{}", second.stderr);
    keepalive.signal("KILL");
    assert_eq!(keepalive.end().code, None, "killed");
    assert!(socket.exists());
    let mut keepalive = bench.keepalive(&["--listen", &listen]);
    keepalive.until_stderr("leader: refreshing");
    eventually("it is well", || get_unix(&socket, "/healthz").status == 200);
    stop(keepalive);
    assert!(!socket.exists(), "its file goes with it");
    std::fs::write(&socket, "a letter").unwrap();
    bench.keepalive(&["--listen", &listen]).end().expect(1);
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "a letter");
}
