//! One HTTP exchange: bounded in size and time, never redirected, never repeated, described by one redacted
//! [`LogEntry`].
//!
//! A connection is used for one exchange only. The server may close a kept-alive one just as a request is sent, and then
//! it is unknown whether a refresh token was spent.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use tokio::sync::OnceCell;
use url::Url;

use crate::domain::text::neutralise;
use crate::domain::{Clock, Exchange, LogEntry, Outcome, Reason, Secret, Wire};
use crate::fault_point;
use crate::fault_point::Step;
use crate::oauth::message::{Body, Broken, HttpAnswer, HttpRequest, MAX_BODY, Payload};
use crate::oauth::received::ReceivedBody;
use crate::oauth::timing::{Phase, Stopwatch};
use crate::oauth::{deadline, headers, timing};
use crate::platform::limits;

/// The user agent.
const AGENT: &str = concat!("manutop/", env!("CARGO_PKG_VERSION"));
/// How long reaching the server may take, TLS included. Nothing has been sent until then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a whole exchange may take while this process runs. Generous: an answer given up on may
/// hold a refresh token.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for a revocation, which a logout waits for.
const REVOKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes exchanges. Clients are built at the first request, because loading the platform's certificates takes
/// milliseconds and would delay the first frame.
#[derive(Clone)]
pub struct Http {
    clock: Arc<dyn Clock>,
    /// How long a whole exchange may take.
    limit: Duration,
    /// For `https`, through the proxy the environment names.
    tls: Arc<OnceCell<reqwest::Client>>,
    /// For `http`, which is allowed on loopback only: never through a proxy.
    plain: Arc<OnceCell<reqwest::Client>>,
}

impl Http {
    /// An exchanger that stamps its log entries by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_timeout(clock, TOTAL_TIMEOUT)
    }

    /// The same with another bound on the time of an exchange.
    #[must_use]
    pub fn with_timeout(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { clock, limit, tls: Arc::default(), plain: Arc::default() }
    }

    /// Sends one request and reads its answer.
    ///
    /// Returns the entry for the request log together with the result, whatever that is.
    ///
    /// # Errors
    /// [`Broken`], in the result's second half.
    pub async fn exchange(&self, request: &HttpRequest<'_>) -> (LogEntry, Result<HttpAnswer, Broken>) {
        let mut entry = entry(request, self.clock.now());
        let watch = Stopwatch::start();
        let mut received = None;
        let run = self.run(request, &mut entry, &mut received);
        let ended = watch.watch(deadline::within(self.limit, run)).await;
        let (timings, duration) = watch.read();
        let ended = ended.unwrap_or_else(|| Err(late(timings.wait_us.is_some())));
        let result = match received {
            Some(received) => received.into_result(request, &mut entry, ended),
            None => Err(ended.err().unwrap_or_else(|| late(true))),
        };
        entry.wire.timings = timings;
        entry.duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        entry.outcome = match &result {
            Ok(answer) => Outcome::Status(answer.status),
            Err(Broken::NotSent(why) | Broken::Unanswered { why, .. }) => Outcome::Error(why.to_string()),
        };
        (entry, result)
    }

    /// Sends the request and reads its answer into `received`, which keeps it if this future is dropped.
    async fn run(
        &self,
        request: &HttpRequest<'_>,
        entry: &mut LogEntry,
        received: &mut Option<ReceivedBody>,
    ) -> Result<(), Broken> {
        let client = self.client(request.url).await?;
        let outgoing = outgoing(&client, request)?;
        entry.wire.request_headers = sent_headers(&outgoing, request.secrets);
        let mut response = client.execute(outgoing).await.map_err(|error| broken(&error))?;
        timing::enter(Phase::Receive);
        fault_point::pass(Step::AnswerBegan);
        entry.wire.version = Some(format!("{:?}", response.version()));
        let received = received.insert(ReceivedBody::begin(&response, self.clock.now()));
        read(&mut response, received).await.map_err(|why| unanswered(why, None))
    }

    /// Starts building the client for a URL, if there is none yet, while the caller prepares its request. Must be called
    /// on a runtime.
    pub fn prepare(&self, url: &Url) {
        if !self.cell(url).initialized() {
            let (http, url) = (self.clone(), url.clone());
            // The request that needs the client reports a failure.
            tokio::spawn(async move { drop(http.client(&url).await) });
        }
    }

    fn cell(&self, url: &Url) -> &OnceCell<reqwest::Client> {
        if url.scheme() == "http" { &self.plain } else { &self.tls }
    }

    async fn client(&self, url: &Url) -> Result<reqwest::Client, Broken> {
        let is_plain = url.scheme() == "http";
        let build = || async move {
            tokio::task::spawn_blocking(move || build(is_plain))
                .await
                .map_err(|error| Reason::ours(error.to_string()))?
        };
        self.cell(url)
            .get_or_try_init(build)
            .await
            .cloned()
            .map_err(|why: Reason| Broken::NotSent(why.between("the HTTP client could not be made: ", "")))
    }
}

/// The request, with every header but those that the connection adds.
fn outgoing(client: &reqwest::Client, request: &HttpRequest<'_>) -> Result<reqwest::Request, Broken> {
    let builder = match request.payload {
        Payload::Form(form) => client
            .post(request.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.expose().to_owned()),
        Payload::Bearer(token) => client.get(request.url.clone()).header(AUTHORIZATION, bearer(token)?),
    };
    let builder = if request.exchange == Exchange::Revoke { builder.timeout(REVOKE_TIMEOUT) } else { builder };
    let builder = builder.header(ACCEPT, "application/json").header(ACCEPT_ENCODING, "identity");
    builder.header(USER_AGENT, AGENT).build().map_err(|error| broken(&error))
}

/// The request's headers, those included that HTTP/1.1 adds (RFC 9112 §3.2, §6.2).
fn sent_headers(outgoing: &reqwest::Request, secrets: &[&Secret]) -> Vec<(String, String)> {
    let mut sent = outgoing.headers().clone();
    let length = outgoing.body().and_then(reqwest::Body::as_bytes).map(|body| body.len().to_string());
    for (name, value) in [(HOST, Some(authority(outgoing.url()))), (CONTENT_LENGTH, length)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            sent.insert(name, value);
        }
    }
    headers::described(&sent, secrets)
}

/// Reads the answer's body, as much as fits; `Err` says why it broke off.
async fn read(response: &mut reqwest::Response, received: &mut ReceivedBody) -> Result<(), Reason> {
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        let room = MAX_BODY - received.body.len();
        received.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            received.is_whole = false;
            break;
        }
    }
    Ok(())
}

fn build(is_plain: bool) -> Result<reqwest::Client, Reason> {
    // An error means that one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .dns_resolver(Arc::new(timing::Lookup))
        .connector_layer(timing::Watched)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT);
    if is_plain {
        builder = builder.no_proxy().tls_certs_only([]);
    } else {
        builder = builder.https_only(true);
    }
    builder.build().map_err(|error| words(&error))
}

fn bearer(token: &Secret) -> Result<HeaderValue, Broken> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| Broken::NotSent("the access token holds characters that no header may hold".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn entry(request: &HttpRequest<'_>, at: DateTime<Utc>) -> LogEntry {
    LogEntry {
        at,
        connection: request.connection.clone(),
        exchange: request.exchange,
        method: match request.payload {
            Payload::Form(_) => "POST".into(),
            Payload::Bearer(_) => "GET".into(),
        },
        host: authority(request.url),
        path: request.url.path().to_owned(),
        outcome: Outcome::Error("no answer".into()),
        duration_ms: 0,
        attempt: request.attempt,
        size: 0,
        headers: Vec::new(),
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire { url: Some(headers::described_url(request.url)), ..Wire::default() },
    }
}

/// Host and port as in the URL.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn broken(error: &reqwest::Error) -> Broken {
    if error.is_connect() || error.is_builder() {
        Broken::NotSent(words(error))
    } else {
        unanswered(words(error), None)
    }
}

fn unanswered(why: Reason, status: Option<u16>) -> Broken {
    Broken::Unanswered { why, status, partial: Body::default() }
}

/// The time was up: nothing was sent before there was a connection.
fn late(is_connected: bool) -> Broken {
    if is_connected { unanswered("timeout".into(), None) } else { Broken::NotSent("connecting took too long".into()) }
}

/// The innermost cause, which says most, without the URL. The public form lacks the peer's words, because its
/// certificate can contain any text.
fn words(error: &reqwest::Error) -> Reason {
    if error.is_timeout() {
        return if error.is_connect() { "connecting took too long".into() } else { "timeout".into() };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.source().is_none() {
        return "request failed".into();
    }
    let public = match cause.downcast_ref::<io::Error>() {
        Some(cause) if cause.raw_os_error().is_some() => cause.to_string(),
        _ if error.is_connect() => "no connection could be made".into(),
        _ => "the connection broke off".into(),
    };
    Reason::withheld(limits::explained(neutralise(&cause.to_string(), 200)), limits::explained(public))
}
