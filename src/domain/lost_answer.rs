//! A refresh token that was sent without receiving a readable answer.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A refresh whose answer was lost. The provider has replaced the refresh token or it has not; no
/// newer one is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostAnswer {
    /// When the refresh token was sent first.
    pub at: DateTime<Utc>,
    /// How often it has been sent.
    pub sends: u32,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossOutcome {
    /// The refresh token is about to be sent again, or waits for a person.
    Pending,
    /// Sent again, it was answered with new tokens.
    Recovered,
    /// Sent again, it was refused: the provider had already replaced it.
    Replaced,
}

impl LossOutcome {
    /// The stable word for scripts.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Recovered => "recovered",
            Self::Replaced => "replaced",
        }
    }
}

/// `answer lost at 2026-03-10 14:02:07 UTC`.
impl fmt::Display for LostAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answer lost at {}", self.at.format("%Y-%m-%d %H:%M:%S UTC"))
    }
}
