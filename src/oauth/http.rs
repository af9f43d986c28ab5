//! One HTTP exchange: bounded in size and time, never redirected, never repeated, described by
//! one redacted [`LogEntry`].
//!
//! A connection is used for one exchange only. A kept-alive one may be closed by the server just
//! as a request goes out, and then nobody can tell whether a refresh token was spent.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use thiserror::Error;
use tokio::sync::OnceCell;
use url::Url;

use super::timing::{self, Phase, Stopwatch};
use super::{answer, headers};
use crate::domain::text::neutralise;
use crate::domain::{Clock, ConnectionName, Exchange, LogEntry, Outcome, Secret, Wire};
use crate::fault_point::{self, Step};

/// The most that is read of an answer's body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Who we say we are.
const AGENT: &str = concat!("manutop/", env!("CARGO_PKG_VERSION"));
/// How much of a broken body is looked through for pieces of tokens, in bytes.
const MOST_BROKEN: usize = 64 * 1024;
/// How long reaching the server may take, TLS included. Nothing has been sent until then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a whole exchange may take. Generous: an answer given up on may hold a refresh token.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest `Retry-After` obeyed.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// What to send, and on whose behalf.
#[derive(Debug)]
pub struct Request<'a> {
    /// Whose exchange it is.
    pub connection: &'a ConnectionName,
    /// What it is for.
    pub exchange: Exchange,
    /// Where it goes.
    pub url: &'a Url,
    /// What is sent.
    pub payload: Payload<'a>,
    /// The secrets in it, which an answer may echo.
    pub secrets: &'a [&'a Secret],
    /// 1 for the first try.
    pub attempt: u32,
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// `POST` with a form as its body.
    Form(&'a Secret),
    /// `GET` with an access token (RFC 6750 §2.1).
    Bearer(&'a Secret),
}

/// A complete answer (its body perhaps cut at [`MAX_BODY`]).
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// As much of the body as was read. It may hold tokens: it is never logged.
    pub body: Body,
    /// When the server lets the next request come (`Retry-After`), already a moment in time.
    pub retry_after: Option<DateTime<Utc>>,
}

/// A body that does not show itself in debug output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(pub Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// Why there is no complete answer. The difference decides whether a refresh token may be spent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Nothing of the request left this machine.
    #[error("{0}")]
    NotSent(String),
    /// The request may have arrived; no complete answer came back.
    #[error("{why}")]
    Unanswered {
        /// What happened.
        why: String,
        /// What of the body arrived before it broke: it may hold tokens.
        partial: Body,
    },
}

/// Makes exchanges. Clients are built at the first request, because loading the platform's
/// certificates takes milliseconds that the first frame does not have.
#[derive(Clone)]
pub struct Http {
    clock: Arc<dyn Clock>,
    /// For `https`, through the proxy the environment names.
    tls: Arc<OnceCell<reqwest::Client>>,
    /// For `http`, which is allowed on loopback only: never through a proxy.
    plain: Arc<OnceCell<reqwest::Client>>,
}

impl Http {
    /// An exchanger that stamps its log entries by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tls: Arc::default(), plain: Arc::default() }
    }

    /// Sends one request and reads its answer.
    ///
    /// Gives the entry for the request log together with the result, whatever that is.
    ///
    /// # Errors
    /// [`Broken`], in the result's second half.
    pub async fn exchange(&self, request: &Request<'_>) -> (LogEntry, Result<Answer, Broken>) {
        let mut entry = entry(request, self.clock.now());
        let watch = Stopwatch::start();
        let result = watch.watch(self.run(request, &mut entry)).await;
        let (timings, duration) = watch.read();
        entry.wire.timings = timings;
        entry.duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        entry.outcome = match &result {
            Ok(answer) => Outcome::Status(answer.status),
            Err(Broken::NotSent(why) | Broken::Unanswered { why, .. }) => Outcome::Error(why.clone()),
        };
        (entry, result)
    }

    async fn run(&self, request: &Request<'_>, entry: &mut LogEntry) -> Result<Answer, Broken> {
        let client = self.client(request.url).await?;
        let outgoing = outgoing(&client, request)?;
        entry.wire.request_headers = sent_headers(&outgoing, request.secrets);
        let mut response = client.execute(outgoing).await.map_err(|error| broken(&error))?;
        timing::enter(Phase::Receive);
        fault_point::pass(Step::AnswerBegan);
        entry.wire.version = Some(format!("{:?}", response.version()));
        let retry_after = retry_after(response.headers(), self.clock.now());
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let ended = read(&mut response, &mut body).await;
        entry.size = body.len() as u64;
        entry.headers = received_headers(response.headers(), request, &body);
        match ended {
            Ok(()) => Ok(Answer { status, body: Body(body), retry_after }),
            Err(why) => Err(Broken::Unanswered { why, partial: Body(body) }),
        }
    }

    /// Begins to make the client for a URL, where there is none yet: whoever is about to send has other
    /// things to do meanwhile. Must be called on a runtime.
    pub fn prepare(&self, url: &Url) {
        if !self.cell(url).initialized() {
            let (http, url) = (self.clone(), url.clone());
            // A failure is told to whoever sends.
            tokio::spawn(async move { drop(http.client(&url).await) });
        }
    }

    fn cell(&self, url: &Url) -> &OnceCell<reqwest::Client> {
        if url.scheme() == "http" { &self.plain } else { &self.tls }
    }

    async fn client(&self, url: &Url) -> Result<reqwest::Client, Broken> {
        let is_plain = url.scheme() == "http";
        let build = || async move {
            tokio::task::spawn_blocking(move || build(is_plain)).await.map_err(|error| error.to_string())?
        };
        self.cell(url)
            .get_or_try_init(build)
            .await
            .cloned()
            .map_err(|why| Broken::NotSent(format!("the HTTP client could not be made: {why}")))
    }
}

/// The request, with every header but those that the connection adds.
fn outgoing(client: &reqwest::Client, request: &Request<'_>) -> Result<reqwest::Request, Broken> {
    let builder = match request.payload {
        Payload::Form(form) => client
            .post(request.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.expose().to_owned()),
        Payload::Bearer(token) => client.get(request.url.clone()).header(AUTHORIZATION, bearer(token)?),
    };
    builder.header(ACCEPT, "application/json").header(USER_AGENT, AGENT).build().map_err(|error| broken(&error))
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

/// The answer's headers, masked wherever they echo what was sent or repeat what the body says.
fn received_headers(received: &HeaderMap, request: &Request<'_>, body: &[u8]) -> Vec<(String, String)> {
    let answered = match request.payload {
        Payload::Form(_) => secrets_in(body),
        Payload::Bearer(_) => Vec::new(),
    };
    let secrets: Vec<_> = request.secrets.iter().copied().chain(&answered).collect();
    headers::described(received, &secrets)
}

/// The tokens in a token endpoint's answer; the text itself, where it is broken and may hold one.
fn secrets_in(body: &[u8]) -> Vec<Secret> {
    let tokens = answer::read(body);
    let is_broken = tokens.as_ref().is_none_or(|tokens| tokens.is_broken);
    let text = is_broken.then(|| String::from_utf8_lossy(&body[..body.len().min(MOST_BROKEN)]));
    let text = text.filter(|text| text.contains("_token")).map(Secret::new);
    let tokens = tokens.map(|tokens| [tokens.access_token, tokens.refresh_token]);
    tokens.into_iter().flatten().flatten().chain(text).collect()
}

/// Reads the answer's body, as much as fits; `Err` says why it ended before its end.
async fn read(response: &mut reqwest::Response, body: &mut Vec<u8>) -> Result<(), String> {
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        let room = MAX_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    Ok(())
}

fn build(is_plain: bool) -> Result<reqwest::Client, String> {
    // An error means that one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .dns_resolver(Arc::new(timing::Lookup))
        .connector_layer(timing::Watched)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT);
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

fn entry(request: &Request<'_>, at: DateTime<Utc>) -> LogEntry {
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
        Broken::Unanswered { why: words(error), partial: Body::default() }
    }
}

/// The innermost cause, which is the one that says something, without the URL.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "connecting took too long".into() } else { "timeout".into() };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = if error.source().is_none() { "request failed".to_owned() } else { cause.to_string() };
    neutralise(&text, 200)
}

/// `Retry-After` in seconds or as an HTTP date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    let moment = match value.parse::<u32>() {
        Ok(seconds) => now + TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc(),
    };
    Some(moment.clamp(now, now + LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::{LONGEST_WAIT, retry_after};

    fn wait(value: &str) -> Option<TimeDelta> {
        let now: DateTime<Utc> = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(value).unwrap());
        retry_after(&headers, now).map(|until| until - now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_date_and_is_bounded() {
        assert_eq!(wait("30"), Some(TimeDelta::seconds(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(TimeDelta::seconds(37)));
        assert_eq!(wait("Sun, 06 Nov 1993 08:49:37 GMT").map(|_| ()), None);
        assert_eq!(wait("Sat, 06 Nov 1993 08:49:37 GMT"), Some(TimeDelta::zero()));
        assert_eq!(wait("999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait("soon"), None);
    }
}
