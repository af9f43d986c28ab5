//! How work on a connection's tokens ended, taken into its state and announced.

use crate::domain::{ConnectionName, EventKind, LossOutcome, Problem, Reason};
use crate::engine::actor::Actor;
use crate::engine::connections::state::{Origin, Work};
use crate::engine::messages::{Refreshed, Waiter};
use crate::engine::work::context::{RecordSource, WorkOutcome};
use crate::engine::work::refresh::decide::Need;

impl Actor {
    pub(super) fn ended(&mut self, name: &ConnectionName, ended: WorkOutcome) {
        let now = self.context.now();
        let Some(state) = self.states.get_mut(name) else { return };
        let is_by_itself = matches!(state.work, Some(Work::Refresh(_, Origin::Schedule) | Work::Reread(_)));
        let asked = std::mem::take(&mut state.asked);
        let is_asked = !is_by_itself || !state.waiters.is_empty() || !asked.is_empty();
        let before = state.view.problem.as_ref().map(std::mem::discriminant);
        state.rest();
        let mut unsaved = None;
        let result = match ended {
            WorkOutcome::Held { record, how, problem } => {
                let generation = record.generation;
                let lacks_access_token = record.lacks_access_token();
                state.hold(Some(record), true);
                // The next try comes after a pause: the provider has just been asked twice.
                let lacking = || Problem::Retrying { at: None, why: "the provider sent no access token".into() };
                state.hold_in_spite_of(problem.or_else(|| lacks_access_token.then(lacking)), now);
                match how {
                    RecordSource::Exchanged(lost) => {
                        state.view.lost_answer = lost.map(|lost| (lost, LossOutcome::Recovered));
                    }
                    RecordSource::LoggedIn | RecordSource::Imported { .. } => state.view.lost_answer = None,
                    RecordSource::Rescued(_) | RecordSource::Adopted(_) | RecordSource::Fresh => {}
                }
                Ok((how, generation))
            }
            WorkOutcome::Unsaved { record, how, why } => {
                let generation = record.generation;
                state.hold(Some(record), false);
                unsaved = Some(why.clone());
                state.fail(Problem::NotSaved { why, durable: true }, now);
                Ok((how, generation))
            }
            WorkOutcome::Failed(Problem::Cancelled) => {
                state.is_outdated |= state.view.is_unread();
                Err(Problem::Cancelled)
            }
            WorkOutcome::Failed(problem) => {
                state.fail(problem, now);
                state.plan(now, self.automatic);
                Err(state.view.problem.clone().expect("a failure leaves a problem"))
            }
            WorkOutcome::Refused(refusal) => {
                state.refuse(*refusal, now);
                state.plan(now, self.automatic);
                Err(state.view.problem.clone().expect("a refusal leaves a problem"))
            }
            WorkOutcome::AnswerLost { lost, problem } => {
                state.fail(problem, now);
                state.view.lost_answer = Some((lost, LossOutcome::Pending));
                state.plan(now, self.automatic);
                Err(state.view.problem.clone().expect("a failure leaves a problem"))
            }
            WorkOutcome::Uncertain { generation, problem } => {
                state.mark_uncertain(generation, problem.clone(), now);
                Err(problem)
            }
            WorkOutcome::GivenUp => {
                state.clear_tokens();
                Err(Problem::NeedsLogin { why: "logged out meanwhile by another process, or renamed".into() })
            }
            WorkOutcome::Unchanged => {
                // It may have begun beside a reading, whose report then went unheard; or what it held in
                // memory is given up.
                let is_given_up = state.view.problem.as_ref().is_some_and(Problem::is_in_memory_only);
                state.is_outdated |= state.view.is_unread() || is_given_up;
                return self.publish(name);
            }
            WorkOutcome::NotImported(event) => {
                // It may have begun beside a reading, whose report then went unheard.
                state.is_outdated |= state.record.is_none();
                self.announce(event);
                return self.publish(name);
            }
            WorkOutcome::Reread(found) => {
                state.find(*found, now);
                let Some(problem) = state.shown_uncertain().and(state.view.problem.clone()) else {
                    self.publish(name);
                    return self.begin_asked(name, asked);
                };
                // Those who asked meanwhile could not know; asking again is a choice.
                Err(problem)
            }
        };
        let mut waiters = std::mem::take(&mut state.waiters);
        waiters.extend(asked.into_iter().filter_map(|(_, reply)| reply));
        // A failure that repeats automatically is announced once; the status keeps showing it.
        let is_news = match &result {
            Ok((how, _)) => *how != RecordSource::Fresh,
            Err(problem) => before != Some(std::mem::discriminant(problem)),
        };
        if is_asked || is_news {
            self.announce_end(name, &result, unsaved.as_ref());
        }
        match &result {
            // That it did not take what it was given is no news of a store that answers again.
            Ok(_) if unsaved.is_some() => {}
            Ok(_) => self.store_answers(Ok(())),
            Err(Problem::StoreUnavailable { why }) => self.store_fails(why.clone()),
            Err(_) => {}
        }
        for waiter in waiters {
            let _ = waiter.send(result.clone().map(|(how, generation)| refreshed(how, generation)));
        }
        self.publish(name);
    }

    /// Begins what was asked for while the store was being read: a forced one first, for the
    /// others share its exchange.
    pub(super) fn begin_asked(&mut self, name: &ConnectionName, mut asked: Vec<(Need, Option<Waiter>)>) {
        if self.is_leaving() {
            return; // those who wait get Cancelled
        }
        asked.sort_by_key(|(need, _)| !need.is_new());
        for (need, reply) in asked {
            self.refresh(name, need, reply);
        }
    }

    /// `unsaved` says why the store has not taken the tokens, where it has not.
    pub(super) fn announce_end(
        &mut self,
        name: &ConnectionName,
        result: &Result<(RecordSource, u64), Problem>,
        unsaved: Option<&Reason>,
    ) {
        let connection = name.clone();
        let expires_at = self.states.get(name).and_then(|state| state.record.as_ref()).map(|record| record.expires_at);
        if let (Ok((_, generation)), Some(why)) = (result, unsaved) {
            return self.announce(EventKind::NotSaved { generation: *generation, why: why.clone() }.of(connection));
        }
        self.announce(match result {
            Ok((RecordSource::Exchanged(recovered), generation)) => {
                EventKind::Refreshed { generation: *generation, recovered: *recovered }.of(connection)
            }
            Ok((RecordSource::Rescued(lost), generation)) => {
                EventKind::Refreshed { generation: *generation, recovered: Some(*lost) }.of(connection)
            }
            Ok((RecordSource::LoggedIn, generation)) => EventKind::LoggedIn { generation: *generation }.of(connection),
            Ok((RecordSource::Imported { replaced }, generation)) => EventKind::Imported {
                generation: *generation,
                expires_at: expires_at.unwrap_or_default(),
                replaced: *replaced,
            }
            .of(connection),
            Ok((RecordSource::Adopted(by), generation)) => {
                EventKind::Adopted { generation: *generation, by: *by }.of(connection)
            }
            Ok((RecordSource::Fresh, _)) => {
                EventKind::StillFresh { expires_at: expires_at.unwrap_or_default() }.of(connection)
            }
            Err(problem) => EventKind::RefreshFailed { problem: problem.clone() }.of(connection),
        });
    }
}

fn refreshed(how: RecordSource, generation: u64) -> Refreshed {
    match how {
        RecordSource::Exchanged(_)
        | RecordSource::Rescued(_)
        | RecordSource::LoggedIn
        | RecordSource::Imported { .. } => Refreshed::Obtained(generation),
        RecordSource::Adopted(by) => Refreshed::Adopted(generation, by),
        RecordSource::Fresh => Refreshed::StillFresh(generation),
    }
}
