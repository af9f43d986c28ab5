//! What tasks report, taken into the actor's state. All changes of a connection's state are here.

use crate::domain::{
    Activity, Author, ConnectionName, Event, EventKind, Exchange, Holding, Last, LastRefusal, LogEntry, Outcome,
    Problem, Reason, Revocation, TokenRecord,
};
use crate::engine::actor::Actor;
use crate::engine::work::context::{FoundTokens, TaskReport, store_problem};
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
}
