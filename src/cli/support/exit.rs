//! Exit codes, and the failures that carry them.

use std::fmt::Display;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::config::ConfigError;
use crate::domain::{ConnectionName, EventKind, Problem};
use crate::format::event::of_connection;
use crate::format::time::Zone;
use crate::secrets::error::StoreError;

/// How the program ends. Scripts may rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Success.
    Ok = 0,
    /// Any other failure.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// A person must log in.
    NeedsLogin = 3,
    /// The server refuses the client or the request, or the client secret is missing.
    Misconfigured = 4,
    /// A temporary failure.
    Transient = 5,
    /// The secret store cannot be used.
    StoreUnavailable = 6,
    /// A refresh token was sent and its answer lost.
    Uncertain = 7,
}

impl Exit {
    /// Every code there is.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NeedsLogin,
        Self::Misconfigured,
        Self::Transient,
        Self::StoreUnavailable,
        Self::Uncertain,
    ];

    /// The word that stands for it in JSON; it never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NeedsLogin => "needs_login",
            Self::Misconfigured => "misconfigured",
            Self::Transient => "transient",
            Self::StoreUnavailable => "store_unavailable",
            Self::Uncertain => "uncertain",
        }
    }

    /// What it means, for manual and documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "success",
            Self::Failed => "any other failure",
            Self::Usage => "the command line or the configuration is wrong",
            Self::NeedsLogin => "a person must log in",
            Self::Misconfigured => "the server refuses client or request, or the client secret is missing",
            Self::Transient => "temporary failure: network, server, rate limit",
            Self::StoreUnavailable => "the secret store cannot be used",
            Self::Uncertain => "a refresh token was sent and its answer lost",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure that was foreseen: a message for a person, and the exit code for a script.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong and what to do.
    pub message: String,
    /// The connection it is about, where it is about one.
    pub connection: Option<ConnectionName>,
    /// When it may be tried again, where the server or the schedule says so.
    pub retry_at: Option<DateTime<Utc>>,
}

impl CliError {
    /// A failure with this code and message.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), connection: None, retry_at: None }
    }

    /// The same about one connection, which the message begins with.
    pub fn on(name: &ConnectionName, exit: Exit, why: impl Display) -> Self {
        Self { connection: Some(name.clone()), ..Self::new(exit, format!("{name}: {why}")) }
    }

    /// The failure that an event of this connection announces.
    #[must_use]
    pub fn of_event(name: &ConnectionName, exit: Exit, kind: &EventKind) -> Self {
        let why = of_connection(kind, |at| Zone::Local.date_time(at)).map_or_else(String::new, |said| said.text);
        Self::on(name, exit, why)
    }

    /// What is wrong with a connection, and the command that fixes it where there is one.
    #[must_use]
    pub fn about(name: &ConnectionName, problem: &Problem) -> Self {
        let retry_at = match problem {
            Problem::RateLimited { until } => Some(*until),
            Problem::Retrying { at, .. } | Problem::AnswerLost { at, .. } => *at,
            _ => None,
        };
        let why = format!("{problem}{}", hint(name, problem));
        Self { retry_at, ..Self::on(name, Exit::from(problem), why) }
    }
}

/// The command that fixes it, where there is one.
fn hint(name: &ConnectionName, problem: &Problem) -> String {
    match problem {
        Problem::NeverLoggedIn | Problem::NeedsLogin { .. } | Problem::RolledBack { .. } => {
            format!("; log in with: manutop login {name}")
        }
        Problem::Uncertain { .. } => {
            format!(
                "; log in again with: manutop login {name} (safe), or send the token again with: manutop refresh {name} \
                 --force --yes (the provider may revoke all tokens of this login)"
            )
        }
        _ => String::new(),
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Renaming { .. } => Exit::Misconfigured,
            _ => Exit::StoreUnavailable,
        };
        Self::new(exit, error.with_advice())
    }
}

impl From<&Problem> for Exit {
    fn from(problem: &Problem) -> Self {
        match problem {
            Problem::NeverLoggedIn | Problem::NeedsLogin { .. } | Problem::RolledBack { .. } => Self::NeedsLogin,
            Problem::NoClientSecret { .. } | Problem::Misconfigured { .. } => Self::Misconfigured,
            Problem::Retrying { .. } | Problem::AnswerLost { .. } | Problem::RateLimited { .. } => Self::Transient,
            Problem::StoreUnavailable { .. } | Problem::PassphraseNeeded { .. } | Problem::NotSaved { .. } => {
                Self::StoreUnavailable
            }
            Problem::Uncertain { .. } => Self::Uncertain,
            Problem::Cancelled => Self::Failed,
        }
    }
}
