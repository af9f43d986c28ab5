//! What ending or stopping the program now would endanger, and a rest in which nothing is begun.

use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use crate::domain::ConnectionName;

/// One connection that ending the program now would endanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedWork {
    /// Whose.
    pub connection: ConnectionName,
    /// What is not done yet.
    pub what: Unfinished,
}

/// What is not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// A request for tokens is out: its answer may hold a new refresh token.
    Answer,
    /// Neither journal nor store has taken the new tokens; the reason.
    MemoryOnly(String),
    /// Its tokens are being removed.
    Removal,
}

impl UnfinishedWork {
    /// What several connections wait for, in words; some are named, the others counted.
    #[must_use]
    pub fn words(all: &[Self]) -> String {
        const NAMED: usize = 3;
        let mut words: Vec<_> = all.iter().take(NAMED).map(Self::word).collect();
        match all.len() {
            0 => return "the last files are being written".into(),
            1..=NAMED => {}
            many => words.push(format!("{} more", many - NAMED)),
        }
        words.join(", ")
    }

    fn word(&self) -> String {
        let Self { connection, what } = self;
        match what {
            Unfinished::Answer => format!("{connection}'s answer is on its way"),
            Unfinished::MemoryOnly(_) => format!("{connection}'s new refresh token is in memory only"),
            Unfinished::Removal => format!("{connection}'s tokens are being removed"),
        }
    }

    /// What it costs to have ended all the same: the words after "left although".
    #[must_use]
    pub fn cost(all: &[Self]) -> String {
        let lost = all.iter().find_map(|work| match &work.what {
            Unfinished::MemoryOnly(why) => Some(format!("; ending manutop loses it, log in again ({why})")),
            _ => None,
        });
        let may_be_lost = || {
            let is_out = all.iter().any(|work| work.what == Unfinished::Answer);
            let words = "; a new refresh token in it would be lost, and the next start says so";
            if is_out { words.to_owned() } else { String::new() }
        };
        format!("{}{}", Self::words(all), lost.unwrap_or_else(may_be_lost))
    }

    /// Whether any of them is in memory only: no time limit ends the wait for that.
    #[must_use]
    pub fn is_in_memory(all: &[Self]) -> bool {
        all.iter().any(|work| matches!(work.what, Unfinished::MemoryOnly(_)))
    }
}

/// A rest: while it is held, nothing that is due is begun.
#[derive(Debug)]
pub struct Rest {
    _hold: Arc<()>,
    came: oneshot::Receiver<()>,
}

impl Rest {
    /// A rest to be held, and what the actor gets of it.
    pub(crate) fn new() -> (Self, Weak<()>, oneshot::Sender<()>) {
        let (hold, (reply, came)) = (Arc::new(()), oneshot::channel());
        let weak = Arc::downgrade(&hold);
        (Self { _hold: hold, came }, weak, reply)
    }

    /// Waits until no request is out and everything received is saved; also returns where the engine has ended. To be
    /// waited for once; nothing is lost when the wait is given up.
    pub async fn came(&mut self) {
        let _ = (&mut self.came).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Unfinished, UnfinishedWork};
    use crate::domain::ConnectionName;

    fn work(name: &str, what: Unfinished) -> UnfinishedWork {
        UnfinishedWork { connection: ConnectionName::new(name).unwrap(), what }
    }

    #[test]
    fn what_is_waited_for_is_said_of_some_and_counted_of_the_rest() {
        let answer = work("factory", Unfinished::Answer);
        assert_eq!(UnfinishedWork::words(std::slice::from_ref(&answer)), "factory's answer is on its way");
        let memory = work("hr", Unfinished::MemoryOnly("disk full".into()));
        let all = [answer.clone(), memory, answer.clone(), answer.clone(), answer];
        assert_eq!(
            UnfinishedWork::words(&all),
            "factory's answer is on its way, hr's new refresh token is in memory only, factory's answer is on its \
             way, 2 more"
        );
        assert!(UnfinishedWork::is_in_memory(&all) && !UnfinishedWork::is_in_memory(&all[2..]));
        assert!(UnfinishedWork::cost(&all).ends_with("; ending manutop loses it, log in again (disk full)"));
        assert!(
            UnfinishedWork::cost(&all[2..])
                .ends_with("; a new refresh token in it would be lost, and the next start says so")
        );
    }
}
