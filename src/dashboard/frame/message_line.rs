//! The message line: what just happened, for some seconds.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::text::neutralise;
use crate::domain::{ConnectionName, Severity};

/// The most characters of a reason on the message line.
const LONGEST_REASON: usize = 300;

/// What just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMessage {
    /// Whose news; none for the program's own.
    pub connection: Option<ConnectionName>,
    /// How good or bad it is.
    pub severity: Severity,
    /// In words, without the connection's name.
    pub text: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// It is the first thing said to a person: news that no one asked for waits until it was read.
    pub greets: bool,
}

impl StatusMessage {
    /// Whether it is still worth showing. Bad news stays longer.
    #[must_use]
    pub fn lives(&self, now: DateTime<Utc>) -> bool {
        let seconds = match self.severity {
            _ if self.greets => 12,
            Severity::Quiet | Severity::Good | Severity::Busy => 6,
            Severity::Warning => 10,
            Severity::Bad => 20,
        };
        now - self.at < TimeDelta::seconds(seconds)
    }

    /// Whether it may take the place of `other`: good news of one connection does not wipe away
    /// bad news of another before it could be read, and no connection's news a greeting.
    #[must_use]
    pub fn may_replace(&self, other: &Self) -> bool {
        let is_good_after_bad = self.severity < Severity::Warning && other.severity >= Severity::Warning;
        let is_of_another = self.connection.is_some() && self.connection != other.connection;
        !(other.lives(self.at) && is_of_another && (other.greets || is_good_after_bad))
    }
}

/// Why something failed, in one line that is safe to show.
pub(crate) fn reason(why: &(impl ToString + ?Sized)) -> String {
    neutralise(&why.to_string(), LONGEST_REASON)
}
