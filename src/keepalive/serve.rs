//! Answers on the socket: `/healthz` and `/metrics`, to every program on this machine.
//!
//! Bounded by `LIMITS`; see [`http`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::keepalive::listen::{MetricsListener, Socket};
use crate::keepalive::{KeepaliveState, health, metrics};
use crate::local_server::http::Limits;
use crate::local_server::{Accept, Places, http};

/// What a connection may use.
const LIMITS: Limits = Limits {
    most: 16,
    head_time: Duration::from_secs(5),
    total_time: Duration::from_secs(10),
    head_bytes: 8 * 1024,
    fields: 64,
};

/// Serves until dropped.
pub(crate) async fn serve(listener: MetricsListener, shared: Arc<KeepaliveState>) {
    let mut app = Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics)).with_state(shared);
    if matches!(listener.socket, Socket::Tcp(_)) {
        app = http::by_own_names(app);
    }
    http::serve(listener, Places::new(LIMITS.most), app, LIMITS, CancellationToken::new()).await;
}

/// A connection of either kind of socket.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Accept for MetricsListener {
    type Stream = Box<dyn Stream>;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(match &self.socket {
            Socket::Tcp(socket) => Box::new(socket.accept().await?.0),
            #[cfg(unix)]
            Socket::Unix(socket) => Box::new(Accept::accept(socket).await?),
        })
    }
}

async fn healthz(State(shared): State<Arc<KeepaliveState>>) -> Response {
    let (is_well, body) = health::report(&shared).await;
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(status, "application/json", format!("{body:#}\n"))
}

async fn metrics(State(shared): State<Arc<KeepaliveState>>) -> Response {
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
