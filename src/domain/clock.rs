//! The clock, a seam: everything that needs the time is given `now` or one of these.

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment as scripts, logs and hooks are told it: in UTC, to the second, `2026-03-10T12:02:31Z`
/// (RFC 3339).
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Tells the wall-clock time. Tests put a hand-moved one in its place.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
