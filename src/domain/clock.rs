//! The clock: everything that needs the time is given `now` or one of these.

use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// When the program was started; unset in a library.
static STARTED: OnceLock<Instant> = OnceLock::new();

/// Notes that the program starts now. The first call counts.
pub fn note_start() {
    STARTED.get_or_init(Instant::now);
}

/// How long the program has been running; zero where [`note_start`] was never called.
#[must_use]
pub fn running_for() -> TimeDelta {
    STARTED.get().and_then(|started| TimeDelta::from_std(started.elapsed()).ok()).unwrap_or_default()
}

/// A time for scripts, logs and hooks: in UTC, to the second, `2026-03-10T12:02:31Z` (RFC 3339).
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A wall clock. Tests replace it with one they move by hand.
pub trait Clock: Send + Sync {
    /// The current time, UTC.
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
