//! What happens to a connection.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::connection::ConnectionName;
use crate::domain::history::Author;
use crate::domain::inspection::Inspection;
use crate::domain::lost_answer::LostAnswer;
use crate::domain::problem::Problem;
use crate::domain::reason::Reason;
use crate::domain::revocation::Revocation;
use crate::domain::subject::SubjectChange;

/// Something that happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// Which connection.
    pub connection: ConnectionName,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a connection. No event carries a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// New tokens were obtained, saved and read back.
    Refreshed {
        /// The new generation.
        generation: u64,
        /// The lost answer that this refresh has recovered.
        recovered: Option<LostAnswer>,
    },
    /// Tokens are in use and safe in the journal, but the secret store has not taken them: from a
    /// refresh, a login, or an attempt to save them again. manutop keeps trying.
    NotSaved {
        /// The generation that is not saved.
        generation: u64,
        /// Why.
        why: Reason,
    },
    /// New tokens were obtained that neither the journal nor the secret store has taken: they are in memory only, and
    /// ending the program loses them. manutop keeps trying to save them; another event announces the end.
    InMemoryOnly {
        /// The new generation.
        generation: u64,
        /// Why, and what to do.
        why: Reason,
    },
    /// Another process had refreshed it already; its tokens were taken over.
    Adopted {
        /// The generation found.
        generation: u64,
        /// Which process, if its history says so.
        by: Option<Author>,
    },
    /// Nothing was sent because the access token is fresh.
    StillFresh {
        /// When the access token expires.
        expires_at: DateTime<Utc>,
    },
    /// A refresh, or obtaining the first token by client credentials, failed.
    RefreshFailed {
        /// Why.
        problem: Problem,
    },
    /// A login waits for a person; the connection's view holds the URL.
    LoginStarted,
    /// A login succeeded and its tokens are saved.
    LoggedIn {
        /// The new generation.
        generation: u64,
    },
    /// An answer to a login, pasted or redirected, could not be used; the login keeps waiting.
    AnswerRefused {
        /// Why.
        why: Reason,
    },
    /// A login came back as another subject than the one whose tokens are held; it waits for
    /// [`ConfirmLogin`](crate::domain::Command::ConfirmLogin).
    SubjectChanged {
        /// Both subjects: before and now.
        change: Box<SubjectChange>,
    },
    /// A login ended without tokens.
    LoginFailed {
        /// Why.
        why: Reason,
        /// The problem, if it is one of the known kinds: no client secret, no store, a refusal by the token
        /// endpoint.
        problem: Option<Problem>,
    },
    /// A login was cancelled.
    LoginCancelled,
    /// A pasted refresh token was refreshed, and the new tokens are saved.
    Imported {
        /// The new generation.
        generation: u64,
        /// When the access token expires; in the past if the answer had none.
        expires_at: DateTime<Utc>,
        /// Whether the provider replaced the pasted refresh token, so that the copy no longer works.
        replaced: bool,
    },
    /// A pasted refresh token was not taken over. Existing tokens were not touched.
    ImportFailed {
        /// Why, and what to do.
        why: Reason,
        /// The problem, if it is one of the known kinds.
        problem: Option<Problem>,
    },
    /// The test call was answered with a success (`Ok`: HTTP status, duration), or was not.
    Tested {
        /// The outcome.
        result: Result<(u16, Duration), TestFailure>,
    },
    /// What is known of a connection's tokens, on request.
    Inspected {
        /// What is known.
        inspection: Box<Inspection>,
    },
    /// The connection's tokens were deleted.
    LoggedOut {
        /// What became of its refresh token at the provider.
        revocation: Revocation,
    },
    /// The connection's tokens could not be deleted, or only in part.
    LogoutFailed {
        /// Why.
        problem: Problem,
        /// What became of its refresh token at the provider before that.
        revocation: Revocation,
    },
    /// The connection was removed and has no unsaved tokens. Its tokens are kept.
    Removed,
    /// A client secret was stored and read back (`Ok`), or was not (`Err`: why).
    ClientSecretSet {
        /// The outcome.
        result: Result<(), String>,
    },
    /// The connection's tokens, client secret and journal were deleted (`Ok`), or not all of them
    /// (`Err`: why; if it only waited too long for the lock, nothing was deleted).
    Forgotten {
        /// The outcome.
        result: Result<(), Problem>,
        /// What became of its refresh token at the provider.
        revocation: Revocation,
    },
    /// A command could not be carried out at all.
    Refused {
        /// Why.
        why: String,
    },
}

/// Why a test call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why.
    pub why: Reason,
}
