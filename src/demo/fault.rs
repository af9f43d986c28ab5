//! Faults that a test, or a curious person, can make token requests run into.
//!
//! A fault says by its kind whether the request was processed (and so whether the refresh token
//! was replaced); it applies to one request and is gone, unless it was made to last
//! ([`crate::demo::Manu::break_down`], [`crate::demo::Manus::break_down`]).

use std::time::Duration;

use serde_json::Value;

/// What goes wrong with one token request.
#[derive(Debug, Clone)]
pub enum DemoFault {
    /// The request is not processed: no token changes. This is the answer instead.
    Instead(Reply),
    /// The request is processed, and its true answer replaced by this one.
    Afterwards(Reply),
    /// The request waits this long before it is processed.
    DelayBefore(Duration),
    /// The request is processed, and its answer held back this long.
    DelayAfter(Duration),
    /// The request is processed, and the body of its answer sent a few bytes at a time.
    Drip {
        /// How many bytes at a time; at least one is sent.
        bytes: usize,
        /// The pause before each of them.
        every: Duration,
    },
    /// The request is processed, and the connection closed in the middle of its answer's body.
    Truncated,
    /// The request is processed, and the body of its answer replaced by what this makes of it.
    Rewrite(fn(Value) -> String),
    /// The request is processed, and its answer sent with these headers, in the place of its own of
    /// the same names, and with the body that this makes of it.
    Recode {
        /// Names in lower case, and values.
        headers: &'static [(&'static str, &'static str)],
        /// Makes the body.
        body: fn(Value) -> Vec<u8>,
    },
}

impl DemoFault {
    /// Processed, then the connection is closed without a word: the caller cannot know whether
    /// its refresh token was replaced. (It was.)
    #[must_use]
    pub fn lost_answer() -> Self {
        Self::Afterwards(Reply::Nothing)
    }

    /// Not processed; answered with this status and body.
    #[must_use]
    pub fn status(code: u16, body: &str) -> Self {
        Self::Instead(Reply::Status { code, body: body.to_owned(), retry_after: None })
    }

    /// Not processed; answered with 503 and the seconds after which the server takes requests again.
    #[must_use]
    pub fn unavailable(seconds: u32) -> Self {
        Self::Instead(Reply::Status { code: 503, body: "<h1>down</h1>".into(), retry_after: Some(seconds.to_string()) })
    }
}

/// An answer that the provider's own rules would not have given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status with a body (labelled as JSON).
    Status {
        /// The HTTP status; one that is no status at all becomes 500.
        code: u16,
        /// The body, as it is.
        body: String,
        /// The `Retry-After` header's value: seconds, an HTTP date, or nonsense.
        retry_after: Option<String>,
    },
    /// A gateway's HTML page with this status.
    Html {
        /// The HTTP status; one that is no status at all becomes 500.
        code: u16,
    },
    /// A 200 with this body (labelled as JSON).
    Body(String),
    /// A 307 to this address: a client that followed it would hand over its secrets.
    Redirect(String),
    /// A 200 with a body of this many bytes, streamed without a `Content-Length`.
    Oversized(usize),
    /// No answer at all: the connection is closed.
    Nothing,
}
