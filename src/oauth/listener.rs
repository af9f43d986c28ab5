//! The loopback listener that waits for the redirect of a login (RFC 8252 §7.3).
//!
//! It is bound before any browser opens, on IPv4 and IPv6 for `localhost`, answers stray requests
//! without ending, and keeps the browser waiting until the exchange is through, so that the page
//! can say how the login really went.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::{Host, Url};

use super::callback::{self, CallbackError};
use super::page::{Tone, render};
use crate::domain::Secret;

/// How long the browser is kept waiting for the outcome of the exchange.
const PAGE_TIMEOUT: Duration = Duration::from_secs(65);
/// How long closing waits for pages that are on their way.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How many ports are tried until one is free on both loopback addresses.
const PORT_TRIES: usize = 16;

/// Why no listener could be bound.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The redirect URI names no loopback host over `http`.
    #[error("the redirect URI {0} is not on this machine")]
    NotLoopback(String),
    /// Another program listens there.
    #[error(
        "port {port} of the redirect URI is taken by another program; end that program, or register a redirect URI with another port"
    )]
    Taken {
        /// The port.
        port: u16,
    },
    /// The system refused.
    #[error("cannot listen on {address}: {source}")]
    Io {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A redirect that arrived. The browser waits until [`Arrival::page`] is told what to show.
#[derive(Debug)]
pub struct Arrival {
    /// The authorization code, or why there is none.
    pub code: Result<Secret, CallbackError>,
    /// Takes the outcome: a sentence for a good page, or one for a bad page.
    pub page: oneshot::Sender<Result<String, String>>,
}

/// A bound listener that serves until dropped.
#[derive(Debug)]
pub struct Listener {
    redirect_uri: String,
    sockets: Vec<TcpListener>,
    path: String,
}

/// A listener at work; dropping it closes the sockets.
#[derive(Debug)]
pub struct Serving {
    arrivals: mpsc::Receiver<Arrival>,
    servers: JoinSet<()>,
    stop: DropGuard,
}

impl Listener {
    /// Whether a redirect URI can be listened for on this machine.
    #[must_use]
    pub fn is_loopback(redirect_uri: &str) -> bool {
        parse(redirect_uri).is_some()
    }

    /// Binds the address of a redirect URI; where it names no port, a free one is chosen.
    ///
    /// # Errors
    /// The URI is not on this machine, its port is taken, or the system refuses.
    pub async fn bind(redirect_uri: &str) -> Result<Self, ListenError> {
        let (url, addresses) = parse(redirect_uri).ok_or_else(|| ListenError::NotLoopback(redirect_uri.to_owned()))?;
        let (port, sockets) = match explicit_port(redirect_uri) {
            Some(port) => (port, bind_all(&addresses, port).await?),
            None => bind_free(&addresses).await?,
        };
        let redirect_uri = with_port(redirect_uri, port);
        Ok(Self { redirect_uri, sockets, path: url.path().to_owned() })
    }

    /// The redirect URI with the port that is listened on: what the authorization request sends.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Starts answering; `state` is the one the authorization request sent.
    #[must_use]
    pub fn serve(self, state: Secret) -> Serving {
        let (sender, arrivals) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let path = self.path.clone();
        let app =
            Router::new().fallback(move |method: axum::http::Method, uri: axum::http::Uri, query: RawQuery, state| {
                let is_callback = method == axum::http::Method::GET && uri.path() == path;
                async move { if is_callback { callback(query, state).await } else { stray() } }
            });
        let app = app.route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT })).with_state((sender, state));
        let mut servers = JoinSet::new();
        for socket in self.sockets {
            let (app, stop) = (app.clone(), stop.clone());
            servers.spawn(async move {
                let _ = axum::serve(socket, app).with_graceful_shutdown(stop.cancelled_owned()).await;
            });
        }
        Serving { arrivals, servers, stop: stop.drop_guard() }
    }
}

impl Serving {
    /// Waits for the next redirect.
    pub async fn arrival(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// Closes the sockets, after the last page has gone out: the browser should not be left with a
    /// broken connection where it was about to say that all is well.
    pub async fn close(self) {
        let Self { arrivals, mut servers, stop } = self;
        drop((arrivals, stop));
        let all = async { while servers.join_next().await.is_some() {} };
        // A browser may hold on to a spare connection for longer than anybody wants to wait.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, all).await;
    }
}

type Shared = (mpsc::Sender<Arrival>, Secret);

async fn callback(RawQuery(query): RawQuery, State((arrivals, state)): State<Shared>) -> Response {
    let code = callback::read_query(query.as_deref().unwrap_or_default(), &state);
    let (page, outcome) = oneshot::channel();
    let gone = || Err("manutop no longer waits for this login.".to_owned());
    let outcome = if arrivals.send(Arrival { code, page }).await.is_ok() {
        tokio::time::timeout(PAGE_TIMEOUT, outcome)
            .await
            .map_or_else(|_| gone(), |told| told.unwrap_or_else(|_| gone()))
    } else {
        gone()
    };
    match outcome {
        Ok(sentence) => respond(StatusCode::OK, &render(Tone::Good, "Logged in", &sentence)),
        Err(sentence) => respond(StatusCode::BAD_REQUEST, &render(Tone::Bad, "Not logged in", &sentence)),
    }
}

fn stray() -> Response {
    respond(
        StatusCode::NOT_FOUND,
        &render(Tone::Bad, "Nothing here", "manutop only waits for the end of a login on this address."),
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

/// The URL and its loopback addresses; `None` where it is not `http` on loopback.
fn parse(redirect_uri: &str) -> Option<(Url, Vec<IpAddr>)> {
    let url = Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http")?;
    let addresses = match url.host()? {
        Host::Ipv4(address) if address.is_loopback() => vec![IpAddr::V4(address)],
        Host::Ipv6(address) if address.is_loopback() => vec![IpAddr::V6(address)],
        Host::Domain(name) if name.eq_ignore_ascii_case("localhost") => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        _ => return None,
    };
    Some((url, addresses))
}

/// The port as written. `Url::port` hides `:80`, which is not the same as no port here.
fn explicit_port(redirect_uri: &str) -> Option<u16> {
    let authority = authority(redirect_uri);
    authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'))?.1.parse().ok()
}

fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// The redirect URI with `port`, where it names none itself.
fn with_port(redirect_uri: &str, port: u16) -> String {
    if explicit_port(redirect_uri).is_some() {
        return redirect_uri.to_owned();
    }
    let authority = authority(redirect_uri);
    redirect_uri.replacen(authority, &format!("{}:{port}", authority.trim_end_matches(':')), 1)
}

async fn bind_free(addresses: &[IpAddr]) -> Result<(u16, Vec<TcpListener>), ListenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let first = bind_one(SocketAddr::new(addresses[0], 0)).await?;
        let port = first
            .local_addr()
            .map_err(|source| ListenError::Io { address: SocketAddr::new(addresses[0], 0), source })?
            .port();
        match bind_all(&addresses[1..], port).await {
            Ok(others) => return Ok((port, std::iter::once(first).chain(others).collect())),
            Err(ListenError::Taken { .. }) if tries < PORT_TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// Binds every address there is; a machine without IPv6 does without.
async fn bind_all(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut sockets = Vec::new();
    for address in addresses {
        match bind_one(SocketAddr::new(*address, port)).await {
            Ok(socket) => sockets.push(socket),
            Err(ListenError::Io { source, .. })
                if address.is_ipv6() && source.kind() == io::ErrorKind::AddrNotAvailable => {}
            Err(ListenError::Io { source, .. }) if address.is_ipv6() && source.kind() == io::ErrorKind::Unsupported => {
            }
            Err(error) => return Err(error),
        }
    }
    Ok(sockets)
}

async fn bind_one(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken { port: address.port() },
        _ => ListenError::Io { address, source },
    })
}

#[cfg(test)]
mod tests {
    use super::{ListenError, Listener, Secret, explicit_port, with_port};

    async fn fetch(url: &str) -> (u16, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let response = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    #[test]
    fn ports_are_read_as_written() {
        assert_eq!(explicit_port("http://127.0.0.1:80/cb"), Some(80));
        assert_eq!(explicit_port("http://[::1]/cb"), None);
        assert_eq!(explicit_port("http://[::1]:9/cb"), Some(9));
        assert_eq!(with_port("http://[::1]/cb", 9), "http://[::1]:9/cb");
        assert_eq!(with_port("http://127.0.0.1/127.0.0.1", 9), "http://127.0.0.1:9/127.0.0.1");
    }

    #[test]
    fn only_http_on_loopback_is_listened_for() {
        for (uri, expected) in [
            ("http://127.0.0.1:8400/callback", true),
            ("http://127.9.9.9/callback", true),
            ("http://[::1]/callback", true),
            ("http://LOCALHOST:1/", true),
            ("https://127.0.0.1/callback", false),
            ("https://www.getpostman.com/oauth2/callback", false),
            ("http://127.0.0.1.example.com/", false),
        ] {
            assert_eq!(Listener::is_loopback(uri), expected, "{uri}");
        }
    }

    #[tokio::test]
    async fn strays_are_answered_and_the_page_waits_for_the_outcome() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let uri = listener.redirect_uri().to_owned();
        let mut serving = listener.serve(Secret::new("st"));
        let base = uri.trim_end_matches("/callback").to_owned();
        assert_eq!(fetch(&format!("{base}/favicon.ico")).await.0, 204);
        assert_eq!(fetch(&format!("{base}/other")).await.0, 404);
        let good = format!("{uri}?code=c&state=st");
        let (page, ()) = tokio::join!(fetch(&good), async {
            let arrival = serving.arrival().await.unwrap();
            assert_eq!(arrival.code.unwrap().expose(), "c");
            arrival.page.send(Ok("factory is connected.".into())).unwrap();
        });
        assert!(page.0 == 200 && page.1.contains("factory is connected."), "{page:?}");
    }

    #[tokio::test]
    async fn a_forged_state_is_reported_and_explained_in_the_browser() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let url = format!("{}?code=c&state=forged", listener.redirect_uri());
        let mut serving = listener.serve(Secret::new("st"));
        let (page, ()) = tokio::join!(fetch(&url), async {
            let arrival = serving.arrival().await.unwrap();
            arrival.page.send(Err(arrival.code.unwrap_err().to_string())).unwrap();
        });
        assert!(page.0 == 400 && page.1.contains("is not the one sent"), "{page:?}");
    }

    #[tokio::test]
    async fn localhost_is_bound_on_both_families_and_a_taken_port_is_named() {
        let listener = Listener::bind("http://localhost/cb").await.unwrap();
        let families: Vec<_> = listener.sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        assert!(families[0].is_ipv4() && families.iter().all(|address| address.port() == families[0].port()));
        let error = Listener::bind(&format!("http://localhost:{}/cb", families[0].port())).await.unwrap_err();
        assert!(matches!(error, ListenError::Taken { port } if port == families[0].port()), "{error}");
    }
}
