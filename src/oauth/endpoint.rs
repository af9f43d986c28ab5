//! The redirection endpoint of one login (RFC 6749 §3.1.2): what each request to it is answered, and what of it the
//! login hears.
//!
//! Invariants: a page repeats nothing of a request that does not hold the login's `state`; of the requests that are no
//! answer to this login, the login hears of the first, and the others are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::sync::mpsc;

use crate::domain::Secret;
use crate::local_server::http::{Limits, by_own_names};
use crate::oauth::callback;
use crate::oauth::callback::{CallbackError, Expected, Granted};
use crate::oauth::outcomes::{CodeProgress, Outcomes, SeenCode};
use crate::oauth::page::{PageTone, render};

/// What a connection to the endpoint may use: a browser sends its request at once, and then waits for the exchange.
pub const LIMITS: Limits = Limits {
    most: 128,
    head_time: Duration::from_secs(5),
    total_time: Duration::from_secs(75),
    // Cookies belong to a host, not to a port: the browser also sends those of other programs on this machine.
    head_bytes: 64 * 1024,
    fields: 100,
};
/// How long the browser is kept waiting for the outcome of the exchange.
const PAGE_TIMEOUT: Duration = Duration::from_secs(65);
/// What a page says when its login has ended without it.
const GONE: &str = "manutop no longer waits for this login.";
/// How many answers may wait to be heard. Each holds the login's `state`.
const WAITING: usize = 16;

/// Answers the requests of one login. It needs no socket: give [`Endpoint::router`] any stream with
/// [`crate::local_server::http::answer`].
#[derive(Debug, Clone)]
pub struct Endpoint {
    path: Arc<str>,
    expected: Expected,
    arrivals: mpsc::Sender<Result<Granted, CallbackError>>,
    outcomes: Arc<Outcomes>,
    wrong: Arc<AtomicU64>,
}

/// What a login hears of the requests to its endpoint, and says to the browsers that wait.
#[derive(Debug)]
pub struct Arrivals {
    heard: mpsc::Receiver<Result<Granted, CallbackError>>,
    outcomes: Arc<Outcomes>,
    wrong: Arc<AtomicU64>,
}

impl Arrivals {
    /// Waits for the next redirect: an authorization code that has not come before, or why there is none in it. Of
    /// requests that are no answer to this login, only the first is reported; see [`Arrivals::ignored`].
    pub async fn next(&mut self) -> Option<Result<Granted, CallbackError>> {
        self.heard.recv().await
    }

    /// Says how far a code has come, wherever it came from. The browser of a code waits until it has ended.
    pub fn report(&self, code: &Secret, progress: CodeProgress) {
        self.outcomes.report(code, progress);
    }

    /// How many requests that are no answer to this login came after the first such one.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Ends the pages that still wait. Gives whether a browser has brought an answer, and may ask for its page again.
    pub(super) fn close(self) -> bool {
        self.outcomes.close(GONE);
        self.outcomes.was_asked()
    }
}

impl Endpoint {
    /// The endpoint at `path`. Where no issuer is known, a `state` is all that is expected.
    #[must_use]
    pub fn new(path: &str, expected: impl Into<Expected>) -> (Self, Arrivals) {
        let (arrivals, heard) = mpsc::channel(WAITING);
        let (outcomes, wrong) = <(Arc<Outcomes>, Arc<AtomicU64>)>::default();
        let endpoint = Self {
            path: path.into(),
            expected: expected.into(),
            arrivals,
            outcomes: Arc::clone(&outcomes),
            wrong: Arc::clone(&wrong),
        };
        (endpoint, Arrivals { heard, outcomes, wrong })
    }

    /// Answers requests; those for another host than this machine are refused.
    pub fn router(&self) -> Router {
        let router = Router::new()
            .fallback(async |method: Method, uri: Uri, State(endpoint): State<Self>| {
                endpoint.answer(&method, &uri).await
            })
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .with_state(self.clone());
        by_own_names(router)
    }

    async fn answer(&self, method: &Method, uri: &Uri) -> Response {
        let is_callback = uri.path() == &*self.path;
        match *method {
            Method::GET if is_callback => self.callback(uri.query().unwrap_or_default()).await,
            // A probe before the real request: neither an answer nor a refusal.
            Method::HEAD if is_callback => StatusCode::NO_CONTENT.into_response(),
            _ => stray(),
        }
    }

    async fn callback(&self, query: &str) -> Response {
        let granted = match callback::read_redirect(query, &self.expected) {
            Ok(granted) => granted,
            Err(error) => {
                let sentence = error.to_string();
                // Only the server's own refusal holds the `state`. A login at work on another answer ignores both.
                if matches!(error, CallbackError::Refused { .. }) || self.wrong.fetch_add(1, Ordering::Relaxed) == 0 {
                    let _ = self.arrivals.try_send(Err(error));
                }
                return respond(StatusCode::BAD_REQUEST, &render(PageTone::Bad, "Not logged in", &sentence));
            }
        };
        let mut progress = match self.outcomes.see(&granted.code) {
            SeenCode::TooLate => {
                let sentence = "Another answer to this login came first, and counts. This one changes nothing.";
                return respond(StatusCode::CONFLICT, &render(PageTone::Bad, "Not used", sentence));
            }
            SeenCode::Again(progress) => progress,
            SeenCode::New(progress) => {
                if self.arrivals.try_send(Ok(granted)).is_err() {
                    self.outcomes.close(GONE);
                }
                progress
            }
        };
        let known = progress.wait_for(|progress| *progress != CodeProgress::Working);
        let known = tokio::time::timeout(PAGE_TIMEOUT, known).await.ok().and_then(Result::ok);
        page(known.as_deref().unwrap_or(&CodeProgress::Ended(Err(GONE.to_owned()))))
    }
}

fn page(progress: &CodeProgress) -> Response {
    match progress {
        CodeProgress::Ended(Ok(sentence)) => respond(StatusCode::OK, &render(PageTone::Good, "Logged in", sentence)),
        CodeProgress::Ended(Err(sentence)) => {
            respond(StatusCode::BAD_REQUEST, &render(PageTone::Bad, "Not logged in", sentence))
        }
        CodeProgress::Asking(sentence) => {
            respond(StatusCode::OK, &render(PageTone::Waiting, "Waiting for confirmation in manutop", sentence))
        }
        CodeProgress::Working => {
            respond(StatusCode::OK, &render(PageTone::Waiting, "Logging in", "This takes a moment."))
        }
    }
}

fn stray() -> Response {
    respond(
        StatusCode::NOT_FOUND,
        &render(PageTone::Bad, "Nothing here", "manutop only waits for the end of a login on this address."),
    )
}

fn respond(status: StatusCode, page: &str) -> Response {
    let mut response = (status, Html(page.to_owned())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::{Arrivals, Endpoint, Expected, LIMITS};
    use crate::domain::Secret;
    use crate::local_server::http::answer;
    use crate::oauth::{CallbackError, CodeProgress};

    fn endpoint() -> (Endpoint, Arrivals) {
        Endpoint::new("/callback", Secret::new("st"))
    }

    /// The answer to a request, without a socket.
    async fn ask(endpoint: &Endpoint, request: &str) -> String {
        let (mut ours, theirs) = duplex(128 * 1024);
        let answered = tokio::spawn(answer(theirs, endpoint.router(), LIMITS));
        let _ = ours.write_all(request.as_bytes()).await;
        let mut text = String::new();
        let _ = ours.read_to_string(&mut text).await;
        answered.await.unwrap();
        text
    }

    async fn get(endpoint: &Endpoint, target: &str) -> String {
        ask(endpoint, &format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:8400\r\n\r\n")).await
    }

    #[tokio::test]
    async fn of_many_wrong_requests_the_first_is_reported_and_none_crowds_out_the_right_one() {
        let (endpoint, mut arrivals) = endpoint();
        for number in 0..500 {
            let query = ["code=c&state=no", "code=c", "", "state=st&state=st&code=c", "state=st"][number % 5];
            let page = get(&endpoint, &format!("/callback?{query}")).await;
            assert!(page.starts_with("HTTP/1.1 400"), "{page}");
        }
        assert_eq!(arrivals.ignored(), 499);
        assert_eq!(arrivals.next().await, Some(Err(CallbackError::WrongState)));
        let (page, ()) = tokio::join!(get(&endpoint, "/callback?code=right&state=st"), async {
            let code = arrivals.next().await.unwrap().unwrap().code;
            assert_eq!(code.expose(), "right");
            arrivals.report(&code, CodeProgress::Ended(Ok("in".into())));
        });
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }

    #[tokio::test]
    async fn a_redirect_from_another_issuer_is_no_answer() {
        let expected = Expected { issuer: Some("https://auth.example".into()), ..Secret::new("st").into() };
        let (endpoint, mut arrivals) = Endpoint::new("/callback", expected);
        let page = get(&endpoint, "/callback?code=c&state=st&iss=https://evil.example").await;
        assert!(page.starts_with("HTTP/1.1 400") && !page.contains("evil"), "{page}");
        assert_eq!(arrivals.next().await, Some(Err(CallbackError::WrongIssuer)));
    }

    #[tokio::test]
    async fn requests_elsewhere_are_neither_reported_nor_counted() {
        let (endpoint, arrivals) = endpoint();
        for (request, status) in [
            ("GET / HTTP/1.1\r\nHost: localhost", 404),
            ("GET /favicon.ico HTTP/1.1\r\nHost: localhost", 204),
            ("HEAD /callback?code=c&state=st HTTP/1.1\r\nHost: localhost", 204),
            ("OPTIONS /callback HTTP/1.1\r\nHost: localhost", 404),
            ("POST /callback?code=c&state=st HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4", 404),
            ("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost", 404),
            ("GET /callback?code=c&state=st HTTP/1.1\r\nHost: evil.example", 421),
        ] {
            let answer = ask(&endpoint, &format!("{request}\r\n\r\n")).await;
            assert!(answer.split(' ').nth(1) == Some(&status.to_string()), "{request}: {answer}");
        }
        assert_eq!((arrivals.ignored(), arrivals.wrong.load(super::Ordering::Relaxed)), (0, 0));
    }

    #[tokio::test]
    async fn a_page_repeats_nothing_of_a_request_without_the_right_state() {
        let (endpoint, _arrivals) = endpoint();
        for query in
            ["error=zebra&error_description=zebra&state=zebra", "code=zebra", "zebra=zebra&zebra=z", "state=st"]
        {
            let page = get(&endpoint, &format!("/callback?{query}")).await;
            assert!(page.starts_with("HTTP/1.1 400") && !page.contains("zebra"), "{page}");
        }
        let page = get(&endpoint, "/zebra?zebra").await;
        assert!(page.starts_with("HTTP/1.1 404") && !page.contains("zebra"), "{page}");
    }
}
