//! Fifty `token` at once on a due token: one request, whatever the answer is. All others see its
//! outcome, those that come a moment later too.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use manutop::demo::{DemoFault, Reply};
use manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER;

use crate::support::bench::Bench;
use crate::support::program::Ended;

const HERD: usize = 50;

impl Bench {
    /// The same where every answer is this one.
    async fn whose_server(fault: DemoFault) -> Self {
        let bench = Self::expired().await;
        bench.manu().break_down(None, fault);
        bench
    }

    /// Its provider is found at another address.
    fn moves_to(&self, base: &str) {
        let text = self.text().replace(self.manu().base_url(), base);
        std::fs::write(self.config(), text).unwrap();
    }

    fn token(&self) -> Ended {
        self.start(&["token", "factory"]).end()
    }

    /// What `token` says, so many times at once.
    fn herd(&self, count: usize) -> Vec<Ended> {
        let all: Vec<_> = (0..count)
            .map(|_| {
                let mut command = self.command(&["token", "factory"]);
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let ends = all.into_iter().map(|child| child.wait_with_output().unwrap());
        ends.map(|output| Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
        .collect()
    }

    /// All of a herd end with this code, and each says this.
    fn assert_all_end(&self, count: usize, code: i32, words: &str) {
        for ended in self.herd(count) {
            assert_eq!((ended.code, &*ended.stdout), (Some(code), ""), "{ended:?}");
            let said = ended.stderr.lines().last().unwrap_or_default();
            assert!(said.starts_with("manutop: factory: ") && said.contains(words), "{words}: {ended:?}");
        }
    }
}

/// A whole herd on a server that gives every request this answer: one request, and one outcome.
/// What comes later sends nothing either, where the answer `lasts`.
async fn one_request(count: usize, fault: DemoFault, code: i32, words: &str, lasts: bool) {
    let bench = Bench::whose_server(fault).await;
    bench.assert_all_end(count, code, words);
    assert_eq!(bench.posts(), 1, "{words}");
    if lasts {
        let ended = bench.token().expect(code);
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
        assert_eq!(bench.posts(), 1, "{words}: a later one");
    }
}

fn answer(code: u16, body: &str, retry_after: Option<&str>) -> DemoFault {
    DemoFault::Instead(Reply::Status { code, body: body.into(), retry_after: retry_after.map(Into::into) })
}

#[tokio::test]
async fn too_many_requests_with_a_time_to_come_back() {
    one_request(HERD, answer(429, "{}", Some("30")), 5, "rate limited until", true).await;
}

#[tokio::test]
async fn too_many_requests_without_one() {
    one_request(HERD, answer(429, "{}", None), 5, "", false).await;
}

#[tokio::test]
async fn unavailable_with_a_time_to_come_back() {
    one_request(HERD, DemoFault::unavailable(30), 5, "503", true).await;
}

#[tokio::test]
async fn unavailable_without_one() {
    one_request(HERD, answer(503, "<h1>down</h1>", None), 5, "503", false).await;
}

#[tokio::test]
async fn a_refused_client() {
    one_request(HERD, answer(401, r#"{"error":"invalid_client"}"#, None), 4, "invalid_client", true).await;
}

#[tokio::test]
async fn a_dead_refresh_token() {
    one_request(HERD, answer(400, r#"{"error":"invalid_grant"}"#, None), 3, "manutop login factory", true).await;
}

#[tokio::test]
async fn a_connection_closed_without_an_answer() {
    one_request(HERD, DemoFault::Instead(Reply::Nothing), 5, "no readable answer", false).await;
}

/// Those who begin while the answer is out wait longer for it than the pause after a lost answer lasts.
#[tokio::test]
async fn an_answer_that_is_lost_late() {
    let bench = Bench::expired().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    bench.moves_to(&format!("http://{}", listener.local_addr().unwrap()));
    let first = bench.start(&["token", "factory"]);
    let (request, _) = listener.accept().unwrap();
    let others: Vec<_> = (0..6).map(|_| bench.start(&["token", "factory"])).collect();
    // So long a request is out.
    std::thread::sleep(PAUSE_AFTER_LOST_ANSWER.to_std().unwrap() + Duration::from_secs(1));
    drop(request);
    listener.set_nonblocking(true).unwrap();
    for program in std::iter::once(first).chain(others) {
        let ended = program.end().expect(5);
        assert!(ended.stderr.contains("no readable answer"), "{ended:?}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "a second request");
}

#[tokio::test]
async fn a_page_of_a_proxy() {
    one_request(HERD, DemoFault::Instead(Reply::Html { code: 404 }), 5, "404", false).await;
}

/// Nothing can be sent at all: it is tried once.
#[tokio::test]
async fn a_port_that_refuses() {
    let bench = Bench::expired().await;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    bench.moves_to(&format!("http://{closed}"));
    bench.assert_all_end(HERD, 5, "refused");
    let log = bench.run(&["log", "--json"], 0).stdout;
    assert_eq!(log.lines().filter(|line| line.contains("oauth/token")).count(), 1, "{log}");
    assert!(bench.stored().await.hazard.is_none());
}

/// Those who ask for new tokens whatever is there are answered by one request, too.
#[tokio::test]
async fn a_herd_that_forces() {
    let bench = Bench::expired().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    bench.moves_to(&format!("http://{}", listener.local_addr().unwrap()));
    let forced = || bench.start(&["refresh", "factory", "--force", "--yes"]);
    let first = forced();
    let (request, _) = listener.accept().unwrap();
    let mut others: Vec<_> = (0..6).map(|_| forced()).collect();
    for program in &mut others {
        program.until_stderr("waiting for");
    }
    drop(request);
    listener.set_nonblocking(true).unwrap();
    for program in std::iter::once(first).chain(others) {
        program.end().expect(5);
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "a second request");
}
