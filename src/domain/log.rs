//! One HTTP exchange, as the request log keeps it: redacted when it is created.
//!
//! Fields added by later versions are optional, so that lines written by older ones can be read.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::connection::ConnectionName;

/// The default limit of the request log on disk, in bytes: some 10,000 requests.
pub const DEFAULT_LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// The start of the description of an exchange that gave tokens with an implausible lifetime: our own note, not a
/// failure.
pub const LIFETIME_NOTE: &str = "expires_in ";

/// One HTTP exchange. It holds no secret: it is made from method, URL, status, headers and times,
/// with what is secret in them masked, and of bodies from an OAuth error alone; every text from a
/// server is bounded and neutralised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When the request was sent (or, for a redirect, received).
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
    /// The outcome.
    pub outcome: Outcome,
    /// From the first byte out to the last byte in, milliseconds.
    pub duration_ms: u64,
    /// 1 for the first try, counting up while retries follow a failure.
    pub attempt: u32,
    /// Size of the response's body in bytes, as far as it was read.
    pub size: u64,
    /// The answer's headers; rate limits, `Retry-After` and `Date` first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The OAuth error code (RFC 6749 §4.1.2.1, §5.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error: Option<String>,
    /// Its description, or a redacted excerpt of an answer that could not be read, or a note that
    /// begins with [`LIFETIME_NOTE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error_description: Option<String>,
    /// Further details of the exchange.
    #[serde(default, skip_serializing_if = "Wire::is_empty")]
    pub wire: Wire,
}

/// Details of an exchange, if they are known: older versions did not log them, and a redirect through a browser has
/// none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wire {
    /// The whole URL; in the query only numeric values are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The answer's protocol, `HTTP/1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The request's headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<(String, String)>,
    /// Where the time went.
    #[serde(skip_serializing_if = "Timings::is_empty")]
    pub timings: Timings,
}

/// Where the time of an exchange went, in microseconds. The phases follow each other, and those
/// that were reached add up to the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Before a connection was begun: this program's own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_us: Option<u64>,
    /// Looking up the host's name; none for an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_us: Option<u64>,
    /// TCP and, for `https`, TLS, which cannot be distinguished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_us: Option<u64>,
    /// From the connection to the answer's headers: sending, and the server's thinking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_us: Option<u64>,
    /// The answer's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_us: Option<u64>,
}

impl Wire {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Timings {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// From the beginning to the answer's headers; `None` if there was no answer.
    #[must_use]
    pub fn first_byte_us(&self) -> Option<u64> {
        self.receive_us?;
        let before = [self.blocked_us, self.dns_us, self.connect_us, self.wait_us];
        Some(before.into_iter().flatten().fold(0, u64::saturating_add))
    }
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
    /// The revocation of a refresh token (RFC 7009 §2.1).
    Revoke,
}

/// The outcome of an exchange.
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

    /// The URL. Older entries lack the scheme, which is `http` on loopback only.
    #[must_use]
    pub fn url(&self) -> String {
        self.wire.url.clone().unwrap_or_else(|| {
            let host = self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host);
            let is_address =
                |host: &str| host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
            let is_loopback = host == "localhost" || is_address(host) || is_address(&self.host);
            format!("{}://{}{}", if is_loopback { "http" } else { "https" }, self.host, self.path)
        })
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

#[cfg(test)]
mod tests {
    use super::{LogEntry, Timings};

    #[test]
    fn a_line_of_an_older_version_is_read_and_written_back_the_same() {
        let line = r#"{"at":"2026-03-01T12:00:00Z","connection":"factory","exchange":"refresh","method":"POST","host":"auth.manuonline.com","path":"/oauth/token","outcome":{"status":200},"duration_ms":182,"attempt":1,"size":77,"headers":[["date","Sun, 01 Mar 2026 12:00:00 GMT"]]}"#;
        let entry: LogEntry = serde_json::from_str(line).unwrap();
        assert!(entry.wire.timings.is_empty());
        assert_eq!(serde_json::to_string(&entry).unwrap(), line);
    }

    #[test]
    fn the_first_byte_came_after_all_that_precedes_it() {
        let timings = Timings { connect_us: Some(3), wait_us: Some(4), ..Timings::default() };
        assert_eq!(timings.first_byte_us(), None, "no answer began");
        assert_eq!(Timings { receive_us: Some(9), ..timings }.first_byte_us(), Some(7));
    }
}
