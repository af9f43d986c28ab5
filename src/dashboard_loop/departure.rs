//! Leaving by a key, and stopping by Ctrl-Z: both wait on the screen for what is owed.
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
use crate::platform::signals::{Insistence, Wish};

/// How long nothing is said: mostly nothing is owed.
const SILENCE: Duration = Duration::from_millis(200);
/// How often it is said: news may have taken its place.
const REMINDER: Duration = Duration::from_secs(1);
/// How long the engine may take to say what is owed. It answers at once, if at all.
const ANSWER: Duration = Duration::from_millis(200);

/// What was asked for, and waits.
pub(crate) struct Departure {
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
    /// Nothing is owed any more: leave.
    Leave,
    /// Leave although something is owed.
    LeaveOwing,
    /// Stop until continued.
    Stop,
}

/// What woke a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing is owed any more.
    Done,
    /// It is time to say what is waited for.
    Remind,
}

impl Departure {
    fn begin(waits: Waits) -> Self {
        let now = Instant::now();
        Self { waits, insistence: Insistence::since(now), remind_at: now + SILENCE }
    }

    /// A person asks to leave, or to stop.
    pub(crate) fn ask(departure: &mut Option<Self>, to_leave: bool, engine: &Engine) -> Next {
        if to_leave { Self::leave(departure, engine) } else { Self::stop(departure, engine) }
    }

    /// A wait to stop gives way to leaving.
    fn leave(departure: &mut Option<Self>, engine: &Engine) -> Next {
        if let Some(Self { waits: Waits::ToLeave(_), insistence, .. }) = departure {
            let is_meant = insistence.hear(Instant::now()) == Wish::Again;
            return if is_meant { Next::LeaveOwing } else { Next::Wait };
        }
        *departure = Some(Self::begin(Waits::ToLeave(engine.begin_shutdown())));
        Next::Wait
    }

    /// A program that leaves does not stop first.
    fn stop(departure: &mut Option<Self>, engine: &Engine) -> Next {
        match departure {
            Some(Self { waits: Waits::ToLeave(_), .. }) => Next::Wait,
            Some(Self { waits: Waits::ToStop(_), insistence, .. }) => match insistence.hear(Instant::now()) {
                Wish::Again => Next::Stop,
                Wish::First | Wish::Echo => Next::Wait,
            },
            None => {
                *departure = Some(Self::begin(Waits::ToStop(engine.rest())));
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
        departure: &mut Option<Self>,
        turn: Turn,
        engine: &Engine,
        app: &mut App,
        now: DateTime<Utc>,
    ) -> Next {
        let Some(departure) = departure else { return Next::Wait };
        let is_leaving = departure.is_leaving();
        if turn == Turn::Done {
            return if is_leaving { Next::Leave } else { Next::Stop };
        }
        departure.remind_at = Instant::now() + REMINDER;
        let owing = tokio::time::timeout(ANSWER, engine.unfinished()).await.unwrap_or_default();
        if is_leaving && owing.is_empty() {
            // What is still being written needs no screen.
            return Next::Leave;
        }
        let words = UnfinishedWork::words(&owing);
        app.warn(
            if is_leaving {
                format!("saving first: {words}; {} again quits without saving", app.key(Action::Quit))
            } else if owing.is_empty() {
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
