//! What tasks report, taken into the actor's state. All changes of a connection's state are here.

use crate::domain::{
    Activity, Author, ConnectionName, ConnectionView, Event, EventKind, Exchange, Holding, Last, LastRefusal, LogEntry,
    LossOutcome, Outcome, Problem, Reason, Revocation, TokenRecord,
};
use crate::engine::actor::Actor;
use crate::engine::connections::state::{Origin, Waiter, Work};
use crate::engine::handle::Refreshed;
use crate::engine::work::context::{FoundTokens, Source, TaskReport, WorkOutcome, store_problem};
use crate::engine::work::refresh::decide::Need;
use crate::platform::file_stamp::Stamp;
use crate::secrets::error::StoreError;

impl Actor {
    pub(crate) fn take(&mut self, note: TaskReport) {
        match note {
            TaskReport::Loaded(name, found, journal) => self.loaded(&name, *found, journal),
            TaskReport::LoadFailed(error) => self.load_failed(&error),
            TaskReport::Newer(name, found, by) => self.adopt(&name, *found, by),
            TaskReport::Looked(journals) => self.looked(journals),
            TaskReport::Unseen(name) => self.look_again(&name),
            TaskReport::RefusedElsewhere(name, refusal) => {
                self.refused_elsewhere(&name, refusal.map(|refusal| *refusal));
            }
            TaskReport::LoggedOutElsewhere(name, generation) => self.logged_out_elsewhere(&name, generation),
            TaskReport::Unlocked(result) => {
                if result.is_ok() {
                    self.tools.store_opened.notify_one();
                }
                self.announce(Event::UnlockEnded(result.map_err(|error| error.to_string())));
            }
            TaskReport::Activity(name, activity) => {
                if let Some(slot) = self.slots.get_mut(&name).filter(|slot| slot.work.is_some()) {
                    slot.view.activity = activity;
                    self.publish(&name);
                }
            }
            TaskReport::Fact(event) => self.announce(event),
            TaskReport::Logged(entry) => self.logged(entry),
            TaskReport::Owed(name, record, why) => self.owed(&name, &record, why),
            TaskReport::Ended(name, ended) => self.ended(&name, *ended),
            TaskReport::Tested(name) => {
                if let Some(slot) = self.slots.get_mut(&name) {
                    slot.rest();
                    self.publish(&name);
                }
            }
            TaskReport::LoggedOut(name, result, revocation) => self.logged_out(&name, result, revocation),
            TaskReport::ClientSecretSet(name, result) => self.client_secret_set(name, result),
            TaskReport::OverviewFailed => self.overview_failed(),
            TaskReport::Forgotten(name, result, revocation) => self.forgotten(name, result, revocation),
        }
        self.follow_up();
        self.satisfy_curiosity();
    }

    fn loaded(&mut self, name: &ConnectionName, found: FoundTokens, journal: Option<Stamp>) {
        self.store_answers(Ok(()));
        let now = self.tools.now();
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.journal = journal;
        // A refresh may have been quicker than the first reading; what it holds is newer.
        if slot.work.is_some() || slot.record.is_some() {
            return;
        }
        let needs_lock = self.automatic && (found.problem.is_some() || (found.record.is_some() && !found.saved));
        slot.hold(found.record, found.saved);
        (slot.refusal, slot.view.lost_answer) = (found.refusal, found.lost_answer);
        slot.first_mint = (found.never_held && !slot.view.needs_browser).then_some(now);
        if needs_lock {
            // Another process may be in the middle of it: only the lock tells.
            self.begin_reread(name);
        } else {
            slot.view.problem = found.problem.or(found.missing);
            slot.uncertain = found.uncertain;
        }

        self.publish(name);
    }

    /// Takes over what another process has saved, unless something is being done here that will.
    fn adopt(&mut self, name: &ConnectionName, found: FoundTokens, by: Option<Author>) {
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.work.is_none()) else {
            return self.look_again(name);
        };
        let newer = found
            .record
            .as_ref()
            .map(|record| record.generation)
            .filter(|generation| found.saved && slot.generation().is_none_or(|known| known < *generation));
        let is_known = found.record.as_ref().map(|record| record.generation) == slot.generation();
        if newer.is_none() && !is_known {
            return;
        }
        let now = self.tools.now();
        let before = slot.view.problem.as_ref().map(std::mem::discriminant);
        slot.find(found, now);
        slot.plan(now, self.automatic);
        let problem = slot.view.problem.clone();
        if let Some(generation) = newer {
            self.announce(EventKind::Adopted { generation, by }.of(name.clone()));
        }
        if let Some(problem) = problem.filter(|problem| before != Some(std::mem::discriminant(problem))) {
            self.announce(EventKind::RefreshFailed { problem }.of(name.clone()));
        }
        self.publish(name);
    }

    /// Takes over what the provider said to another process, or that it is void.
    fn refused_elsewhere(&mut self, name: &ConnectionName, refusal: Option<LastRefusal>) {
        let now = self.tools.now();
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.work.is_none()) else {
            return self.look_again(name);
        };
        match refusal.filter(|refusal| refusal.is_about(&slot.connection, slot.record.as_ref())) {
            Some(refusal) => {
                let before = slot.view.problem.as_ref().map(std::mem::discriminant);
                slot.refuse(refusal, now);
                slot.plan(now, self.automatic);
                let problem = slot.view.problem.clone();
                if let Some(problem) = problem.filter(|problem| before != Some(std::mem::discriminant(problem))) {
                    self.announce(EventKind::RefreshFailed { problem }.of(name.clone()));
                }
                self.publish(name);
            }
            None if slot.refusal.is_some() => self.begin_reread(name),
            None => {}
        }
    }

    /// Takes over that another process has logged out, unless newer tokens are here by now.
    fn logged_out_elsewhere(&mut self, name: &ConnectionName, up_to: u64) {
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.work.is_none()) else {
            return self.look_again(name);
        };
        if slot.record.as_ref().is_some_and(|record| record.generation <= up_to) {
            slot.let_go();
            self.announce(EventKind::LoggedOut { revocation: Revocation::None }.of(name.clone()));
            self.publish(name);
        }
    }

    fn load_failed(&mut self, error: &StoreError) {
        self.store_answers(Err(error));
        for name in self.order.clone() {
            if let Some(slot) = self.slots.get_mut(&name).filter(|slot| slot.view.holding == Holding::Unknown) {
                slot.view.problem = Some(store_problem(error));
                self.publish(&name);
            }
        }
    }

    fn logged(&mut self, entry: Box<LogEntry>) {
        if let Some(slot) = self.slots.get_mut(&entry.connection) {
            let result = match &entry.outcome {
                Outcome::Status(status) => Ok(*status),
                Outcome::Error(why) => Err(why.clone()),
            };
            slot.view.last = Some(Last { at: entry.at, result });
            slot.view.clock_skew = entry.clock_skew().or(slot.view.clock_skew);
        }
        if matches!(entry.exchange, Exchange::Code | Exchange::Refresh | Exchange::Mint) {
            // That a request is refused tells nothing of the others.
            let is_answered = matches!(entry.outcome, Outcome::Status(..500));
            self.slots.heard(&entry.connection, is_answered);
        }
        let name = entry.connection.clone();
        self.announce(Event::RequestLogged(entry));
        self.publish(&name);
    }

    fn owed(&mut self, name: &ConnectionName, record: &TokenRecord, why: Reason) {
        if let Some(slot) = self.slots.get_mut(name) {
            let is_news = !matches!(slot.view.problem, Some(Problem::NotSaved { durable: false, .. }));
            slot.view.holding = Holding::Tokens { facts: record.facts(), saved: false };
            slot.view.problem = Some(Problem::NotSaved { why: why.clone(), durable: false });
            // The answer is here; what is left to do must not look like a refresh that goes well.
            slot.view.activity = Activity::Idle;
            if is_news {
                let (connection, generation) = (name.clone(), record.generation);
                self.announce(EventKind::InMemoryOnly { generation, why }.of(connection));
            }
            self.publish(name);
        }
    }

    fn ended(&mut self, name: &ConnectionName, ended: WorkOutcome) {
        let now = self.tools.now();
        let Some(slot) = self.slots.get_mut(name) else { return };
        let is_by_itself = matches!(slot.work, Some(Work::Refresh(_, Origin::Schedule) | Work::Reread(_)));
        let asked = std::mem::take(&mut slot.asked);
        let is_asked = !is_by_itself || !slot.waiters.is_empty() || !asked.is_empty();
        let before = slot.view.problem.as_ref().map(std::mem::discriminant);
        slot.rest();
        let mut unsaved = None;
        let result = match ended {
            WorkOutcome::Held { record, how, problem } => {
                let generation = record.generation;
                let lacks_access_token = record.lacks_access_token();
                slot.hold(Some(record), true);
                // The next try comes after a pause: the provider has just been asked twice.
                let lacking = || Problem::Retrying { at: None, why: "the provider sent no access token".into() };
                slot.hold_in_spite_of(problem.or_else(|| lacks_access_token.then(lacking)), now);
                match how {
                    Source::Exchanged(lost) => slot.view.lost_answer = lost.map(|lost| (lost, LossOutcome::Recovered)),
                    Source::LoggedIn | Source::Imported { .. } => slot.view.lost_answer = None,
                    Source::Rescued(_) | Source::Adopted(_) | Source::Fresh => {}
                }
                Ok((how, generation))
            }
            WorkOutcome::Unsaved { record, how, why } => {
                let generation = record.generation;
                slot.hold(Some(record), false);
                unsaved = Some(why.clone());
                slot.fail(Problem::NotSaved { why, durable: true }, now);
                Ok((how, generation))
            }
            WorkOutcome::Failed(Problem::Cancelled) => {
                slot.is_outdated |= slot.view.is_unread();
                Err(Problem::Cancelled)
            }
            WorkOutcome::Failed(problem) => {
                slot.fail(problem, now);
                slot.plan(now, self.automatic);
                Err(slot.view.problem.clone().expect("a failure leaves a problem"))
            }
            WorkOutcome::Refused(refusal) => {
                slot.refuse(*refusal, now);
                slot.plan(now, self.automatic);
                Err(slot.view.problem.clone().expect("a refusal leaves a problem"))
            }
            WorkOutcome::AnswerLost { lost, problem } => {
                slot.fail(problem, now);
                slot.view.lost_answer = Some((lost, LossOutcome::Pending));
                slot.plan(now, self.automatic);
                Err(slot.view.problem.clone().expect("a failure leaves a problem"))
            }
            WorkOutcome::Uncertain { generation, problem } => {
                slot.doubt(generation, problem.clone(), now);
                Err(problem)
            }
            WorkOutcome::GivenUp => {
                slot.let_go();
                Err(Problem::NeedsLogin { why: "logged out meanwhile by another process, or renamed".into() })
            }
            WorkOutcome::Unchanged => {
                // It may have begun beside a reading, whose report then went unheard; or what it held in
                // memory is given up.
                let is_given_up = slot.view.problem.as_ref().is_some_and(Problem::is_in_memory_only);
                slot.is_outdated |= slot.view.is_unread() || is_given_up;
                return self.publish(name);
            }
            WorkOutcome::NotImported(event) => {
                // It may have begun beside a reading, whose report then went unheard.
                slot.is_outdated |= slot.record.is_none();
                self.announce(event);
                return self.publish(name);
            }
            WorkOutcome::Reread(found) => {
                slot.find(*found, now);
                let Some(problem) = slot.shown_uncertain().and(slot.view.problem.clone()) else {
                    self.publish(name);
                    return self.begin_asked(name, asked);
                };
                // Whoever asked meanwhile could not know; asking again will be a choice.
                Err(problem)
            }
        };
        let mut waiters = std::mem::take(&mut slot.waiters);
        waiters.extend(asked.into_iter().filter_map(|(_, reply)| reply));
        // What goes wrong again and again by itself is told once; the status goes on showing it.
        let is_news = match &result {
            Ok((how, _)) => *how != Source::Fresh,
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
    fn begin_asked(&mut self, name: &ConnectionName, mut asked: Vec<(Need, Option<Waiter>)>) {
        if self.is_leaving() {
            return; // whoever waits is told that it was cancelled
        }
        asked.sort_by_key(|(need, _)| !need.is_new());
        for (need, reply) in asked {
            self.refresh(name, need, reply);
        }
    }

    /// `unsaved` tells why the store has not taken the tokens, where it has not.
    fn announce_end(
        &mut self,
        name: &ConnectionName,
        result: &Result<(Source, u64), Problem>,
        unsaved: Option<&Reason>,
    ) {
        let connection = name.clone();
        let expires_at = self.slots.get(name).and_then(|slot| slot.record.as_ref()).map(|record| record.expires_at);
        if let (Ok((_, generation)), Some(why)) = (result, unsaved) {
            return self.announce(EventKind::NotSaved { generation: *generation, why: why.clone() }.of(connection));
        }
        self.announce(match result {
            Ok((Source::Exchanged(recovered), generation)) => {
                EventKind::Refreshed { generation: *generation, recovered: *recovered }.of(connection)
            }
            Ok((Source::Rescued(lost), generation)) => {
                EventKind::Refreshed { generation: *generation, recovered: Some(*lost) }.of(connection)
            }
            Ok((Source::LoggedIn, generation)) => EventKind::LoggedIn { generation: *generation }.of(connection),
            Ok((Source::Imported { replaced }, generation)) => EventKind::Imported {
                generation: *generation,
                expires_at: expires_at.unwrap_or_default(),
                replaced: *replaced,
            }
            .of(connection),
            Ok((Source::Adopted(by), generation)) => {
                EventKind::Adopted { generation: *generation, by: *by }.of(connection)
            }
            Ok((Source::Fresh, _)) => {
                EventKind::StillFresh { expires_at: expires_at.unwrap_or_default() }.of(connection)
            }
            Err(problem) => EventKind::RefreshFailed { problem: problem.clone() }.of(connection),
        });
    }

    fn logged_out(&mut self, name: &ConnectionName, result: Result<(), Problem>, revocation: Revocation) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.rest();
        match result {
            Ok(()) => {
                slot.let_go();
                self.announce(EventKind::LoggedOut { revocation }.of(name.clone()));
            }
            // It counts as forgotten once the journal says so, whatever the store did then: how far
            // it came is told by the two.
            Err(problem) => {
                if problem != Problem::Cancelled {
                    self.begin_reread(name);
                }
                self.announce(EventKind::LogoutFailed { problem, revocation }.of(name.clone()));
            }
        }
        self.publish(name);
    }

    fn store_answers(&mut self, result: Result<(), &StoreError>) {
        match result {
            Err(error) => self.store_fails_with(error),
            Ok(()) if self.store_trouble.take().is_some() => self.announce(Event::StoreChanged(Ok(()))),
            Ok(()) => {}
        }
    }

    fn store_fails_with(&mut self, error: &StoreError) {
        let (new, refused) = match error {
            StoreError::PassphraseNeeded { new } => (*new, None),
            StoreError::WrongPassphrase { .. } => (false, Some(error.reason())),
            _ => return self.store_fails(error.reason_with_advice()),
        };
        let trouble = error.reason();
        if self.store_trouble.as_ref() != Some(&trouble) {
            self.store_trouble = Some(trouble);
            self.announce(Event::PassphraseAsked { new, refused });
        }
    }

    fn store_fails(&mut self, why: Reason) {
        if self.store_trouble.as_ref() != Some(&why) {
            self.store_trouble = Some(why.clone());
            self.announce(Event::StoreChanged(Err(why)));
        }
    }

    /// All connections as they stand, in the configuration's order.
    pub(crate) fn standing(&self) -> Vec<ConnectionView> {
        self.order.iter().filter_map(|name| self.slots.get(name)).map(|slot| slot.view.clone()).collect()
    }

    /// Answers those who wait for the first reading, once every connection is read or has failed.
    pub(crate) fn satisfy_curiosity(&mut self) {
        if self.curious.is_empty() || !self.slots.are_read() {
            return;
        }
        let views = self.standing();
        for reply in self.curious.drain(..) {
            let _ = reply.send(views.clone());
        }
    }
}

fn refreshed(how: Source, generation: u64) -> Refreshed {
    match how {
        Source::Exchanged(_) | Source::Rescued(_) | Source::LoggedIn | Source::Imported { .. } => {
            Refreshed::Obtained(generation)
        }
        Source::Adopted(by) => Refreshed::Adopted(generation, by),
        Source::Fresh => Refreshed::StillFresh(generation),
    }
}
