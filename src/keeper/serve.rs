//! Answers on the socket: `/healthz` and `/metrics`, to whoever is on this machine.
//!
//! Invariant: bounded in every way. So many connections at once, each answered once and within a
//! time; a head of so many bytes and fields; no body is read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use super::listen::{Listener, Socket};
use super::{Shared, health, metrics};
use crate::config::is_loopback;
use crate::store::socket::{Door, let_in};

/// How many are answered at once; who comes then waits.
const MOST_AT_ONCE: usize = 16;
/// How long one may take, from its first byte to our last.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest head, in bytes: the least that hyper can do with.
const LONGEST_HEAD: usize = 8 * 1024;
/// The most fields of a head.
const MOST_FIELDS: usize = 64;

/// Serves until dropped.
pub(super) async fn serve(listener: Listener, shared: Arc<Shared>) {
    let mut app = Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics)).with_state(shared);
    if matches!(listener.socket, Socket::Tcp(_)) {
        app = app.layer(middleware::from_fn(only_by_our_own_names));
    }
    let_in(listener, MOST_AT_ONCE, TIMEOUT, |stream| {
        let app = app.clone();
        async move {
            let _ = answer(stream, app).await;
        }
    })
    .await;
}

/// What comes in, by whichever door.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Door for Listener {
    type Stream = Box<dyn Stream>;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(match &self.socket {
            Socket::Tcp(socket) => Box::new(socket.accept().await?.0),
            #[cfg(unix)]
            Socket::Unix(socket) => Box::new(Door::accept(socket).await?),
        })
    }
}

async fn answer(stream: Box<dyn Stream>, app: Router) -> hyper::Result<()> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_FIELDS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await
}

/// Answers only those who ask for this machine by a name that is its own: a page in a browser here
/// can make its own name mean this machine (DNS rebinding), and would read what it is told.
async fn only_by_our_own_names(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let is_ours = host.is_none_or(|host| Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url)));
    if is_ours {
        next.run(request).await
    } else {
        let words = "ask for this machine as localhost or by its loopback address\n";
        respond(StatusCode::MISDIRECTED_REQUEST, "text/plain", words.into())
    }
}

async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let (is_well, body) = health::report(&shared).await;
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(status, "application/json", format!("{body:#}\n"))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let Some(views) = shared.views().await else {
        return respond(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "the engine does not answer\n".into());
    };
    match shared.metrics.encode(&views, shared.leads(), shared.clock.now()) {
        Ok(text) => respond(StatusCode::OK, metrics::CONTENT_TYPE, text),
        Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("{error}\n")),
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
