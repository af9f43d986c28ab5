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
        let Some(state) = self.states.get_mut(name) else {
            return self.refuse(name, "there is no such connection");
        };
        if let Some(generation) = state.good_in_spite_of_trouble(&need, self.context.now()) {
            // A command that was given up no longer waits.
            let _ = reply.map(|reply| reply.send(Ok(Refreshed::StillFresh(generation))));
            return;
        }
        if let Some(problem) = state.rate_limited(&need, self.context.now()) {
            let event = EventKind::RefreshFailed { problem: problem.clone() }.of(name.clone());
            self.announce(event);
            if let Some(reply) = reply {
                let _ = reply.send(Err(problem));
            }
            return;
        }
        match (&state.work, reply) {
            (Some(Work::Refresh(..)), reply) => state.waiters.extend(reply),
            (Some(Work::Reread(_)), reply) => state.asked.push((need, reply)),
            (None, reply) if !state.is_leaving => {
                state.waiters.extend(reply);
                let insists = self.context.program == Program::Dashboard;
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
        let Some(state) = self.states.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        let insists = insists || need.is_new();
        let ask = refresh::decide::RefreshRequest {
            need,
            known: state.generation(),
            attempt: state.failures + 1,
            shown_uncertain: state.shown_uncertain(),
            asked_at,
            insists,
        };
        state.work = Some(Work::Refresh(cancel.clone(), origin));
        let work = refresh::refresh(Arc::clone(&self.context), Arc::clone(&state.connection), ask, cancel);
        self.spawn_ending(name, work);
    }

    /// Since when this is asked for. A command was asked when it was started: of many that start at
    /// once, the slowest comes here long after the first has its answer. A person may have been asked
    /// meanwhile whether to force it.
    pub(super) fn asked_at(&self, need: &Need) -> DateTime<Utc> {
        let is_of_its_start = self.context.program == Program::Command && *need != Need::New;
        self.context.now() - if is_of_its_start { clock::running_for() } else { TimeDelta::zero() }
    }

    /// Asks the provider again about every connection that it has refused as misconfigured.
    pub(super) fn ask_again(&mut self) {
        for name in self.order.clone() {
            let state = self.states.get(&name).filter(|state| state.work.is_none() && !state.is_leaving);
            if state.is_some_and(|state| matches!(state.view.problem, Some(Problem::Misconfigured { .. }))) {
                self.begin_refresh(&name, Need::NewIfSure, Origin::Schedule, true);
            }
        }
    }

    pub(crate) fn begin_reread(&mut self, name: &ConnectionName) {
        let Some(state) = self.states.get_mut(name).filter(|state| state.work.is_none()) else { return };
        let cancel = CancellationToken::new();
        state.work = Some(Work::Reread(cancel.clone()));
        let work = refresh::reread(Arc::clone(&self.context), Arc::clone(&state.connection), cancel);
        self.spawn_ending(name, work);
    }

    /// Has a connection's record read from the store; [`TaskReport::Loaded`] reports what is found.
    pub(crate) fn read_from_store(&self, name: &ConnectionName) {
        // A reader without patience ends after a failure, which it has reported.
        let _ = self.states.get(name).map(|state| self.unread.send(Arc::clone(&state.connection)));
    }

    /// Runs work whose end is always reported, even if it panics: a state never stays busy.
    pub(crate) fn spawn_ending(&self, name: &ConnectionName, work: impl Future<Output = WorkOutcome> + Send + 'static) {
        let (context, name) = (Arc::clone(&self.context), name.clone());
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            let ended = work.await.unwrap_or_else(|_| {
                // What was sent is in the journal, which is read before anything else is.
                WorkOutcome::Failed(Problem::Retrying {
                    at: None,
                    why: "manutop failed in the middle of its work (a bug)".into(),
                })
            });
            context.report(TaskReport::Ended(name, Box::new(ended)));
        });
    }
}
