//! What must hold for every answer of a server, whatever bytes it is: no panic, bounded work, and nothing of a secret
//! that was sent can be read in what is kept of it for people.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use manutop::domain::{ConnectionName, Exchange, LogEntry, Secret, SystemClock};
use manutop::oauth::http::Http;
use manutop::oauth::message::{Broken, HttpRequest, Payload};
use manutop::oauth::redact::excerpt;
use manutop::oauth::{Refusal, answer, jwt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::Url;

use super::planted::{planted, readable};

/// All lower-case letters and digits, so that no form of it is another secret.
const CLIENT_SECRET: &str = "q7zk2vw9xj4hb8tn5yc3gd6";
const REFRESH_TOKEN: &str = "w8rq5-tz1m.kx6f_vb3ph9sj";
const SECRETS: [&str; 2] = [CLIENT_SECRET, REFRESH_TOKEN];
/// The most that one text of an answer may be, in characters.
const LONGEST: usize = 2000;

struct Server {
    runtime: Runtime,
    listener: TcpListener,
    url: Url,
    http: Http,
}

thread_local! {
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

/// Checks one input. With an even first byte the rest is the body of an answer, else the whole answer.
pub fn check(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let input = planted(rest, SECRETS);
    if mode % 2 == 0 { body(u16::from(*mode) * 2 + 100, &input) } else { exchange(&input) }
}

fn body(status: u16, body: &[u8]) {
    let (client_secret, refresh_token) = (Secret::new(CLIENT_SECRET), Secret::new(REFRESH_TOKEN));
    let sent = [&client_secret, &refresh_token];
    refusal(&Refusal::read(status, body, &sent), &sent, body);
    for answered in [answer::read(body), answer::read_cut(body)].into_iter().flatten() {
        for token in answered.secrets() {
            assert!(!token.is_empty() && !token.expose().contains(char::is_control));
            if let Some(decoded) = jwt::read(token) {
                assert!(decoded.claims.iter().chain(&decoded.header).all(|line| line.chars().count() <= LONGEST));
            }
            let _ = jwt::subject(token);
        }
    }
    let shown = excerpt(&String::from_utf8_lossy(body), &sent, 300);
    assert!(shown.chars().count() <= 301);
    nothing_readable(&shown);
}

fn refusal(refusal: &Refusal, sent: &[&Secret], body: &[u8]) {
    let challenge = String::from_utf8_lossy(body);
    for refusal in [refusal.clone(), refusal.clone().or_challenge(Some(&challenge), sent)] {
        let words = refusal.words();
        assert!(words.chars().count() <= LONGEST && !words.contains(char::is_control), "{words:?}");
        nothing_readable(&words);
        let _ = (refusal.class(), refusal.contradicts_success());
    }
}

/// Sends a request on a real socket, and gives the input back as its answer.
fn exchange(input: &[u8]) {
    SERVER.with_borrow_mut(|server| {
        let Server { runtime, listener, url, http } = server.get_or_insert_with(start);
        let (entry, result) = runtime.block_on(async {
            let answering = async {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(input).await;
            };
            tokio::join!(send(http, url), answering).0
        });
        nothing_readable(&serde_json::to_string(&entry).expect("an entry serialises"));
        match result {
            Ok(answer) => body(answer.status, &answer.body.0),
            Err(Broken::NotSent(why)) => panic!("the server was there: {why}"),
            Err(Broken::Unanswered { why, partial, .. }) => {
                nothing_readable(&why.to_string());
                body(200, &partial.0);
            }
        }
    });
}

async fn send(http: &Http, url: &Url) -> (LogEntry, Result<manutop::oauth::HttpAnswer, Broken>) {
    let (client_secret, refresh_token) = (Secret::new(CLIENT_SECRET), Secret::new(REFRESH_TOKEN));
    let form = Secret::new(format!("client_secret={CLIENT_SECRET}&refresh_token={REFRESH_TOKEN}"));
    let connection = ConnectionName::new("fuzzed").expect("a name");
    let request = HttpRequest {
        connection: &connection,
        exchange: Exchange::Refresh,
        url,
        payload: Payload::Form(&form),
        secrets: &[&client_secret, &refresh_token],
        attempt: 1,
    };
    http.exchange(&request).await
}

fn start() -> Server {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let url = Url::parse(&format!("http://{address}/token")).expect("a URL");
    Server { runtime, listener, url, http: Http::with_timeout(Arc::new(SystemClock), Duration::from_secs(2)) }
}

fn nothing_readable(text: &str) {
    assert_eq!(readable(text, &SECRETS), None, "in {text}");
}
