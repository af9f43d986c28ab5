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
pub(crate) enum Message {
    Command(Command),
    Refresh {
        connection: ConnectionName,
        need: Need,
        reply: Reply<Result<Refreshed, Problem>>,
    },
    /// Another process has changed a journal.
    #[cfg(unix)]
    PollOtherProcesses,
    #[cfg(unix)]
    Fresh {
        connection: ConnectionName,
        least: TimeDelta,
        reply: Reply<Option<TokenRecord>>,
    },
    PresentToken {
        connection: ConnectionName,
        reply: Reply<Result<AccessToken, Problem>>,
    },
    Reveal {
        connection: ConnectionName,
        what: CopyWhat,
        reply: Reply<Result<Secret, String>>,
    },
    Views {
        reply: Reply<Vec<ConnectionView>>,
    },
    Snapshot {
        reply: Reply<Vec<ConnectionView>>,
    },
    /// What ending now would endanger.
    Unfinished {
        reply: Reply<Vec<UnfinishedWork>>,
    },
    /// Nothing due is to be begun while this is held; the reply comes once nothing is unsaved.
    Rest {
        hold: Weak<()>,
        reply: Reply<()>,
    },
    Shutdown {
        reply: Reply<()>,
    },
}

pub(crate) type Reply<T> = oneshot::Sender<T>;

/// The reply to a caller that waits for a refresh to end.
pub(crate) type Waiter = Reply<Result<Refreshed, Problem>>;
