//! What is unfinished, and rests: while one is held, nothing that is due is begun.

use std::sync::Weak;

use tokio::sync::oneshot;

use crate::domain::ConnectionName;
use crate::engine::actor::Actor;
use crate::engine::connections::state::ConnectionState;
use crate::engine::unfinished::UnfinishedWork;

/// A rest as the actor has it.
pub(crate) struct Resting {
    hold: Weak<()>,
    /// `None` once its arrival has been announced.
    reply: Option<oneshot::Sender<()>>,
}

impl Actor {
    pub(crate) fn unfinished(&self) -> Vec<UnfinishedWork> {
        let unfinished = |name: &ConnectionName| {
            let what = self.states.get(name)?.unfinished()?;
            Some(UnfinishedWork { connection: name.clone(), what })
        };
        self.order.iter().filter_map(unfinished).collect()
    }

    pub(crate) fn rest(&mut self, hold: Weak<()>, reply: oneshot::Sender<()>) {
        self.resting.push(Resting { hold, reply: Some(reply) });
    }

    /// Whether a rest is held.
    pub(crate) fn is_resting(&self) -> bool {
        self.resting.iter().any(|resting| resting.hold.strong_count() > 0)
    }

    /// Answers those who wait for a rest, once it has come.
    pub(crate) fn answer_rests(&mut self, has_unfinished: bool) {
        if self.resting.is_empty() {
            return;
        }
        let is_quiet = !has_unfinished && !self.states.values().any(ConnectionState::is_about_to_send);
        self.resting.retain(|resting| resting.hold.strong_count() > 0);
        for resting in self.resting.iter_mut().filter(|_| is_quiet) {
            let _ = resting.reply.take().map(|reply| reply.send(()));
        }
    }
}
