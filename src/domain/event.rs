//! Events: facts, in the past tense. The engine and the shell announce them.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::command::CopyWhat;
use crate::domain::connection::{Connection, ConnectionName};
use crate::domain::field_fault::FieldFault;
use crate::domain::history::{Author, KeepaliveProcess};
use crate::domain::inspection::Inspection;
use crate::domain::log::LogEntry;
use crate::domain::lost_answer::LostAnswer;
use crate::domain::problem::Problem;
use crate::domain::reason::Reason;
use crate::domain::revocation::Revocation;
use crate::domain::subject::SubjectChange;
use crate::domain::view::ConnectionView;

/// Something that happened. No event carries a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection's state changed; this is the whole new state.
    Changed(Box<ConnectionView>),
    /// One HTTP exchange was made.
    RequestLogged(Box<LogEntry>),
    /// New tokens were obtained, saved and read back.
    Refreshed {
        /// Which connection.
        connection: ConnectionName,
        /// The new generation.
        generation: u64,
        /// The lost answer that this refresh has recovered.
        recovered: Option<LostAnswer>,
    },
    /// Tokens are in use and safe in the journal, but the secret store has not taken them: by a
    /// refresh, a login, or one that was asked to save what is owed. Saving is tried again.
    NotSaved {
        /// Which connection.
        connection: ConnectionName,
        /// The generation that is owed.
        generation: u64,
        /// Why, in plain words.
        why: Reason,
    },
    /// New tokens were obtained that neither the journal nor the secret store has taken: they are in memory only, and
    /// ending the program loses them. Saving is tried again; another event announces the end.
    InMemoryOnly {
        /// Which connection.
        connection: ConnectionName,
        /// The new generation.
        generation: u64,
        /// Why, in plain words, and what to do.
        why: Reason,
    },
    /// Another process had refreshed it already; its tokens were taken over.
    Adopted {
        /// Which connection.
        connection: ConnectionName,
        /// The generation found.
        generation: u64,
        /// Who had, where its history tells.
        by: Option<Author>,
    },
    /// Nothing was sent because the access token is fresh.
    StillFresh {
        /// Which connection.
        connection: ConnectionName,
        /// When the access token ends.
        expires_at: DateTime<Utc>,
    },
    /// A refresh or a first minting did not succeed.
    RefreshFailed {
        /// Which connection.
        connection: ConnectionName,
        /// Why.
        problem: Problem,
    },
    /// A login waits for a person; the connection's view holds the URL.
    LoginStarted {
        /// Which connection.
        connection: ConnectionName,
    },
    /// A login succeeded and its tokens are saved.
    LoggedIn {
        /// Which connection.
        connection: ConnectionName,
        /// The new generation.
        generation: u64,
    },
    /// An answer to a login, pasted or redirected, could not be used; the login goes on waiting.
    AnswerRefused {
        /// Which connection.
        connection: ConnectionName,
        /// Why, in plain words.
        why: Reason,
    },
    /// A login came back as another subject than the one whose tokens are held; it waits for
    /// [`ConfirmLogin`](crate::domain::Command::ConfirmLogin).
    SubjectChanged {
        /// Which connection.
        connection: ConnectionName,
        /// Who, before and now.
        change: Box<SubjectChange>,
    },
    /// A login ended without tokens.
    LoginFailed {
        /// Which connection.
        connection: ConnectionName,
        /// Why, in plain words.
        why: Reason,
        /// What stands in the way, where it has a name of its own: no client secret, no store, a
        /// refusal by the token endpoint.
        problem: Option<Problem>,
    },
    /// A login was cancelled.
    LoginCancelled {
        /// Which connection.
        connection: ConnectionName,
    },
    /// A pasted refresh token was refreshed, and the new tokens are saved.
    Imported {
        /// Which connection.
        connection: ConnectionName,
        /// The new generation.
        generation: u64,
        /// When the access token ends; the past if the answer had none.
        expires_at: DateTime<Utc>,
        /// Whether the provider replaced the pasted refresh token, so that the copy no longer works.
        replaced: bool,
    },
    /// A pasted refresh token was not taken over. The tokens there are were not touched.
    ImportFailed {
        /// Which connection.
        connection: ConnectionName,
        /// Why, and what to do, in plain words.
        why: Reason,
        /// What stands in the way, where it has a name of its own.
        problem: Option<Problem>,
    },
    /// The test call was answered with a success (`Ok`: HTTP status, duration), or was not.
    Tested {
        /// Which connection.
        connection: ConnectionName,
        /// What came of it.
        result: Result<(u16, Duration), TestFailure>,
    },
    /// What is known of a connection's tokens, because somebody asked.
    Inspected {
        /// Which connection.
        connection: ConnectionName,
        /// What is known.
        inspection: Box<Inspection>,
    },
    /// The tokens of a connection were forgotten.
    LoggedOut {
        /// Which connection.
        connection: ConnectionName,
        /// What became of its refresh token at the provider.
        revocation: Revocation,
    },
    /// The tokens of a connection could not be forgotten, or not all of it was done.
    LogoutFailed {
        /// Which connection.
        connection: ConnectionName,
        /// What stood in the way.
        problem: Problem,
        /// What became of its refresh token at the provider before that.
        revocation: Revocation,
    },
    /// These connections are worked with from now on, in this order. One that is not among them
    /// may still have work under way: [`Event::Removed`] tells its end.
    Configured {
        /// All of them, in the configuration's order.
        connections: Vec<Connection>,
    },
    /// A connection is worked with no more, and nothing of it is owed. Its tokens are kept.
    Removed {
        /// Which connection.
        connection: ConnectionName,
    },
    /// A client secret was stored and read back (`Ok`), or was not (`Err`: why).
    ClientSecretSet {
        /// Whose.
        connection: ConnectionName,
        /// What came of it.
        result: Result<(), String>,
    },
    /// Tokens, client secret and journal of a connection are gone (`Ok`), or not all of them
    /// (`Err`: what stood in the way; where that was only the wait for its turn, nothing is gone).
    Forgotten {
        /// Which connection.
        connection: ConnectionName,
        /// What came of it.
        result: Result<(), Problem>,
        /// What became of its refresh token at the provider.
        revocation: Revocation,
    },
    /// The configuration file was read after it changed: all of it holds now (`Ok`), or something
    /// stands in the way (`Err`: what, where, and what goes on meanwhile).
    ConfigurationRead(Result<(), String>),
    /// Changes of the configuration file are not noticed.
    ConfigurationUnwatched {
        /// Why, in plain words.
        why: String,
    },
    /// A connection was written into the configuration file (`Ok`), or was not (`Err`: what is
    /// wrong, field by field).
    ConnectionSaved {
        /// Which connection; as text, for it may be no name at all.
        connection: String,
        /// What came of it.
        result: Result<(), Vec<FieldFault>>,
    },
    /// A connection whose tokens are forgotten was taken out of the configuration file (`Ok`), or
    /// is still there (`Err`: why).
    ConnectionDeleted {
        /// Which connection.
        connection: ConnectionName,
        /// What came of it.
        result: Result<(), String>,
    },
    /// A command could not be carried out at all.
    Refused {
        /// Which connection.
        connection: ConnectionName,
        /// Why, in plain words.
        why: String,
    },
    /// Something was put on the clipboard.
    Copied {
        /// Which connection.
        connection: ConnectionName,
        /// What of it.
        what: CopyWhat,
        /// Where it went.
        to: CopiedTo,
        /// After how long it is cleared; `None` for never.
        cleared_after: Option<Duration>,
    },
    /// Nothing could be put on the clipboard.
    CopyFailed {
        /// Which connection.
        connection: ConnectionName,
        /// Why, in plain words.
        why: String,
    },
    /// The request log was written to a file (`Ok`), or not (`Err`: why).
    Exported {
        /// How many requests.
        requests: usize,
        /// Whether these were all that were shown; else they are the newest of them.
        all: bool,
        /// The file.
        result: Result<PathBuf, String>,
    },
    /// Names of connections were put on the clipboard (`Ok`: how many, and where they went), or not
    /// (`Err`: why, in plain words).
    NamesCopied(Result<(usize, CopiedTo), String>),
    /// The clipboard was cleared, because it still held what was put there.
    ClipboardCleared,
    /// A copy is still on the clipboard and could not be cleared.
    ClipboardNotCleared {
        /// Why, in plain words.
        why: String,
    },
    /// The program that is run for each event failed, or was too slow.
    HookFailed {
        /// Why, in plain words.
        why: String,
    },
    /// The encrypted store waits for its passphrase.
    PassphraseAsked {
        /// Whether it is to be chosen, because there is no store yet.
        new: bool,
        /// Why the one that was given at the start did not do.
        refused: Option<Reason>,
    },
    /// The passphrase opened the encrypted store (`Ok`), or did not (`Err`: why).
    UnlockEnded(Result<(), String>),
    /// Another process leads as keeper from now on and refreshes by itself, or none does.
    KeeperChanged(Option<KeepaliveProcess>),
    /// The secret store answers (`Ok`), or does not (`Err`: why, and what to do).
    StoreChanged(Result<(), Reason>),
}

/// Why a test call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why, in plain words.
    pub why: Reason,
}

/// Where a copy went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopiedTo {
    /// The desktop's clipboard, confirmed.
    Clipboard,
    /// The terminal (OSC 52), which does not confirm.
    Terminal,
}
