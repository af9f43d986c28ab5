//! A request to a provider, its answer, and how an exchange can fail.

use chrono::{DateTime, Utc};
use thiserror::Error;
use url::Url;

use crate::domain::{ConnectionName, Exchange, Reason, Secret};

/// The most that is read of an answer's body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// A request for a connection.
#[derive(Debug)]
pub struct HttpRequest<'a> {
    /// The connection it is for.
    pub connection: &'a ConnectionName,
    /// Its purpose.
    pub exchange: Exchange,
    /// The endpoint.
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
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// As much of the body as was read, its codings undone. It may hold tokens: it is never logged.
    pub body: Body,
    /// The body is complete: not longer than [`MAX_BODY`], and its coding not broken.
    pub is_whole: bool,
    /// The `WWW-Authenticate` header as it was sent.
    pub challenge: Option<String>,
    /// The time from which the server accepts the next request (`Retry-After`).
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
    NotSent(Reason),
    /// The request may have arrived; no complete answer was received.
    #[error("{why}")]
    Unanswered {
        /// What happened.
        why: Reason,
        /// The HTTP status, if the answer got that far.
        status: Option<u16>,
        /// The part of the body that arrived, decoded: it may hold tokens.
        partial: Body,
    },
}
