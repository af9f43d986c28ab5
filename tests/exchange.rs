//! What is known of one exchange on a real socket: every header that crossed the wire, where the
//! time went, and nothing that a server may echo.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use manutop::domain::{ConnectionName, Exchange, LogEntry, Outcome, Secret, SystemClock};
use manutop::oauth::http::{Payload, Request};
use manutop::oauth::{Answer, Broken, Http};
use url::Url;

const REFRESH: &str = "Rt-sent.7f3b9a0c5d1e4f62a8b7";
const CLIENT_SECRET: &str = "cs/with+signs=1a2b3c4d5e6f";
const ACCESS: &str = "At-received.0918273645afbecd";
const NEXT: &str = "Rt-received.5463728190dcebfa";

/// Answers one request with these bytes; gives the port, and what came.
fn server(answer: String) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
        // Requests this small come in one piece, or in two: head and body.
        while !is_whole(&came) {
            let read = stream.read(&mut buffer).unwrap();
            came.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(came).unwrap()
    });
    (port, came)
}

fn is_whole(came: &[u8]) -> bool {
    let text = String::from_utf8_lossy(came);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

async fn exchange(url: &str, payload: Payload<'_>, secrets: &[&Secret]) -> (LogEntry, Result<Answer, Broken>) {
    let (connection, url) = (ConnectionName::new("factory").unwrap(), Url::parse(url).unwrap());
    let exchange = if matches!(payload, Payload::Form(_)) { Exchange::Refresh } else { Exchange::Test };
    let request = Request { connection: &connection, exchange, url: &url, payload, secrets, attempt: 1 };
    Http::new(Arc::new(SystemClock)).exchange(&request).await
}

#[tokio::test]
async fn the_headers_of_a_request_are_those_that_crossed_the_wire() {
    let token = Secret::new(ACCESS);
    let form = Secret::new("grant_type=client_credentials");
    for payload in [Payload::Form(&form), Payload::Bearer(&token)] {
        let (port, came) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".into());
        let url = format!("http://127.0.0.1:{port}/api?limit=1&key=hunter2");
        let (entry, answer) = exchange(&url, payload, &[&token]).await;
        answer.unwrap();
        let came = came.join().unwrap();
        let head = came.split_once("\r\n\r\n").unwrap().0;
        let mut sent: Vec<String> = head.lines().skip(1).map(str::to_owned).collect();
        let mut known: Vec<String> =
            entry.wire.request_headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        sent.sort();
        known.sort();
        let masked: Vec<String> = sent.iter().map(|line| line.replace(ACCESS, "***")).collect();
        assert_eq!(known, masked);
        assert_eq!(entry.wire.url.as_deref(), Some(format!("http://127.0.0.1:{port}/api?limit=1&key=***").as_str()));
        assert_eq!(entry.wire.version.as_deref(), Some("HTTP/1.1"));
    }
}

#[tokio::test]
async fn a_server_that_echoes_every_secret_in_its_headers_leaves_none_in_the_entry() {
    let body = format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{NEXT}"}}"#);
    let secrets = [REFRESH, CLIENT_SECRET, ACCESS, NEXT];
    let mut head = "HTTP/1.1 200 OK\r\ndate: Tue, 10 Mar 2026 11:58:40 GMT\r\nx-ratelimit-remaining: 4\r\n".to_owned();
    for (at, secret) in secrets.iter().enumerate() {
        let name = secret[3..15].replace(['/', '=', '.'], "-");
        head.extend([
            format!("x-echo-{at}: {secret}\r\nx-ratelimit-{at}: {secret}\r\nserver: you sent {}\r\n", &secret[..16]),
            format!("x-{name}: in the name\r\nlocation: /cb?code={secret}\r\nset-cookie: t={secret}\r\n"),
        ]);
    }
    for answer in [
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
        // The body breaks off within the refresh token, which nobody can know then.
        format!("{head}content-length: {}\r\n\r\n{}", body.len(), &body[..body.len() - 12]),
    ] {
        let (port, came) = server(answer);
        let form = Secret::new("grant_type=refresh_token");
        let (refresh, client_secret) = (Secret::new(REFRESH), Secret::new(CLIENT_SECRET));
        let sent = [&refresh, &client_secret];
        let (entry, _) = exchange(&format!("http://127.0.0.1:{port}/token"), Payload::Form(&form), &sent).await;
        came.join().unwrap();
        let readable = serde_json::to_string(&entry).unwrap() + &format!("{entry:?}");
        for secret in secrets {
            for piece in secret.as_bytes().windows(16) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!readable.contains(piece), "{piece} of {secret} is readable in {readable}");
            }
        }
        assert_eq!(entry.header("x-ratelimit-remaining"), Some("4"));
        assert!(entry.clock_skew().is_some(), "the server's clock is still read");
        assert!(entry.headers.len() > 10);
    }
}

#[tokio::test]
async fn the_phases_add_up_to_the_whole_and_those_not_reached_are_absent() {
    let (port, came) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".into());
    let token = Secret::new(ACCESS);
    let (entry, _) = exchange(&format!("http://localhost:{port}/"), Payload::Bearer(&token), &[&token]).await;
    came.join().unwrap();
    let timings = entry.wire.timings;
    let phases = [timings.blocked_us, timings.dns_us, timings.connect_us, timings.wait_us, timings.receive_us];
    assert!(phases.iter().all(Option::is_some), "{timings:?}");
    let whole: u64 = phases.iter().flatten().sum();
    assert!(whole.abs_diff(entry.duration_ms * 1000) <= 1005, "{timings:?} {}", entry.duration_ms);
    assert!(timings.first_byte_us().unwrap() <= whole);

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (entry, answer) = exchange(&format!("http://127.0.0.1:{closed}/"), Payload::Bearer(&token), &[&token]).await;
    assert!(matches!(answer, Err(Broken::NotSent(_))));
    let timings = entry.wire.timings;
    assert!(matches!(entry.outcome, Outcome::Error(_)));
    assert!(timings.connect_us.is_some() && timings.dns_us.is_none(), "an address needs no look-up: {timings:?}");
    assert!(timings.wait_us.is_none() && timings.first_byte_us().is_none(), "{timings:?}");
}
