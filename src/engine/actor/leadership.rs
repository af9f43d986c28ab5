//! Which process begins what is due. A dashboard beside a leading keepalive defers to it: it waits half as long
//! again, and refreshes only what the keepalive has not. A keepalive on standby begins nothing until it takes over.

use tokio::time::Instant;

use crate::domain::{Event, Holding, KeepaliveProcess, Problem, Program};
use crate::engine::actor::Actor;
use crate::engine::connections::state::ConnectionState;

impl Actor {
    /// Looks who leads. A keepalive process knows, and a command begins nothing.
    pub(crate) fn poll_leadership(&mut self) {
        if self.context.program == Program::Dashboard {
            self.set_keepalive(self.context.vault.keepalive_process());
        }
    }

    /// Takes in who leads.
    fn set_keepalive(&mut self, keepalive: Option<KeepaliveProcess>) {
        if self.keepalive == keepalive {
            return;
        }
        self.keepalive = keepalive;
        for state in self.states.values_mut() {
            state.defers_to_leader = keepalive.is_some();
        }
        self.announce(Event::KeepaliveChanged(keepalive));
        self.publish_all();
    }

    /// Begins what is due automatically from now on. A problem may stem from the last leader's death: it is
    /// looked at under the lock.
    pub(crate) fn take_over(&mut self) {
        if std::mem::replace(&mut self.automatic, true) {
            return;
        }
        self.poll_at = Instant::now();
        for name in self.order.clone() {
            if self.states.get(&name).is_some_and(is_open) {
                self.begin_reread(&name);
            }
        }
        self.publish_all();
    }

    /// Begins nothing automatically from now on.
    pub(crate) fn stand_down(&mut self) {
        if std::mem::replace(&mut self.automatic, false) {
            self.publish_all();
        }
    }

    fn publish_all(&mut self) {
        for name in self.order.clone() {
            self.publish(&name);
        }
    }
}

/// Whether another process may have been in the middle of it when the store was read.
fn is_open(state: &ConnectionState) -> bool {
    let is_half_done = matches!(
        state.view.problem,
        Some(
            Problem::Uncertain { .. }
                | Problem::AnswerLost { .. }
                | Problem::RolledBack { .. }
                | Problem::NotSaved { .. }
                | Problem::StoreUnavailable { .. }
        )
    );
    match state.view.holding {
        // It is being read.
        Holding::Unknown | Holding::Remembered(_) => false,
        Holding::Nothing | Holding::Tokens { saved: true, .. } => is_half_done,
        Holding::Tokens { saved: false, .. } => true,
    }
}
