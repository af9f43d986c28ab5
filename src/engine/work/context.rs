//! What every piece of work needs, made once and shared.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc};

use crate::domain::{
    Activity, Author, Clock, Connection, ConnectionName, Event, LastRefusal, LogEntry, LossOutcome, LostAnswer,
    Problem, Program, Reason, Revocation, Rotation, TokenRecord,
};
use crate::engine::connections::host_limit::HostLimit;
use crate::oauth::Http;
use crate::platform::file_stamp::Stamp;
use crate::platform::open_url::Browser;
use crate::secrets::error::StoreError;
use crate::tokens::vault::Vault;

/// The engine's seams and shared parts.
pub(crate) struct Context {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) vault: Vault,
    pub(crate) http: Http,
    pub(crate) host_limit: HostLimit,
    pub(crate) browser: Arc<dyn Browser>,
    /// The first pause after a lost answer; see [`schedule::after_lost_answer`](crate::engine::connections::schedule::after_lost_answer).
    pub(crate) lost_pause: TimeDelta,
    /// What this program is to a connection's history.
    pub(crate) program: Program,
    /// Reports to the actor.
    pub(crate) reports: mpsc::UnboundedSender<TaskReport>,
    /// Notified when the store was opened: readers that wait to retry need not wait longer.
    pub(crate) store_opened: Notify,
}

/// What a task reports to the actor. All state changes there, in one place.
#[derive(Debug)]
pub(crate) enum TaskReport {
    /// The store was read for a connection at start, or again after a failure; and how its journal
    /// looked just before.
    Loaded(ConnectionName, Box<FoundTokens>, Option<Stamp>),
    /// The store was asked whether it answers.
    StoreChecked(Result<(), StoreError>),
    /// The store did not answer; it is asked again.
    LoadFailed(StoreError),
    /// Another process has saved a newer generation.
    Newer(ConnectionName, Box<FoundTokens>, Option<Author>),
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
    InMemoryOnly(ConnectionName, Box<TokenRecord>, Reason),
    /// A refresh or a login ended.
    Ended(ConnectionName, Box<WorkOutcome>),
    /// A test call ended.
    Tested(ConnectionName),
    /// Tokens were forgotten, or could not be; and what became of the refresh token at the provider.
    LoggedOut(ConnectionName, Result<(), Problem>, Revocation),
    /// A client secret was stored, or could not be.
    ClientSecretSet(ConnectionName, Result<(), String>),
    /// The status snapshot could not be written.
    SnapshotFailed,
    /// All there was of a connection was forgotten, or could not be.
    Forgotten(ConnectionName, Result<(), Problem>, Revocation),
}

/// What the store holds of a connection.
#[derive(Debug)]
pub(crate) struct FoundTokens {
    pub(crate) record: Option<TokenRecord>,
    pub(crate) saved: bool,
    /// Whether there never were any tokens, as against forgotten ones.
    pub(crate) never_held: bool,
    pub(crate) problem: Option<Problem>,
    /// The generation that is uncertain, where the problem is that.
    pub(crate) uncertain: Option<u64>,
    /// What a first login lacks, where that is known before anybody tries.
    pub(crate) missing: Option<Problem>,
    /// What the provider said last, where it gave no tokens and that still holds.
    pub(crate) refusal: Option<LastRefusal>,
    /// The last answer that was lost, and what became of it.
    pub(crate) lost_answer: Option<(LostAnswer, LossOutcome)>,
}

/// How a piece of work on the tokens ended.
#[derive(Debug)]
pub(crate) enum WorkOutcome {
    /// The newest record, how it came to be here, and the connection's problem all the same.
    Held { record: TokenRecord, how: RecordSource, problem: Option<Problem> },
    /// New tokens are safe in the journal, but the store did not take them.
    Unsaved { record: TokenRecord, how: RecordSource, why: Reason },
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
    Reread(Box<FoundTokens>),
}

/// How a record came to be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordSource {
    /// An exchange of ours; with the lost answer that it has recovered.
    Exchanged(Option<LostAnswer>),
    /// Found in an answer of ours that could not be read when it came.
    Rescued(LostAnswer),
    /// An exchange of ours that ended a login.
    LoggedIn,
    /// An exchange of ours for a pasted refresh token, and whether the provider replaced that.
    Imported { replaced: bool },
    /// Another process had saved it: this one, if its history says so.
    Adopted(Option<Author>),
    /// It was here and is fresh.
    Fresh,
}

impl Context {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Reports to the actor. A missing listener is no error: the program is ending.
    pub(crate) fn report(&self, report: TaskReport) {
        let _ = self.reports.send(report);
    }

    /// Which process obtained a generation, as far as its history says.
    pub(crate) async fn author(&self, name: &ConnectionName, generation: u64) -> Option<Author> {
        let history = self.vault.history(name).await.ok()?;
        history.iter().find(|rotation| rotation.generation == generation).map(Rotation::author)
    }

    /// Reports a fact, which the actor announces in its turn: after the changes reported before it.
    pub(crate) fn announce(&self, event: Event) {
        self.report(TaskReport::Fact(event));
    }

    /// Reports an exchange; the actor announces it.
    pub(crate) fn log(&self, entry: LogEntry) {
        self.report(TaskReport::Logged(Box::new(entry)));
    }
}

/// The same for what is kept of this connection: what is minted needs nothing of the past.
pub(crate) fn item_problem(error: &StoreError, connection: &Connection) -> Problem {
    if error.is_replaceable() && !connection.needs_browser() {
        return Problem::Retrying { at: None, why: error.reason() };
    }
    store_problem(error)
}

/// A store's failure as a connection's problem.
pub(crate) fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::PassphraseNeeded { .. }
        | StoreError::WrongPassphrase { .. }
        | StoreError::WeakPassphrase { .. } => Problem::PassphraseNeeded { why: error.reason() },
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
