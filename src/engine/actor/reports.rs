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
    pub(crate) fn take(&mut self, report: TaskReport) {
        match report {
            TaskReport::Loaded(name, found, journal) => self.loaded(&name, *found, journal),
            TaskReport::LoadFailed(error) => self.load_failed(&error),
            TaskReport::Newer(name, found, by) => self.adopt(&name, *found, by),
            TaskReport::Looked(journals) => self.looked(journals),
            TaskReport::Unseen(name) => self.poll_again(&name),
            TaskReport::RefusedElsewhere(name, refusal) => {
                self.refused_elsewhere(&name, refusal.map(|refusal| *refusal));
            }
            TaskReport::LoggedOutElsewhere(name, generation) => self.logged_out_elsewhere(&name, generation),
            TaskReport::Unlocked(result) => {
                if result.is_ok() {
                    self.context.store_opened.notify_one();
                }
                self.announce(Event::UnlockEnded(result.map_err(|error| error.to_string())));
            }
            TaskReport::StoreChecked(result) => self.store_answers(result.as_ref().copied()),
            TaskReport::Activity(name, activity) => {
                if let Some(state) = self.states.get_mut(&name).filter(|state| state.work.is_some()) {
                    state.view.activity = activity;
                    self.publish(&name);
                }
            }
            TaskReport::Fact(event) => self.announce(event),
            TaskReport::Logged(entry) => self.logged(entry),
            TaskReport::InMemoryOnly(name, record, why) => self.in_memory_only(&name, &record, why),
            TaskReport::Ended(name, ended) => self.ended(&name, *ended),
            TaskReport::Tested(name) => {
                if let Some(state) = self.states.get_mut(&name) {
                    state.rest();
                    self.publish(&name);
                }
            }
            TaskReport::LoggedOut(name, result, revocation) => self.logged_out(&name, result, revocation),
            TaskReport::ClientSecretSet(name, result) => self.client_secret_set(name, result),
            TaskReport::SnapshotFailed => self.snapshot_failed(),
            TaskReport::Forgotten(name, result, revocation) => self.forgotten(name, result, revocation),
        }
        self.follow_up();
        self.answer_snapshots();
    }

    fn loaded(&mut self, name: &ConnectionName, found: FoundTokens, journal: Option<Stamp>) {
        self.store_answers(Ok(()));
        let now = self.context.now();
        let Some(state) = self.states.get_mut(name) else { return };
        state.journal = journal;
        // A refresh may have been quicker than the first reading; what it holds is newer.
        if state.work.is_some() || state.record.is_some() {
            return;
        }
        let needs_lock = self.automatic && (found.problem.is_some() || (found.record.is_some() && !found.saved));
        state.hold(found.record, found.saved);
        (state.refusal, state.view.lost_answer) = (found.refusal, found.lost_answer);
        state.first_mint = (found.never_held && !state.view.needs_browser).then_some(now);
        if needs_lock {
            // Another process may be in the middle of it: only the lock shows that.
            self.begin_reread(name);
        } else {
            state.view.problem = found.problem.or(found.missing);
            state.uncertain = found.uncertain;
        }

        self.publish(name);
    }

    /// Takes over what another process has saved, unless something is being done here that will.
    fn adopt(&mut self, name: &ConnectionName, found: FoundTokens, by: Option<Author>) {
        let Some(state) = self.states.get_mut(name).filter(|state| state.work.is_none()) else {
            return self.poll_again(name);
        };
        let newer = found
            .record
            .as_ref()
            .map(|record| record.generation)
            .filter(|generation| found.saved && state.generation().is_none_or(|known| known < *generation));
        let is_known = found.record.as_ref().map(|record| record.generation) == state.generation();
        if newer.is_none() && !is_known {
            return;
        }
        let now = self.context.now();
        let before = state.view.problem.as_ref().map(std::mem::discriminant);
        state.find(found, now);
        state.plan(now, self.automatic);
        let problem = state.view.problem.clone();
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
        let now = self.context.now();
        let Some(state) = self.states.get_mut(name).filter(|state| state.work.is_none()) else {
            return self.poll_again(name);
        };
        match refusal.filter(|refusal| refusal.is_about(&state.connection, state.record.as_ref())) {
            Some(refusal) => {
                let before = state.view.problem.as_ref().map(std::mem::discriminant);
                state.refuse(refusal, now);
                state.plan(now, self.automatic);
                let problem = state.view.problem.clone();
                if let Some(problem) = problem.filter(|problem| before != Some(std::mem::discriminant(problem))) {
                    self.announce(EventKind::RefreshFailed { problem }.of(name.clone()));
                }
                self.publish(name);
            }
            None if state.refusal.is_some() => self.begin_reread(name),
            None => {}
        }
    }

    /// Takes over that another process has logged out, unless newer tokens are here by now.
    fn logged_out_elsewhere(&mut self, name: &ConnectionName, up_to: u64) {
        let Some(state) = self.states.get_mut(name).filter(|state| state.work.is_none()) else {
            return self.poll_again(name);
        };
        if state.record.as_ref().is_some_and(|record| record.generation <= up_to) {
            state.clear_tokens();
            self.announce(EventKind::LoggedOut { revocation: Revocation::None }.of(name.clone()));
            self.publish(name);
        }
    }

    fn load_failed(&mut self, error: &StoreError) {
        self.store_answers(Err(error));
        for name in self.order.clone() {
            if let Some(state) = self.states.get_mut(&name).filter(|state| state.view.holding == Holding::Unknown) {
                state.view.problem = Some(store_problem(error));
                self.publish(&name);
            }
        }
    }

    fn logged(&mut self, entry: Box<LogEntry>) {
        if let Some(state) = self.states.get_mut(&entry.connection) {
            let result = match &entry.outcome {
                Outcome::Status(status) => Ok(*status),
                Outcome::Error(why) => Err(why.clone()),
            };
            state.view.last = Some(Last { at: entry.at, result });
            state.view.clock_skew = entry.clock_skew().or(state.view.clock_skew);
        }
        if matches!(entry.exchange, Exchange::Code | Exchange::Refresh | Exchange::Mint) {
            // One refused request says nothing about others.
            let is_answered = matches!(entry.outcome, Outcome::Status(..500));
            self.states.heard(&entry.connection, is_answered);
        }
        let name = entry.connection.clone();
        self.announce(Event::RequestLogged(entry));
        self.publish(&name);
    }

    fn in_memory_only(&mut self, name: &ConnectionName, record: &TokenRecord, why: Reason) {
        if let Some(state) = self.states.get_mut(name) {
            let is_news = !matches!(state.view.problem, Some(Problem::NotSaved { durable: false, .. }));
            state.view.holding = Holding::Tokens { facts: record.facts(), saved: false };
            state.view.problem = Some(Problem::NotSaved { why: why.clone(), durable: false });
            // The answer is here; what is left to do must not look like a refresh that goes well.
            state.view.activity = Activity::Idle;
            if is_news {
                let (connection, generation) = (name.clone(), record.generation);
                self.announce(EventKind::InMemoryOnly { generation, why }.of(connection));
            }
            self.publish(name);
        }
    }

    fn logged_out(&mut self, name: &ConnectionName, result: Result<(), Problem>, revocation: Revocation) {
        let Some(state) = self.states.get_mut(name) else { return };
        state.rest();
        match result {
            Ok(()) => {
                state.clear_tokens();
                self.announce(EventKind::LoggedOut { revocation }.of(name.clone()));
            }
            // It counts as forgotten once the journal says so, whatever the store did then: how far
            // it came is read from both.
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
