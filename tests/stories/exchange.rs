//! What is known of one exchange on a real socket: every header that crossed the wire, where the
//! time went, and nothing that a server may echo.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use manutop::domain::{ConnectionName, Exchange, LogEntry, Outcome, Secret, SystemClock};
use manutop::oauth::message::{HttpRequest, Payload};
use manutop::oauth::{Broken, Http, HttpAnswer};
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
        let (mut stream, came) = accepted(&listener);
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(came).unwrap()
    });
    (port, came)
}

/// A connection, and the request that came on it.
fn accepted(listener: &TcpListener) -> (TcpStream, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
    // Requests this small come in one piece, or in two: head and body.
    while !is_whole(&came) {
        let read = stream.read(&mut buffer).unwrap();
        came.extend_from_slice(&buffer[..read]);
    }
    (stream, came)
}

fn is_whole(came: &[u8]) -> bool {
    let text = String::from_utf8_lossy(came);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

async fn exchange(url: &str, payload: Payload<'_>, secrets: &[&Secret]) -> (LogEntry, Result<HttpAnswer, Broken>) {
    let (connection, url) = (ConnectionName::new("factory").unwrap(), Url::parse(url).unwrap());
    let exchange = if matches!(payload, Payload::Form(_)) { Exchange::Refresh } else { Exchange::Test };
    let request = HttpRequest { connection: &connection, exchange, url: &url, payload, secrets, attempt: 1 };
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
        // The body breaks off within the refresh token, which is not known then.
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

/// Stops this test binary, started again, while its request is out, and lets it go on long after
/// its timeout.
#[cfg(target_os = "linux")]
mod stopped {
    use std::io::Write;
    use std::net::TcpListener;
    use std::process::{Child, Stdio};
    use std::sync::Arc;
    use std::time::Duration;

    use manutop::domain::{ConnectionName, Exchange, Secret, SystemClock};
    use manutop::oauth::message::{HttpRequest, Payload};
    use manutop::oauth::{Broken, Http};
    use rustix::process::{Pid, Signal, kill_process};

    use super::{NEXT, accepted};
    use crate::support::again::{run_only, this_test};

    /// In the child: the URL it asks.
    const URL: &str = "MANUTOP_TEST_URL";
    const TIMEOUT: Duration = Duration::from_secs(2);

    /// The child's part: one exchange, and what came of it.
    async fn ask(url: &str) {
        let (connection, url) = (ConnectionName::new("factory").unwrap(), url.parse().unwrap());
        let form = Secret::new("grant_type=refresh_token");
        let payload = Payload::Form(&form);
        let request = HttpRequest {
            connection: &connection,
            exchange: Exchange::Refresh,
            url: &url,
            payload,
            secrets: &[],
            attempt: 1,
        };
        let (_, answer) = Http::with_timeout(Arc::new(SystemClock), TIMEOUT).exchange(&request).await;
        match answer {
            Ok(answer) => println!("> read {}", String::from_utf8(answer.body.0).unwrap()),
            Err(Broken::NotSent(why)) => println!("> not sent: {why}"),
            Err(Broken::Unanswered { why, partial, .. }) => println!("> {why} after {} bytes", partial.0.len()),
        }
    }

    fn signal(child: &Child, signal: Signal) {
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Plays a server that sends `first`, stops the child, sends `second`, and lets it go on.
    fn outcome(test: &str, runtime: &str, first: &str, second: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let child =
            run_only(test).env(URL, url).env("MANUTOP_TEST_RUNTIME", runtime).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stream, _) = accepted(&listener);
        stream.write_all(first.as_bytes()).unwrap();
        // What was sent is read before the process is stopped, more or less.
        std::thread::sleep(Duration::from_millis(300));
        signal(&child, Signal::STOP);
        stream.write_all(second.as_bytes()).unwrap();
        drop(stream);
        std::thread::sleep(TIMEOUT + Duration::from_secs(1));
        signal(&child, Signal::CONT);
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (_, line) = output.split_once("> ").unwrap_or_else(|| panic!("{output}"));
        line.lines().next().unwrap().to_owned()
    }

    #[test]
    fn an_answer_that_came_while_the_process_was_stopped_is_read() {
        if let Ok(url) = std::env::var(URL) {
            let mut builder = match std::env::var("MANUTOP_TEST_RUNTIME").as_deref() {
                Ok("one thread") => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            return builder.enable_all().build().unwrap().block_on(ask(&url));
        }
        let test = this_test!();
        let body = format!(r#"{{"refresh_token":"{NEXT}","padding":"{}"}}"#, "x".repeat(100_000));
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let cases = ["one thread", "many threads"].into_iter().flat_map(|runtime| [0, 10, 60].map(|at| (runtime, at)));
        let playing = cases.map(|(runtime, at)| {
            let (answer, body) = (answer.clone(), body.clone());
            std::thread::spawn(move || {
                let (first, second) = answer.split_at(at);
                assert_eq!(
                    outcome(test, runtime, first, second),
                    format!("read {body}"),
                    "{runtime}, stopped after {at} bytes"
                );
            })
        });
        playing.collect::<Vec<_>>().into_iter().for_each(|played| played.join().unwrap());
    }
}

#[tokio::test]
async fn an_exchange_without_an_answer_ends_at_its_timeout_and_keeps_what_came() {
    let (connection, form) = (ConnectionName::new("factory").unwrap(), Secret::new("grant_type=refresh_token"));
    let half = r#"{"access_token":"A","#;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{half}");
    for (sent, status, kept) in [("", None, ""), (head.as_str(), Some(200), half)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let sent = sent.to_owned();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = accepted(&listener);
            stream.write_all(sent.as_bytes()).unwrap();
            stream
        });
        let payload = Payload::Form(&form);
        let request = HttpRequest {
            connection: &connection,
            exchange: Exchange::Refresh,
            url: &url,
            payload,
            secrets: &[],
            attempt: 1,
        };
        let http = Http::with_timeout(Arc::new(SystemClock), std::time::Duration::from_millis(600));
        let (entry, answer) = http.exchange(&request).await;
        let Err(Broken::Unanswered { why, status: got, partial }) = answer else { panic!("{answer:?}") };
        assert_eq!((why.public(), got, partial.0.as_slice()), ("timeout", status, kept.as_bytes()));
        assert_eq!(entry.outcome, Outcome::Error("timeout".into()));
        drop(server.join().unwrap());
    }
}
