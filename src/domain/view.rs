//! A connection as it stands: all that a screen or a script may know of it, without a secret.

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
    /// What people call it, where the configuration says so.
    pub title: Option<String>,
    /// Whose connection it is.
    pub provider: &'static Provider,
    /// Whether a person logs in with a browser.
    pub needs_browser: bool,
    /// Whether it is refreshed without being asked (the configuration's word, or the session's).
    pub auto: bool,
    /// What is held of its tokens.
    pub holding: Holding,
    /// What is being done right now.
    pub activity: Activity,
    /// What stands in the way; `None` when all is well.
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
    /// The store has not answered yet; this is what was known when the last run ended. It is for
    /// the eye alone: nothing is done by it, and the engine neither says nor sees it.
    Remembered(TokenFacts),
    /// There are none.
    Nothing,
    /// The newest record.
    Tokens {
        /// All of it that is no secret.
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
        /// The holder's process ID, where it could be read.
        pid: Option<u32>,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A token exchange is out.
    Refreshing {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A test call is out.
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
    /// How the answer comes back.
    pub redirect: Redirect,
    /// When waiting ends.
    pub deadline: DateTime<Utc>,
    /// What became of the browser: `None` while nothing is known yet, `Ok` when one was started,
    /// `Err` with the reason when none was.
    pub browser: Option<Result<(), String>>,
    /// The login came back as somebody else, and waits for a yes or a no
    /// ([`ConfirmLogin`](crate::domain::Command::ConfirmLogin)).
    pub question: Option<Box<SubjectChange>>,
}

/// How the answer to an authorization request comes back.
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
    /// When the answer came or the failure was seen.
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

    /// The same with what an earlier run left to show of its tokens meanwhile.
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

    /// The same to be shown, and for nothing else: remembered facts as long as there are no others.
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

    /// Whether its refresh token may have been replaced without anybody knowing by which.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(self.problem, Some(Problem::Uncertain { .. }))
    }

    /// The status at the moment `now`: what is being done comes before what stands in the way,
    /// and that before the token's age.
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

    /// The next moment at which time alone may change the status; `None` where it cannot.
    #[must_use]
    pub fn next_change(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let facts = self.token()?;
        // Under a tenth, not exactly that.
        let expiring = facts.expires_at - facts.lifetime() / 10 + TimeDelta::milliseconds(1);
        [expiring, facts.expires_at].into_iter().filter(|at| *at > now).min()
    }
}

impl Problem {
    /// The stable word for scripts: that of the status it makes, whatever is being done meanwhile.
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
