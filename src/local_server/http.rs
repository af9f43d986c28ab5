//! HTTP for programs on this machine.
//!
//! Invariants: one request per connection, which must arrive within a time and be answered within another; a bounded
//! head; no body is read. On a TCP socket, only a request whose `Host` names this machine is answered.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;
use url::Url;

use crate::local_server::accept::{Accept, serve_all};
use crate::local_server::is_loopback;
use crate::local_server::places::Places;

/// What a connection may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections at once; see [`Places`].
    pub most: usize,
    /// How long the request's head may take to arrive.
    pub head_time: Duration,
    /// How long a connection may take in all.
    pub total_time: Duration,
    /// The longest head, in bytes; hyper needs 8 KiB.
    pub head_bytes: usize,
    /// The most fields of a head.
    pub fields: usize,
}

/// Answers one request on a stream, within the limits. A connection that exceeds them is closed.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: S, router: Router, limits: Limits) {
    let _ = tokio::time::timeout(limits.total_time, answer_noting(stream, router, limits, || {})).await;
}

/// Answers every connection of a listener until dropped. After `stop`, it answers only requests that have arrived.
/// `places` may be shared by several listeners.
pub async fn serve<L>(listener: L, places: Places, router: Router, limits: Limits, stop: CancellationToken)
where
    L: Accept<Stream: AsyncRead + AsyncWrite + Unpin + 'static>,
{
    serve_all(listener, places, limits.total_time, stop, |stream, place| {
        let router = router.clone();
        async move { answer_noting(stream, router, limits, || place.keep()).await }
    })
    .await;
}

/// Answers one request, and says when its head has arrived.
async fn answer_noting<S>(stream: S, router: Router, limits: Limits, arrived: impl Fn())
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| {
        arrived();
        router.clone().call(request)
    });
    // An error ends this connection alone, and the other side knows.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.fields)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The same router for a TCP socket: it refuses a request for another host. A web page can make a name of its own
/// resolve to this machine (DNS rebinding) and would read the answer.
pub fn by_own_names(router: Router) -> Router {
    router.layer(middleware::from_fn(only_by_own_names))
}

async fn only_by_own_names(request: Request, next: Next) -> Response {
    let named = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().ok());
    let named = named.chain(request.uri().authority().map(|authority| Some(authority.as_str())));
    let are_ours = named.into_iter().all(|host| host.is_some_and(is_this_machine));
    if are_ours {
        next.run(request).await
    } else {
        let words = "ask for this machine as localhost or by its loopback address\n";
        (StatusCode::MISDIRECTED_REQUEST, [(header::CACHE_CONTROL, "no-store")], words).into_response()
    }
}

fn is_this_machine(authority: &str) -> bool {
    Url::parse(&format!("http://{authority}/")).is_ok_and(|url| is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::{Limits, answer, by_own_names};

    const LIMITS: Limits = Limits {
        most: 4,
        head_time: Duration::from_secs(5),
        total_time: Duration::from_secs(20),
        head_bytes: 8 * 1024,
        fields: 10,
    };

    /// A stream that is answered from its other end.
    fn connect() -> DuplexStream {
        let router = Router::new()
            .route("/", get(async || "well"))
            .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(3600)).await));
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(answer(theirs, by_own_names(router), LIMITS));
        ours
    }

    /// All that is answered before the connection ends.
    async fn all(mut stream: DuplexStream) -> String {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    async fn answered(request: &str) -> String {
        let mut stream = connect();
        let _ = stream.write_all(request.as_bytes()).await;
        all(stream).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_is_answered_and_what_follows_it_is_not() {
        let one = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        assert!(answered(one).await.ends_with("well"));
        assert_eq!(answered(&one.repeat(5)).await.matches("HTTP/1.1").count(), 1);
        let posted = answered("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\nx").await;
        assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_too_long_or_has_too_many_fields_is_refused() {
        for field in [format!("X: {}\r\n", "y".repeat(9000)), "X: y\r\n".repeat(20)] {
            let answer = answered(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{field}\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_arrive_in_time_ends_the_connection() {
        let began = Instant::now();
        for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
            assert!(!answered(start).await.contains("200"), "{start}");
        }
        assert!(began.elapsed() < LIMITS.head_time * 4);
        // A byte now and then does not keep it open either.
        let (began, mut stream) = (Instant::now(), connect());
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        while stream.write_all(b"y").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(began.elapsed() < LIMITS.head_time * 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_longer_than_the_head_but_not_for_ever() {
        let began = Instant::now();
        assert_eq!(answered("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await, "");
        assert_eq!(began.elapsed().as_secs(), LIMITS.total_time.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_request_for_this_machine_is_answered() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\nHost: localhost:8400", 200),
            ("GET / HTTP/1.1\r\nHost: LOCALHOST", 200),
            ("GET / HTTP/1.1\r\nHost: 127.9.9.9:1", 200),
            ("GET / HTTP/1.1\r\nHost: [::1]:8400", 200),
            ("GET / HTTP/1.0", 200),
            ("GET / HTTP/1.1\r\nHost: evil.example", 421),
            ("GET / HTTP/1.1\r\nHost: localhost.evil.example", 421),
            ("GET / HTTP/1.1\r\nHost: evil.example#@localhost", 421),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", 421),
            ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost", 421),
            ("GET / HTTP/1.1\r\nHost: 192.0.2.1", 421),
            ("GET / HTTP/1.1\r\nHost: \u{e9}", 421),
            ("GET / HTTP/1.1\r\nHost: ", 421),
        ] {
            let answer = answered(&format!("{head}\r\n\r\n")).await;
            assert!(answer.split(' ').nth(1) == Some(&status.to_string()), "{head}: {answer}");
        }
    }
}
