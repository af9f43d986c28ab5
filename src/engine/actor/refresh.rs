//! Beginning a refresh, and reading the store again.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::domain::{ConnectionName, EventKind, Problem, Program, clock};
use crate::engine::actor::Actor;
use crate::engine::connections::state::{Origin, Work};
use crate::engine::messages::{Refreshed, Waiter};
use crate::engine::work::context::{TaskReport, WorkOutcome};
use crate::engine::work::refresh;
use crate::engine::work::refresh::decide::Need;

impl Actor {
    pub(crate) fn refresh(&mut self, name: &ConnectionName, need: Need, reply: Option<Waiter>) {
        let Some(slot) = self.slots.get_mut(name) else {
            return self.refuse(name, "there is no such connection");
        };
        if let Some(generation) = slot.good_in_spite_of_trouble(&need, self.tools.now()) {
            // Nobody waits any more where a command was given up.
            let _ = reply.map(|reply| reply.send(Ok(Refreshed::StillFresh(generation))));
            return;
        }
        if let Some(problem) = slot.rate_limited(&need, self.tools.now()) {
            let event = EventKind::RefreshFailed { problem: problem.clone() }.of(name.clone());
            self.announce(event);
            if let Some(reply) = reply {
                let _ = reply.send(Err(problem));
            }
            return;
        }
        match (&slot.work, reply) {
            (Some(Work::Refresh(..)), reply) => slot.waiters.extend(reply),
            (Some(Work::Reread(_)), reply) => slot.asked.push((need, reply)),
            (None, reply) if !slot.is_leaving => {
                slot.waiters.extend(reply);
                let insists = self.tools.program == Program::Dashboard;
                self.begin_refresh(name, need, Origin::Person, insists);
            }
            (_, Some(reply)) => {
                let _ = reply.send(Err(Problem::Retrying { at: None, why: "something else is under way".into() }));
            }
            (_, None) => {
                self.idle(name);
            }
        }
    }

    pub(super) fn begin_refresh(&mut self, name: &ConnectionName, need: Need, origin: Origin, insists: bool) {
        let (asked_at, insists) = (self.asked_at(&need), insists || need.is_new());
        let Some(slot) = self.slots.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        let insists = insists || need.is_new();
        let ask = refresh::decide::RefreshRequest {
            need,
            known: slot.generation(),
            attempt: slot.failures + 1,
            shown_uncertain: slot.shown_uncertain(),
            asked_at,
            insists,
        };
        slot.work = Some(Work::Refresh(cancel.clone(), origin));
        let work = refresh::refresh(Arc::clone(&self.tools), Arc::clone(&slot.connection), ask, cancel);
        self.spawn_ending(name, work);
    }

    /// Since when this is asked for. A command was asked when it was started: of many that start at
    /// once, the slowest comes here long after the first has its answer. A person may have been asked
    /// meanwhile whether to force it.
    pub(super) fn asked_at(&self, need: &Need) -> DateTime<Utc> {
        let is_of_its_start = self.tools.program == Program::Command && *need != Need::New;
        self.tools.now() - if is_of_its_start { clock::running_for() } else { TimeDelta::zero() }
    }

    /// Asks the provider again about every connection that it has refused as misconfigured.
    pub(super) fn ask_again(&mut self) {
        for name in self.order.clone() {
            let slot = self.slots.get(&name).filter(|slot| slot.work.is_none() && !slot.is_leaving);
            if slot.is_some_and(|slot| matches!(slot.view.problem, Some(Problem::Misconfigured { .. }))) {
                self.begin_refresh(&name, Need::NewIfSure, Origin::Schedule, true);
            }
        }
    }

    pub(crate) fn begin_reread(&mut self, name: &ConnectionName) {
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.work.is_none()) else { return };
        let cancel = CancellationToken::new();
        slot.work = Some(Work::Reread(cancel.clone()));
        let work = refresh::reread(Arc::clone(&self.tools), Arc::clone(&slot.connection), cancel);
        self.spawn_ending(name, work);
    }

    /// Has a connection's record read from the store; [`TaskReport::Loaded`] tells what is found.
    pub(crate) fn read_from_store(&self, name: &ConnectionName) {
        // Without patience nobody reads any more after a failure, which has been told.
        let _ = self.slots.get(name).map(|slot| self.unread.send(Arc::clone(&slot.connection)));
    }

    /// Runs work whose end is always reported, even if it panics: a slot never stays busy.
    pub(crate) fn spawn_ending(&self, name: &ConnectionName, work: impl Future<Output = WorkOutcome> + Send + 'static) {
        let (tools, name) = (Arc::clone(&self.tools), name.clone());
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            let ended = work.await.unwrap_or_else(|_| {
                // What was sent is in the journal, which is read before anything else is.
                WorkOutcome::Failed(Problem::Retrying {
                    at: None,
                    why: "manutop failed in the middle of its work (a bug)".into(),
                })
            });
            tools.note(TaskReport::Ended(name, Box::new(ended)));
        });
    }
}
