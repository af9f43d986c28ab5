//! What other processes have done: who leads, and whose journal has changed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::{ConnectionName, Program};
use crate::engine::actor::{Actor, LOOK, LOOK_OF_A_COMMAND};
use crate::engine::connections::state::ConnectionState;
use crate::engine::work::load;
use crate::platform::file_stamp::Stamp;

impl Actor {
    /// Looks now and then what other processes did: who leads, and whose journal was changed.
    pub(super) fn look_around(&mut self) {
        if Instant::now() < self.look_at {
            return;
        }
        let pause = if self.tools.program == Program::Command { LOOK_OF_A_COMMAND } else { LOOK };
        self.look_at = Instant::now() + pause;
        if self.is_leaving() {
            return;
        }
        self.look_for_keeper();
        self.note_overview();
        let is_due = self.tools.vault.changed_since(&mut self.seen) || self.is_look_owed;
        if is_due && !self.is_looking {
            self.is_looking = true;
            // Whoever is at work now is looked at when it rests, and what is being read once it is: until
            // then all that its journal tells would be news.
            let is_resting = |slot: &&ConnectionState| slot.work.is_none() && !slot.is_unread();
            self.is_look_owed = !self.slots.values().all(|slot| is_resting(&slot));
            let resting = self.slots.values().filter(is_resting);
            tokio::spawn(load::look(Arc::clone(&self.tools), resting.map(ConnectionState::looked).collect()));
        }
    }

    /// A look at the journals has ended: these have been read, and looked so.
    pub(crate) fn looked(&mut self, journals: Vec<(ConnectionName, Option<Stamp>)>) {
        self.is_looking = false;
        for (name, journal) in journals {
            if let Some(slot) = self.slots.get_mut(&name) {
                slot.journal = journal;
            }
        }
    }

    /// What was found in a journal could not be taken in: it is looked at again.
    pub(crate) fn look_again(&mut self, name: &ConnectionName) {
        self.is_look_owed = true;
        if let Some(slot) = self.slots.get_mut(name) {
            slot.journal = None;
        }
    }
}
