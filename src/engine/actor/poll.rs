//! What other processes have done: who leads, and whose journal has changed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::{ConnectionName, Program};
use crate::engine::actor::{Actor, COMMAND_POLL_PAUSE, POLL_PAUSE};
use crate::engine::connections::state::ConnectionState;
use crate::engine::work::load;
use crate::platform::file_stamp::Stamp;

impl Actor {
    /// Looks now and then what other processes did: who leads, and whose journal was changed.
    pub(super) fn poll_other_processes(&mut self) {
        if Instant::now() < self.poll_at {
            return;
        }
        let pause = if self.context.program == Program::Command { COMMAND_POLL_PAUSE } else { POLL_PAUSE };
        self.poll_at = Instant::now() + pause;
        if self.is_leaving() {
            return;
        }
        self.poll_leadership();
        self.write_status_snapshot();
        let is_due = self.context.vault.changed_since(&mut self.seen) || self.must_poll_again;
        if is_due && !self.is_polling {
            self.is_polling = true;
            // Connections at work are looked at once they are idle, those being read once they are read: until
            // then everything in their journal would look new.
            let is_resting = |state: &&ConnectionState| state.work.is_none() && !state.is_unread();
            self.must_poll_again = !self.states.values().all(|state| is_resting(&state));
            let resting = self.states.values().filter(is_resting);
            tokio::spawn(load::look(Arc::clone(&self.context), resting.map(ConnectionState::looked).collect()));
        }
    }

    /// A look at the journals has ended: these have been read, and looked so.
    pub(crate) fn looked(&mut self, journals: Vec<(ConnectionName, Option<Stamp>)>) {
        self.is_polling = false;
        for (name, journal) in journals {
            if let Some(state) = self.states.get_mut(&name) {
                state.journal = journal;
            }
        }
    }

    /// What was found in a journal could not be taken in: it is looked at again.
    pub(crate) fn poll_again(&mut self, name: &ConnectionName) {
        self.must_poll_again = true;
        if let Some(state) = self.states.get_mut(name) {
            state.journal = None;
        }
    }
}
