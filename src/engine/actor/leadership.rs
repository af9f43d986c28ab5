//! Who begins what is due. A dashboard beside a keeper that leads lets it go first: it waits half
//! as long again, and does the work only where the keeper has not. A keeper that stands by begins
//! nothing until it takes over.

use tokio::time::Instant;

use crate::domain::{Event, Holding, KeepaliveProcess, Problem, Program};
use crate::engine::actor::Actor;
use crate::engine::connections::state::ConnectionState;

impl Actor {
    /// Looks who leads. A keeper knows, and a command begins nothing.
    pub(crate) fn look_for_keeper(&mut self) {
        if self.tools.program == Program::Dashboard {
            self.beside(self.tools.vault.keepalive_process());
        }
    }

    /// Takes in who leads.
    fn beside(&mut self, keeper: Option<KeepaliveProcess>) {
        if self.keepalive == keeper {
            return;
        }
        self.keepalive = keeper;
        for slot in self.slots.values_mut() {
            slot.goes_second = keeper.is_some();
        }
        self.announce(Event::KeepaliveChanged(keeper));
        self.publish_all();
    }

    /// Begins by itself what is due, from now on. Whatever stood in the way may have been the
    /// last leader's death: it is looked at under the lock.
    pub(crate) fn take_over(&mut self) {
        if std::mem::replace(&mut self.automatic, true) {
            return;
        }
        self.look_at = Instant::now();
        for name in self.order.clone() {
            if self.slots.get(&name).is_some_and(is_open) {
                self.begin_reread(&name);
            }
        }
        self.publish_all();
    }

    fn publish_all(&mut self) {
        for name in self.order.clone() {
            self.publish(&name);
        }
    }
}

/// Whether another process may have been in the middle of it when the store was read.
fn is_open(slot: &ConnectionState) -> bool {
    let is_half_done = matches!(
        slot.view.problem,
        Some(
            Problem::Uncertain { .. }
                | Problem::AnswerLost { .. }
                | Problem::RolledBack { .. }
                | Problem::NotSaved { .. }
                | Problem::StoreUnavailable { .. }
        )
    );
    match slot.view.holding {
        // It is being read.
        Holding::Unknown | Holding::Remembered(_) => false,
        Holding::Nothing | Holding::Tokens { saved: true, .. } => is_half_done,
        Holding::Tokens { saved: false, .. } => true,
    }
}
