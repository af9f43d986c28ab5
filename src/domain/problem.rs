//! What can keep a connection from having a valid access token.

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::domain::reason::Reason;

/// Why a connection has no valid access token, or could not be given a new one.
///
/// Every text in here is bounded, free of secrets and of control characters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// There has been no login yet.
    #[error("never logged in")]
    NeverLoggedIn,
    /// No client secret is stored and no command supplies one.
    #[error("no client secret; set one with: manutop secret set {name}")]
    NoClientSecret {
        /// The connection's name, for the command that fixes it.
        name: String,
    },
    /// The refresh token is not valid any more; only a person can help.
    #[error("needs login: {why}")]
    NeedsLogin {
        /// What the server said, or what is missing.
        why: Reason,
    },
    /// The client ID, the client secret or the request is refused, or something else is set up so that
    /// nothing can be sent; tokens are kept.
    #[error("misconfigured: {why}")]
    Misconfigured {
        /// What the provider said; if it has not refused, what is wrong and how to fix it.
        why: Reason,
        /// Whether the provider has refused.
        refused: bool,
    },
    /// A refresh token was sent and no readable answer was received. It is sent again when it is due.
    #[error("answer lost: {why}")]
    AnswerLost {
        /// When it is sent again; `None` without automatic refresh.
        at: Option<DateTime<Utc>>,
        /// When it was lost, and how.
        why: Reason,
    },
    /// A refresh token was sent and no readable answer was received: it may have been replaced. A person decides, because
    /// the configuration says so (`after_lost_answer = "ask"`).
    #[error("uncertain: {why}")]
    Uncertain {
        /// What happened.
        why: Reason,
    },
    /// A new record is not yet in the secret store.
    #[error("{}: {why}", if *durable { "not saved yet" } else { "the new refresh token is in memory only, and ending manutop loses it" })]
    NotSaved {
        /// Why the store did not take it.
        why: Reason,
        /// Whether it is safe in the journal; otherwise it is in memory only, and lost with the process.
        durable: bool,
    },
    /// The store holds an older record than the journal's mark; it is never sent.
    #[error("store rolled back: {why}")]
    RolledBack {
        /// Both generations.
        why: Reason,
    },
    /// The secret store cannot be used; nothing is sent while that is so.
    #[error("{why}")]
    StoreUnavailable {
        /// What the store said, and what to do.
        why: Reason,
    },
    /// The encrypted store waits for its passphrase; nothing is sent while that is so.
    #[error("{why}")]
    PassphraseNeeded {
        /// That it waits, or that the one given is wrong.
        why: Reason,
    },
    /// A passing failure; the next try is due at `at`.
    #[error("{why}")]
    Retrying {
        /// When it is retried; `None` without automatic refresh.
        at: Option<DateTime<Utc>>,
        /// What failed.
        why: Reason,
    },
    /// The server asked to wait.
    #[error("rate limited until {}", until.format("%H:%M:%S UTC"))]
    RateLimited {
        /// When the next request may go out.
        until: DateTime<Utc>,
    },
    /// A person cancelled it.
    #[error("cancelled")]
    Cancelled,
}

impl Problem {
    /// The whole sentence, its public form, and the provider's error code.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let mut public = self.clone();
        let Some(why) = public.why_mut() else { return Reason::ours(self.to_string()) };
        let code = why.code();
        *why = why.published();
        Reason::withheld(self.to_string(), public.to_string()).with_code(code)
    }

    fn why_mut(&mut self) -> Option<&mut Reason> {
        match self {
            Self::NeedsLogin { why }
            | Self::Misconfigured { why, .. }
            | Self::AnswerLost { why, .. }
            | Self::Uncertain { why }
            | Self::NotSaved { why, .. }
            | Self::RolledBack { why }
            | Self::StoreUnavailable { why }
            | Self::PassphraseNeeded { why }
            | Self::Retrying { why, .. } => Some(why),
            Self::NeverLoggedIn | Self::NoClientSecret { .. } | Self::RateLimited { .. } | Self::Cancelled => None,
        }
    }

    /// Whether new tokens are in memory only: ending the program loses them.
    #[must_use]
    pub fn is_in_memory_only(&self) -> bool {
        matches!(self, Self::NotSaved { durable: false, .. })
    }

    /// Whether waiting may resolve it, so that automatic refresh continues.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Retrying { .. }
                | Self::AnswerLost { .. }
                | Self::RateLimited { .. }
                | Self::StoreUnavailable { .. }
                | Self::PassphraseNeeded { .. }
                | Self::NotSaved { .. }
                | Self::Cancelled
        )
    }
}
