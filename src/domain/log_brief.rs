//! What a row, a filter and a chart need of an exchange, borrowed from an entry or a line.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::log::{Exchange, LogEntry, Outcome};

/// The essence of a [`LogEntry`]: all but headers, sizes and phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief<'a> {
    /// When the request went out.
    pub at: DateTime<Utc>,
    /// Whose exchange it was.
    pub connection: &'a str,
    /// What it was for.
    pub exchange: Exchange,
    /// The HTTP method.
    pub method: &'a str,
    /// Host and port as in the URL.
    pub host: &'a str,
    /// The path, without its query.
    pub path: &'a str,
    /// The HTTP status, or a short word if there was no complete answer.
    pub outcome: Result<u16, &'a str>,
    /// From the first byte out to the last byte in, milliseconds.
    pub duration_ms: u64,
    /// 1 for the first try.
    pub attempt: u32,
    /// The OAuth error code.
    pub oauth_error: Option<&'a str>,
    /// Its description.
    pub description: Option<&'a str>,
}

impl Brief<'_> {
    /// Whether it went well: an answer under 400 and no OAuth error.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.oauth_error.is_none() && self.outcome.is_ok_and(|status| status < 400)
    }
}

impl<'a> From<&'a LogEntry> for Brief<'a> {
    fn from(entry: &'a LogEntry) -> Self {
        Self {
            at: entry.at,
            connection: entry.connection.as_str(),
            exchange: entry.exchange,
            method: &entry.method,
            host: &entry.host,
            path: &entry.path,
            outcome: match &entry.outcome {
                Outcome::Status(status) => Ok(*status),
                Outcome::Error(word) => Err(word),
            },
            duration_ms: entry.duration_ms,
            attempt: entry.attempt,
            oauth_error: entry.oauth_error.as_deref(),
            description: entry.oauth_error_description.as_deref(),
        }
    }
}

/// A line of the log on disk, parsed only as far as [`Brief`] needs: a third of the work.
#[derive(Debug, Deserialize)]
pub struct BriefLine<'a> {
    at: DateTime<Utc>,
    #[serde(borrow)]
    connection: Cow<'a, str>,
    exchange: Exchange,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    host: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    outcome: Outcome,
    duration_ms: u64,
    attempt: u32,
    #[serde(default)]
    oauth_error: Option<String>,
    #[serde(default)]
    oauth_error_description: Option<String>,
}

impl<'a> BriefLine<'a> {
    /// Parses a line; `None` if it is not an entry.
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Its essence.
    #[must_use]
    pub fn brief(&self) -> Brief<'_> {
        Brief {
            at: self.at,
            connection: &self.connection,
            exchange: self.exchange,
            method: &self.method,
            host: &self.host,
            path: &self.path,
            outcome: match &self.outcome {
                Outcome::Status(status) => Ok(*status),
                Outcome::Error(word) => Err(word),
            },
            duration_ms: self.duration_ms,
            attempt: self.attempt,
            oauth_error: self.oauth_error.as_deref(),
            description: self.oauth_error_description.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Brief, BriefLine};
    use crate::domain::LogEntry;

    #[test]
    fn a_line_has_the_same_essence_as_the_entry_it_is_of() {
        let rest = r#""connection":"factory","exchange":"refresh","method":"POST","host":"a\"b","path":"/t","outcome":{"error":"timeout"},"duration_ms":182,"attempt":1,"size":77,"headers":[["date","x"]],"oauth_error":"invalid_grant""#;
        let line = format!(r#"{{"at":"2026-03-01T12:00:00Z",{rest}}}"#);
        let entry: LogEntry = serde_json::from_str(&line).unwrap();
        let read = BriefLine::read(line.as_bytes()).unwrap();
        assert_eq!(read.brief(), Brief::from(&entry));
        assert!(BriefLine::read(b"{\"at\":\"2026-").is_none());
    }
}
