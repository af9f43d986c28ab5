//! One HTTP exchange, as the request log keeps it: redacted before it comes into being.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::connection::ConnectionName;

/// One HTTP exchange. It holds no secret: it is made from method, host, path and status, never
/// from bodies, and every text from a server is bounded and neutralised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When the request went out (or, for a redirect, came in).
    pub at: DateTime<Utc>,
    /// Whose exchange it was.
    pub connection: ConnectionName,
    /// What it was for.
    pub exchange: Exchange,
    /// The HTTP method.
    pub method: String,
    /// Host and port as in the URL.
    pub host: String,
    /// The path, without its query.
    pub path: String,
    /// What came of it.
    pub outcome: Outcome,
    /// From the first byte out to the last byte in, milliseconds.
    pub duration_ms: u64,
    /// 1 for the first try, counting up while retries follow a failure.
    pub attempt: u32,
    /// Size of the response's body in bytes, as far as it was read.
    pub size: u64,
    /// Response headers that tell of rate limits, `Retry-After` and `Date` among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The OAuth error code (RFC 6749 §4.1.2.1, §5.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error: Option<String>,
    /// Its description, or a redacted excerpt of an answer that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error_description: Option<String>,
}

/// What an exchange was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exchange {
    /// The authorization request handed to the browser, or the redirect that answered it.
    Authorization,
    /// An authorization code for tokens (RFC 6749 §4.1.3).
    Code,
    /// A refresh token for new tokens (§6).
    Refresh,
    /// Client credentials for a token (§4.4).
    Mint,
    /// A test call with the access token.
    Test,
}

/// What came of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The HTTP status of a complete answer.
    Status(u16),
    /// No complete answer: a short word such as `timeout`, `refused`, `too large`.
    Error(String),
}

impl LogEntry {
    /// Whether it went well: an answer under 400 and no OAuth error.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.oauth_error.is_none() && matches!(self.outcome, Outcome::Status(status) if status < 400)
    }

    /// By how much the server's clock was ahead of ours, from its `Date` header, to the second.
    #[must_use]
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        let theirs = DateTime::parse_from_rfc2822(self.header("date")?).ok()?.to_utc();
        let ours = self.at + TimeDelta::try_milliseconds(i64::try_from(self.duration_ms).ok()?)?;
        Some(TimeDelta::seconds((theirs - ours).num_seconds()))
    }

    /// A response header by name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
