//! The symbols that say what the colours say.

use chrono::{DateTime, Utc};

use crate::domain::{Severity, Status};

/// The symbol of a status. What is under way turns, once a second.
#[must_use]
pub fn symbol(status: &Status, now: DateTime<Utc>) -> &'static str {
    match status {
        Status::Loading => "◌",
        Status::NeverLoggedIn => "○",
        Status::Expiring => "◐",
        other => severity_symbol(other.severity(), now),
    }
}

/// The symbol of a severity.
#[must_use]
pub fn severity_symbol(severity: Severity, now: DateTime<Utc>) -> &'static str {
    const TURNING: [&str; 4] = ["◐", "◓", "◑", "◒"];
    match severity {
        Severity::Quiet => "○",
        Severity::Good => "●",
        Severity::Busy => TURNING[usize::try_from(now.timestamp().rem_euclid(4)).unwrap_or(0)],
        Severity::Warning => "▲",
        Severity::Bad => "✖",
    }
}
