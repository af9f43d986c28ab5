//! The state of a connection: everything that a screen or a script may know about it, without secrets.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::connection::{Connection, ConnectionName};
use crate::domain::lost_answer::{LossOutcome, LostAnswer};
use crate::domain::problem::Problem;
use crate::domain::provider::Provider;
use crate::domain::status::Status;
use crate::domain::subject::SubjectChange;
use crate::domain::token::TokenFacts;

/// The whole state of one connection, announced by the engine at every change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionView {
    /// Its unique name.
    pub name: ConnectionName,
    /// Its title, if the configuration sets one.
    pub title: Option<String>,
    /// Whose connection it is.
    pub provider: &'static Provider,
    /// Whether a person logs in with a browser.
    pub needs_browser: bool,
    /// Whether it is refreshed automatically, by configuration or for this session.
    pub auto: bool,
    /// What is held of its tokens.
    pub holding: Holding,
    /// What is being done right now.
    pub activity: Activity,
    /// The current problem, if there is one.
    pub problem: Option<Problem>,
    /// The last answer that was lost, until newer tokens follow those it was about.
    pub lost_answer: Option<(LostAnswer, LossOutcome)>,
    /// When the next automatic refresh is planned.
    pub next_refresh: Option<DateTime<Utc>>,
    /// The last result from the server.
    pub last: Option<Last>,
    /// By how much the server's clock was ahead of this machine's at its last answer (negative:
    /// behind), from the `Date` header (RFC 9110 §6.6.1), to the second.
    pub clock_skew: Option<TimeDelta>,
}

/// What is held of a connection's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// The store has not answered yet.
    Unknown,
    /// The store has not answered yet; this is from the status snapshot of an earlier run. It is only displayed: nothing
    /// is decided by it, and the engine does not use it.
    Remembered(TokenFacts),
    /// There are none.
    Nothing,
    /// The newest record.
    Tokens {
        /// Everything except its secrets.
        facts: TokenFacts,
        /// Whether it has been saved and read back; until then it is safe in the journal only.
        saved: bool,
    },
}

/// What is being done with a connection at the moment. One thing at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// Another process holds the lock.
    WaitingForLock {
        /// The holder's process ID, if it could be read.
        pid: Option<u32>,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A token request has been sent.
    Refreshing {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A test call has been sent.
    Testing {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A login waits for a person.
    LoggingIn(LoginView),
}

/// A login that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginView {
    /// The authorization URL to open in a browser. Whole; hundreds of characters.
    pub url: String,
    /// How the answer is received.
    pub redirect: Redirect,
    /// When waiting ends.
    pub deadline: DateTime<Utc>,
    /// Whether a browser was started; `None` while that is unknown.
    pub browser: Option<Result<(), String>>,
    /// The login was made as another subject and waits for an answer
    /// ([`ConfirmLogin`](crate::domain::Command::ConfirmLogin)).
    pub question: Option<Box<SubjectChange>>,
}

/// How the answer to an authorization request is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// A listener on this machine waits at this address.
    Loopback {
        /// The redirect URI as sent, with the port chosen.
        uri: String,
    },
    /// The person pastes the final URL, or the bare code.
    Pasted {
        /// The redirect URI as registered.
        uri: String,
    },
}

/// The last result from a server, for the table's last column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// When the answer or failure was received.
    pub at: DateTime<Utc>,
    /// The HTTP status, or a short word such as `timeout`.
    pub result: Result<u16, String>,
}

impl ConnectionView {
    /// A connection of which nothing is known yet but its configuration.
    #[must_use]
    pub fn loading(connection: &Connection) -> Self {
        Self {
            name: connection.name.clone(),
            title: connection.title.clone(),
            provider: connection.provider,
            needs_browser: connection.needs_browser(),
            auto: connection.auto_refresh,
            holding: Holding::Unknown,
            activity: Activity::Idle,
            problem: None,
            lost_answer: None,
            next_refresh: None,
            last: None,
            clock_skew: None,
        }
    }

    /// The same with the facts that an earlier run left in the status snapshot.
    #[must_use]
    pub fn remembered(connection: &Connection, facts: TokenFacts) -> Self {
        Self { holding: Holding::Remembered(facts), ..Self::loading(connection) }
    }

    /// The facts of the newest tokens, if there are any. What is only remembered does not count.
    #[must_use]
    pub fn token(&self) -> Option<&TokenFacts> {
        match &self.holding {
            Holding::Tokens { facts, .. } => Some(facts),
            Holding::Unknown | Holding::Remembered(_) | Holding::Nothing => None,
        }
    }

    /// The same for display only: remembered facts as long as there are no others.
    #[must_use]
    pub fn shown_token(&self) -> Option<&TokenFacts> {
        match &self.holding {
            Holding::Tokens { facts, .. } | Holding::Remembered(facts) => Some(facts),
            Holding::Unknown | Holding::Nothing => None,
        }
    }

    /// Whether the store has yet to answer.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self.holding, Holding::Unknown | Holding::Remembered(_))
    }

    /// Whether its refresh token may have been replaced by one that was lost.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(self.problem, Some(Problem::Uncertain { .. }))
    }

    /// The status at `now`: activity takes precedence over a problem, and that over the token's age.
    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        match &self.activity {
            Activity::Refreshing { .. } => return Status::Refreshing,
            Activity::WaitingForLock { pid, .. } => return Status::WaitingForLock { pid: *pid },
            Activity::LoggingIn(_) => return Status::LoggingIn,
            Activity::Idle | Activity::Testing { .. } => {}
        }
        if let Some(status) = self.problem.as_ref().and_then(problem_status) {
            return status;
        }
        match &self.holding {
            Holding::Unknown | Holding::Remembered(_) => Status::Loading,
            Holding::Nothing => Status::NeverLoggedIn,
            Holding::Tokens { facts, .. } if facts.remaining(now).num_milliseconds() <= 0 => Status::Expired,
            Holding::Tokens { facts, .. } if facts.share_left(now) < 0.1 => Status::Expiring,
            Holding::Tokens { .. } => Status::Live,
        }
    }
}

impl Problem {
    /// The stable word for scripts: that of the status, regardless of activity.
    #[must_use]
    pub fn id(&self) -> &'static str {
        problem_status(self).map_or("cancelled", |status| status.id())
    }
}

fn problem_status(problem: &Problem) -> Option<Status> {
    Some(match problem {
        Problem::NeverLoggedIn => Status::NeverLoggedIn,
        Problem::NoClientSecret { .. } => Status::NoClientSecret,
        Problem::NeedsLogin { .. } => Status::NeedsLogin,
        Problem::Misconfigured { .. } => Status::Misconfigured,
        Problem::Uncertain { .. } => Status::Uncertain,
        Problem::NotSaved { .. } => Status::NotSaved,
        Problem::RolledBack { .. } => Status::RolledBack,
        Problem::StoreUnavailable { .. } | Problem::PassphraseNeeded { .. } => Status::StoreUnavailable,
        Problem::Retrying { at, .. } => Status::Retrying { at: *at },
        Problem::AnswerLost { at, .. } => Status::AnswerLost { at: *at },
        Problem::RateLimited { until } => Status::RateLimited { until: *until },
        Problem::Cancelled => return None,
    })
}
