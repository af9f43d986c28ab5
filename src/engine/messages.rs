//! The questions that other threads ask the actor, and how a refresh is answered.

use std::sync::Weak;

#[cfg(unix)]
use chrono::TimeDelta;
use tokio::sync::oneshot;

#[cfg(unix)]
use crate::domain::TokenRecord;
use crate::domain::{Author, Command, ConnectionName, ConnectionView, CopyWhat, Problem, Secret};
use crate::engine::access_token::AccessToken;
use crate::engine::unfinished::UnfinishedWork;
use crate::engine::work::refresh::decide::Need;

/// How a refresh ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// New tokens, saved at least in the journal: where the store has not taken them, the
    /// connection's problem is `NotSaved`; the generation.
    Obtained(u64),
    /// Another process had saved newer ones, which were taken over; the generation, and who had,
    /// if its history says so.
    Adopted(u64, Option<Author>),
    /// The access token is fresh; nothing was sent.
    StillFresh(u64),
}

/// A question to the actor; most carry the way for the answer.
pub(crate) enum EngineMessage {
    Command(Command),
    Refresh {
        connection: ConnectionName,
        need: Need,
        reply: ReplySender<Result<Refreshed, Problem>>,
    },
    /// Another process has changed a journal.
    #[cfg(unix)]
    PollOtherProcesses,
    #[cfg(unix)]
    Fresh {
        connection: ConnectionName,
        least: TimeDelta,
        reply: ReplySender<Option<TokenRecord>>,
    },
    PresentToken {
        connection: ConnectionName,
        reply: ReplySender<Result<AccessToken, Problem>>,
    },
    Reveal {
        connection: ConnectionName,
        what: CopyWhat,
        reply: ReplySender<Result<Secret, String>>,
    },
    Views {
        reply: ReplySender<Vec<ConnectionView>>,
    },
    Snapshot {
        reply: ReplySender<Vec<ConnectionView>>,
    },
    /// What ending now would endanger.
    Unfinished {
        reply: ReplySender<Vec<UnfinishedWork>>,
    },
    /// Nothing due is to be begun while this is held; the reply comes once nothing is unsaved.
    Rest {
        hold: Weak<()>,
        reply: ReplySender<()>,
    },
    Shutdown {
        reply: ReplySender<()>,
    },
}

pub(crate) type ReplySender<T> = oneshot::Sender<T>;

/// The reply to a caller that waits for a refresh to end.
pub(crate) type Waiter = ReplySender<Result<Refreshed, Problem>>;
