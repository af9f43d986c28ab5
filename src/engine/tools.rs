//! What every piece of work needs, made once and shared.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc};

use super::browser::Browser;
use super::gate::Gate;
use crate::domain::{
    Activity, Author, Clock, Connection, ConnectionName, Event, LastRefusal, LogEntry, LossOutcome, LostAnswer,
    Problem, Program, Reason, Revocation, Rotation, TokenRecord,
};
use crate::oauth::Http;
use crate::stamp::Stamp;
use crate::store::{StoreError, Vault};

/// The engine's seams and shared parts.
pub(super) struct Tools {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) vault: Vault,
    pub(super) http: Http,
    pub(super) gate: Gate,
    pub(super) browser: Arc<dyn Browser>,
    /// The first pause after a lost answer; see [`schedule::after_lost_answer`](super::schedule::after_lost_answer).
    pub(super) lost_pause: TimeDelta,
    /// What this program is to a connection's history.
    pub(super) program: Program,
    /// Reports to the actor.
    pub(super) notes: mpsc::UnboundedSender<Note>,
    /// Told when the store was opened: whoever waits to read it again need not wait longer.
    pub(super) store_opened: Notify,
}

/// What a task reports to the actor. All state changes there, in one place.
#[derive(Debug)]
pub(super) enum Note {
    /// The store was read for a connection at start, or again after a failure; and how its journal
    /// looked just before.
    Loaded(ConnectionName, Box<Found>, Option<Stamp>),
    /// The store did not answer; it is asked again.
    LoadFailed(StoreError),
    /// Another process has saved a newer generation.
    Newer(ConnectionName, Box<Found>, Option<Author>),
    /// A look at the journals has ended: these had changed, and look so now.
    Looked(Vec<(ConnectionName, Option<Stamp>)>),
    /// A journal had changed, and what is behind it could not be read.
    Unseen(ConnectionName),
    /// Another process was refused by the provider, or what it was refused for is void.
    RefusedElsewhere(ConnectionName, Option<Box<LastRefusal>>),
    /// Another process has logged out: tokens up to this generation are given up.
    LoggedOutElsewhere(ConnectionName, u64),
    /// A passphrase was tried on the store.
    Unlocked(Result<(), StoreError>),
    /// What is being done now.
    Activity(ConnectionName, Activity),
    /// A fact to be announced as it is.
    Fact(Event),
    /// An exchange was made.
    Logged(Box<LogEntry>),
    /// A record that is nowhere durable yet; its task keeps trying.
    Owed(ConnectionName, Box<TokenRecord>, Reason),
    /// A refresh or a login ended.
    Ended(ConnectionName, Box<Ended>),
    /// A test call ended.
    Tested(ConnectionName),
    /// Tokens were forgotten, or could not be; and what became of the refresh token at the provider.
    LoggedOut(ConnectionName, Result<(), Problem>, Revocation),
    /// A client secret was stored, or could not be.
    ClientSecretSet(ConnectionName, Result<(), String>),
    /// The overview could not be written.
    OverviewFailed,
    /// All there was of a connection was forgotten, or could not be.
    Forgotten(ConnectionName, Result<(), Problem>, Revocation),
}

/// What the store holds of a connection.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) record: Option<TokenRecord>,
    pub(super) saved: bool,
    /// Whether there never were any tokens, as against forgotten ones.
    pub(super) never_held: bool,
    pub(super) problem: Option<Problem>,
    /// The generation that is uncertain, where the problem is that.
    pub(super) uncertain: Option<u64>,
    /// What a first login lacks, where that is known before anybody tries.
    pub(super) missing: Option<Problem>,
    /// What the provider said last, where it gave no tokens and that still holds.
    pub(super) refusal: Option<LastRefusal>,
    /// The last answer that was lost, and what became of it.
    pub(super) lost_answer: Option<(LostAnswer, LossOutcome)>,
}

/// How a piece of work on the tokens ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The newest record, how it came to be here, and what stands in the connection's way all the same.
    Held { record: TokenRecord, how: How, problem: Option<Problem> },
    /// New tokens are safe in the journal, but the store did not take them.
    Unsaved { record: TokenRecord, how: How, why: Reason },
    /// Nothing new.
    Failed(Problem),
    /// Nothing new: the provider refused, this process or another one.
    Refused(Box<LastRefusal>),
    /// Nothing new: the answer was lost, and the refresh token is sent again later.
    AnswerLost { lost: LostAnswer, problem: Problem },
    /// Nothing new: the refresh token of this generation may have been replaced.
    Uncertain { generation: u64, problem: Problem },
    /// Nothing new, and nothing is left: another process has logged out, or given it another name.
    GivenUp,
    /// A login ended without tokens; the connection is as it was.
    Unchanged,
    /// A pasted refresh token was not taken over, and this says why; the connection is as it was.
    NotImported(Event),
    /// Whatever the store held was read again under the lock.
    Reread(Box<Found>),
}

/// How a record came to be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// An exchange of ours; with the lost answer that it has recovered.
    Exchanged(Option<LostAnswer>),
    /// Found in an answer of ours that could not be read when it came.
    Rescued(LostAnswer),
    /// An exchange of ours that ended a login.
    LoggedIn,
    /// An exchange of ours for a pasted refresh token, and whether the provider replaced that.
    Imported { replaced: bool },
    /// Another process had saved it: this one, where its history tells.
    Adopted(Option<Author>),
    /// It was here and is fresh.
    Fresh,
}

impl Tools {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Reports to the actor. Nobody listening is no error: the program is ending.
    pub(super) fn note(&self, note: Note) {
        let _ = self.notes.send(note);
    }

    /// Which process obtained a generation, as far as its history tells.
    pub(super) async fn author(&self, name: &ConnectionName, generation: u64) -> Option<Author> {
        let history = self.vault.history(name).await.ok()?;
        history.iter().find(|rotation| rotation.generation == generation).map(Rotation::author)
    }

    /// Reports a fact, which the actor announces in its turn: after the changes reported before it.
    pub(super) fn announce(&self, event: Event) {
        self.note(Note::Fact(event));
    }

    /// Reports an exchange; the actor announces it.
    pub(super) fn log(&self, entry: LogEntry) {
        self.note(Note::Logged(Box::new(entry)));
    }
}

/// The same for what is kept of this connection: what is minted needs nothing of the past.
pub(super) fn item_problem(error: &StoreError, connection: &Connection) -> Problem {
    if error.is_replaceable() && !connection.needs_browser() {
        return Problem::Retrying { at: None, why: error.reason() };
    }
    store_problem(error)
}

/// A store's failure as what stands in a connection's way.
pub(super) fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::PassphraseNeeded { .. } | StoreError::WrongPassphrase { .. } => {
            Problem::PassphraseNeeded { why: error.reason() }
        }
        // A person has to finish it; the store is well.
        StoreError::Renaming { .. } => Problem::Misconfigured { why: error.reason(), refused: false },
        StoreError::NewerFormat { .. } if error.is_about_one_item() => {
            Problem::Misconfigured { why: error.reason_with_advice(), refused: false }
        }
        _ if error.is_damaged_client_secret() => {
            Problem::Misconfigured { why: error.reason_with_advice(), refused: false }
        }
        // It may be given back, or unlocked.
        StoreError::Unreadable { .. } | StoreError::LockedElsewhere { .. } => {
            Problem::Retrying { at: None, why: error.reason_with_advice() }
        }
        StoreError::Corrupt { .. } | StoreError::Misplaced { .. } if error.is_replaceable() => {
            Problem::NeedsLogin { why: error.reason() }
        }
        _ => Problem::StoreUnavailable { why: error.reason_with_advice() },
    }
}
