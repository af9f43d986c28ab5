//! The status of a connection: one word for a person, derived, never stored.

use chrono::{DateTime, Utc};

/// What a person should see at a glance. Derived by [`crate::domain::ConnectionView::status`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The store has not answered yet.
    Loading,
    /// A valid access token, more than a tenth of its lifetime left.
    Live,
    /// A valid access token, under a tenth of its lifetime left.
    Expiring,
    /// The access token has ended.
    Expired,
    /// A token request has been sent.
    Refreshing,
    /// A login is under way.
    LoggingIn,
    /// Another process holds the connection's lock.
    WaitingForLock {
        /// The holder's process ID, if it could be read.
        pid: Option<u32>,
    },
    /// See [`crate::domain::Problem::NeverLoggedIn`].
    NeverLoggedIn,
    /// See [`crate::domain::Problem::NoClientSecret`].
    NoClientSecret,
    /// See [`crate::domain::Problem::Retrying`].
    Retrying {
        /// When it is tried again.
        at: Option<DateTime<Utc>>,
    },
    /// See [`crate::domain::Problem::AnswerLost`].
    AnswerLost {
        /// When the refresh token is sent again.
        at: Option<DateTime<Utc>>,
    },
    /// See [`crate::domain::Problem::RateLimited`].
    RateLimited {
        /// When the next request may go out.
        until: DateTime<Utc>,
    },
    /// See [`crate::domain::Problem::NeedsLogin`].
    NeedsLogin,
    /// See [`crate::domain::Problem::Misconfigured`].
    Misconfigured,
    /// See [`crate::domain::Problem::Uncertain`].
    Uncertain,
    /// See [`crate::domain::Problem::NotSaved`].
    NotSaved,
    /// See [`crate::domain::Problem::RolledBack`].
    RolledBack,
    /// See [`crate::domain::Problem::StoreUnavailable`].
    StoreUnavailable,
}

/// How much a status asks for attention, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing known yet, or nothing to do.
    Quiet,
    /// All is well.
    Good,
    /// Something is under way.
    Busy,
    /// It may recover; worth a look.
    Warning,
    /// A person is needed.
    Bad,
}

impl Status {
    /// The stable word for scripts (`manutop list --json`).
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.names().0
    }

    /// The word for people, without times or causes.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.names().1
    }

    /// For scripts, and for people.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Loading => ("loading", "loading"),
            Self::Live => ("live", "live"),
            Self::Expiring => ("expiring", "expiring"),
            Self::Expired => ("expired", "expired"),
            Self::Refreshing => ("refreshing", "refreshing"),
            Self::LoggingIn => ("logging_in", "logging in"),
            Self::WaitingForLock { .. } => ("waiting_for_lock", "waiting"),
            Self::NeverLoggedIn => ("never_logged_in", "never logged in"),
            Self::NoClientSecret => ("no_client_secret", "no client secret"),
            Self::Retrying { .. } => ("retrying", "retrying"),
            Self::AnswerLost { .. } => ("answer_lost", "answer lost"),
            Self::RateLimited { .. } => ("rate_limited", "rate limited"),
            Self::NeedsLogin => ("needs_login", "needs login"),
            Self::Misconfigured => ("misconfigured", "misconfigured"),
            Self::Uncertain => ("uncertain", "uncertain"),
            Self::NotSaved => ("not_saved", "not saved yet"),
            Self::RolledBack => ("rolled_back", "rolled back"),
            Self::StoreUnavailable => ("store_unavailable", "no store"),
        }
    }

    /// How much it asks for attention.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Loading | Self::NeverLoggedIn => Severity::Quiet,
            Self::Live => Severity::Good,
            Self::Refreshing | Self::LoggingIn | Self::WaitingForLock { .. } => Severity::Busy,
            Self::Expiring
            | Self::Expired
            | Self::Retrying { .. }
            | Self::AnswerLost { .. }
            | Self::RateLimited { .. } => Severity::Warning,
            Self::NoClientSecret
            | Self::NeedsLogin
            | Self::Misconfigured
            | Self::Uncertain
            | Self::NotSaved
            | Self::RolledBack
            | Self::StoreUnavailable => Severity::Bad,
        }
    }
}
