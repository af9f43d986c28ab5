//! The HTTP beneath the servers: connections that can be cut, and answers in all their shapes.
//!
//! Invariant: once a connection is cut, not one more byte is written to it. That is how an
//! answer is lost on the wire without a trace.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, PRAGMA, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::serve::{IncomingStream, Listener};
use futures_util::stream;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::demo::fault::Reply;

/// A TCP listener whose connections can be cut.
pub(super) struct CuttableListener(pub(super) TcpListener);

/// The scissors for one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    /// Ends the connection: its next write fails, which makes the server drop it.
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = Scissors;

    async fn accept(&mut self) -> (CuttableStream, Scissors) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        let scissors = Scissors::default();
        (CuttableStream { stream, scissors: scissors.clone() }, scissors)
    }

    fn local_addr(&self) -> io::Result<Scissors> {
        Ok(Scissors::default())
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection that fails to write once it is cut.
pub(super) struct CuttableStream {
    stream: TcpStream,
    scissors: Scissors,
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.scissors.0.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// An answer in JSON, before it is put on the wire.
pub(super) struct DemoAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Value,
}

impl DemoAnswer {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn headers(mut self, headers: impl IntoIterator<Item = (HeaderName, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let body = self.body.to_string();
        self.with_body(Body::from(body))
    }

    /// The same status and headers with another body.
    fn with_body(self, body: Body) -> Response<Body> {
        let mut response = json_response(self.status, body);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The answer with its body as `rewrite` makes it.
    pub(super) fn rewritten(self, rewrite: fn(Value) -> String) -> Response<Body> {
        let body = rewrite(self.body.clone());
        self.with_body(Body::from(body))
    }

    /// The answer with other headers and its body as `recode` makes it.
    pub(super) fn recoded(
        self,
        headers: &'static [(&'static str, &'static str)],
        recode: fn(Value) -> Vec<u8>,
    ) -> Response<Body> {
        let body = recode(self.body.clone());
        let mut response = self.with_body(Body::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }

    /// The answer with its body sent `bytes` at a time, `every` so often.
    pub(super) fn dripped(self, bytes: usize, every: Duration) -> Response<Body> {
        let rest = Bytes::from(self.body.to_string());
        let drops = stream::unfold(rest, move |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            tokio::time::sleep(every).await;
            let drop = rest.split_to(bytes.clamp(1, rest.len()));
            Some((Ok::<_, io::Error>(drop), rest))
        });
        self.with_body(Body::from_stream(drops))
    }

    /// The answer with half its body, then the end of the connection.
    pub(super) fn truncated(self) -> Response<Body> {
        let whole = Bytes::from(self.body.to_string());
        let length = whole.len();
        let half = whole.slice(..length / 2);
        let parts = stream::unfold(Some(half), |half| async move {
            let Some(half) = half else {
                // Let the first half reach the reader before the connection goes.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None));
            };
            Some((Ok(half), None))
        });
        let mut response = self.with_body(Body::from_stream(parts));
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response
    }
}

impl Reply {
    /// Puts the reply on the wire.
    pub(super) fn into_response(self, scissors: &Scissors) -> Response<Body> {
        match self {
            Self::Status { code, body, retry_after } => {
                let mut response = json_response(status(code), Body::from(body));
                if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(&value).ok()) {
                    response.headers_mut().insert(RETRY_AFTER, value);
                }
                response
            }
            Self::Html { code } => html_response(
                status(code),
                "<!doctype html><html><head><title>Gateway</title></head><body><h1>The gateway is unhappy</h1></body></html>",
            ),
            Self::Body(body) => json_response(StatusCode::OK, Body::from(body)),
            Self::Redirect(to) => {
                let mut response = json_response(StatusCode::TEMPORARY_REDIRECT, Body::empty());
                if let Ok(to) = HeaderValue::from_str(&to) {
                    response.headers_mut().insert(LOCATION, to);
                }
                response
            }
            Self::Oversized(bytes) => json_response(StatusCode::OK, oversized(bytes)),
            Self::Nothing => {
                scissors.cut();
                json_response(StatusCode::OK, Body::empty())
            }
        }
    }
}

/// A JSON string without an end, made as it is sent so that it costs no memory.
fn oversized(bytes: usize) -> Body {
    const CHUNK: &[u8] = &[b'x'; 16 * 1024];
    let opening = Bytes::from_static(br#"{"access_token":""#);
    let chunks = stream::unfold((opening, bytes), |(next, left)| async move {
        if left == 0 {
            return None;
        }
        let chunk = next.slice(..next.len().min(left));
        let left = left - chunk.len();
        Some((Ok::<_, io::Error>(chunk), (Bytes::from_static(CHUNK), left)))
    });
    Body::from_stream(chunks)
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// JSON that no cache may keep (RFC 6749 §5.1).
fn json_response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A page for a person, which no cache may keep, no other page may frame, and which loads nothing.
pub(super) fn html_response(status: StatusCode, html: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // No `form-action`: browsers apply it to the redirect after the consent form as well.
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
