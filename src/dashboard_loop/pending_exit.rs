//! Quitting by a key, and suspending with Ctrl-Z: both wait, with the screen on, for what is unfinished.
//!
//! Pressing a key once never loses an answer. Only the second, deliberate press leaves or stops without waiting; it
//! is said before what that endangers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::engine::{Engine, Rest, UnfinishedWork};
use crate::platform::signals::{Insistence, QuitRequest};

/// How long nothing is shown: mostly nothing is unfinished.
const SILENCE: Duration = Duration::from_millis(200);
/// How often it is said: news may have taken its place.
const REMINDER: Duration = Duration::from_secs(1);
/// How long the engine may take to say what is unfinished. It answers at once, if at all.
const ANSWER: Duration = Duration::from_millis(200);

/// What was asked for, and waits.
pub(crate) struct PendingExit {
    waits: Waits,
    insistence: Insistence,
    remind_at: Instant,
}

enum Waits {
    ToLeave(oneshot::Receiver<()>),
    ToStop(Rest),
}

/// What comes of a key, or of the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The wait continues.
    Wait,
    /// Nothing is unfinished any more: leave.
    Leave,
    /// Leave although something is unfinished.
    LeaveUnsaved,
    /// Stop until continued.
    Stop,
}

/// What woke a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing is unfinished any more.
    Done,
    /// It is time to say what is waited for.
    Remind,
}

impl PendingExit {
    fn begin(waits: Waits) -> Self {
        let now = Instant::now();
        Self { waits, insistence: Insistence::since(now), remind_at: now + SILENCE }
    }

    /// A person asks to leave, or to stop.
    pub(crate) fn ask(pending_exit: &mut Option<Self>, to_leave: bool, engine: &Engine) -> Next {
        if to_leave { Self::leave(pending_exit, engine) } else { Self::stop(pending_exit, engine) }
    }

    /// A wait to stop gives way to leaving.
    fn leave(pending_exit: &mut Option<Self>, engine: &Engine) -> Next {
        if let Some(Self { waits: Waits::ToLeave(_), insistence, .. }) = pending_exit {
            let is_meant = insistence.on_request(Instant::now()) == QuitRequest::Again;
            return if is_meant { Next::LeaveUnsaved } else { Next::Wait };
        }
        *pending_exit = Some(Self::begin(Waits::ToLeave(engine.begin_shutdown())));
        Next::Wait
    }

    /// A program that leaves does not stop first.
    fn stop(pending_exit: &mut Option<Self>, engine: &Engine) -> Next {
        match pending_exit {
            Some(Self { waits: Waits::ToLeave(_), .. }) => Next::Wait,
            Some(Self { waits: Waits::ToStop(_), insistence, .. }) => match insistence.on_request(Instant::now()) {
                QuitRequest::Again => Next::Stop,
                QuitRequest::First | QuitRequest::Echo => Next::Wait,
            },
            None => {
                *pending_exit = Some(Self::begin(Waits::ToStop(engine.rest())));
                Next::Wait
            }
        }
    }

    /// Whether it is a wait to leave, as against one to stop.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.waits, Waits::ToLeave(_))
    }

    /// Waits for the next turn. Nothing is lost when the wait is given up.
    pub(crate) async fn turn(&mut self) -> Turn {
        let done = async {
            match &mut self.waits {
                Waits::ToLeave(ended) => drop(ended.await),
                Waits::ToStop(rest) => rest.came().await,
            }
        };
        tokio::select! {
            biased;
            () = done => Turn::Done,
            () = tokio::time::sleep_until(self.remind_at) => Turn::Remind,
        }
    }

    /// Continues after a turn; says on the screen what is waited for.
    pub(crate) async fn go_on(
        pending_exit: &mut Option<Self>,
        turn: Turn,
        engine: &Engine,
        app: &mut App,
        now: DateTime<Utc>,
    ) -> Next {
        let Some(pending_exit) = pending_exit else { return Next::Wait };
        let is_leaving = pending_exit.is_leaving();
        if turn == Turn::Done {
            return if is_leaving { Next::Leave } else { Next::Stop };
        }
        pending_exit.remind_at = Instant::now() + REMINDER;
        let unfinished = tokio::time::timeout(ANSWER, engine.unfinished()).await.unwrap_or_default();
        if is_leaving && unfinished.is_empty() {
            // What is still being written needs no screen.
            return Next::Leave;
        }
        let words = UnfinishedWork::words(&unfinished);
        app.warn(
            if is_leaving {
                format!("saving first: {words}; {} again quits without saving", app.key(Action::Quit))
            } else if unfinished.is_empty() {
                format!("suspending once a refresh has ended; {} again suspends now", app.key(Action::Suspend))
            } else {
                format!(
                    "suspending once saved: {words}; {} again suspends now and may lose it",
                    app.key(Action::Suspend)
                )
            },
            now,
        );
        Next::Wait
    }
}
