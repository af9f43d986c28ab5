//! Who begins what is due. A dashboard beside a keeper that leads lets it go first: it waits half
//! as long again, and does the work only where the keeper has not. A keeper that stands by begins
//! nothing until it takes over.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::actor::{Actor, LONGEST_SLEEP};
use super::reports::needs_lock;
use super::tools::Note;
use crate::domain::{Event, Holding, Keeper, Program};
use crate::store::Seen;

/// A look is not put off by one that came a moment too early.
const SLACK: Duration = Duration::from_millis(500);

/// The keeper beside this process.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) keeper: Option<Keeper>,
    looked: Option<Instant>,
}

impl Actor {
    /// Looks who leads, unless that was just done. A keeper knows, and a command begins nothing.
    pub(super) fn look_for_keeper(&mut self) {
        let is_fresh = self.beside.looked.is_some_and(|looked| looked.elapsed() + SLACK < LONGEST_SLEEP);
        if is_fresh || self.tools.program != Program::Dashboard {
            return;
        }
        self.beside.looked = Some(Instant::now());
        let tools = Arc::clone(&self.tools);
        tokio::spawn(async move { tools.note(Note::Keeper(tools.vault.keeper().await)) });
    }

    /// Takes in who leads.
    pub(super) fn beside(&mut self, keeper: Option<Keeper>) {
        if self.beside.keeper == keeper {
            return;
        }
        self.beside.keeper = keeper;
        for slot in self.slots.values_mut() {
            slot.goes_second = keeper.is_some();
        }
        self.announce(Event::KeeperChanged(keeper));
        self.publish_all();
    }

    /// Begins by itself what is due, from now on. Whatever stood in the way may have been the
    /// last leader's death: it is looked at under the lock.
    pub(super) fn take_over(&mut self) {
        if std::mem::replace(&mut self.automatic, true) {
            return;
        }
        self.seen = Seen::default();
        for name in self.order.clone() {
            let is_open = self.slots.get(&name).is_some_and(|slot| {
                let is_unsaved = matches!(slot.view.holding, Holding::Tokens { saved: false, .. });
                slot.view.holding != Holding::Unknown && needs_lock(slot.view.problem.as_ref(), is_unsaved)
            });
            if is_open {
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
