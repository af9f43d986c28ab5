//! The one task that owns all state. Questions, reports and the passing of time come in; work is
//! begun as tasks of its own, which only report back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::handle::{Ask, Refreshed};
use super::rotation::{self, Need};
use super::slot::{Slot, Waiter, Work};
use super::tools::{Ended, Found, How, Note, Tools, store_problem};
use super::{check, load, login, reveal};
use crate::domain::{
    Activity, Command, Connection, ConnectionName, ConnectionView, Event, Holding, Last, LogEntry, Outcome, Problem,
    Secret, TokenRecord,
};
use crate::store::StoreError;

/// The longest sleep. Timers stand still while a machine sleeps, so due work is looked for by the
/// wall clock at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// All state of the engine.
pub(super) struct Actor {
    tools: Arc<Tools>,
    slots: HashMap<ConnectionName, Slot>,
    order: Vec<ConnectionName>,
    automatic: bool,
    /// Why the store does not answer, as last announced.
    store_trouble: Option<String>,
    /// Who waits for all connections to be read.
    curious: Vec<oneshot::Sender<Vec<ConnectionView>>>,
    leaving: Option<oneshot::Sender<()>>,
}

impl Actor {
    pub(super) fn new(tools: Arc<Tools>, connections: Vec<Connection>, automatic: bool) -> Self {
        let order = connections.iter().map(|connection| connection.name.clone()).collect();
        let slots =
            connections.into_iter().map(|connection| (connection.name.clone(), Slot::new(connection))).collect();
        Self { tools, slots, order, automatic, store_trouble: None, curious: Vec::new(), leaving: None }
    }

    pub(super) async fn run(
        mut self,
        mut asks: mpsc::UnboundedReceiver<Ask>,
        mut notes: mpsc::UnboundedReceiver<Note>,
    ) {
        tokio::spawn(load::load(Arc::clone(&self.tools), self.order.clone(), self.automatic));
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.answer(ask),
                    None => break,
                },
                Some(note) = notes.recv() => self.take(note),
                () = tokio::time::sleep(self.nap()) => self.begin_due(),
            }
            if let Some(reply) = self.leaving.take_if(|_| !self.slots.values().any(Slot::is_owing)) {
                let _ = reply.send(());
                break;
            }
        }
    }

    /// How long nothing can be due.
    fn nap(&self) -> Duration {
        if !self.automatic || self.leaving.is_some() {
            return LONGEST_SLEEP;
        }
        let now = self.tools.now();
        let soonest = self.slots.values().filter_map(|slot| slot.wait(now)).min();
        soonest.map_or(LONGEST_SLEEP, |wait| wait.to_std().unwrap_or(Duration::ZERO).min(LONGEST_SLEEP))
    }

    fn begin_due(&mut self) {
        if !self.automatic || self.leaving.is_some() {
            return;
        }
        let now = self.tools.now();
        let due: Vec<_> =
            self.slots.values().filter(|slot| slot.is_due(now)).map(|slot| slot.connection.name.clone()).collect();
        for name in due {
            self.begin_refresh(&name, Need::NotDue);
        }
    }

    // ── questions ────────────────────────────────────────────────────────────────────────────

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Command(command) => self.carry_out(command),
            Ask::Refresh { connection, need, reply } => self.refresh(&connection, need, Some(reply)),
            Ask::Reveal { connection, what, reply } => {
                let slot = self.slots.get(&connection).ok_or_else(|| format!("there is no connection {connection}"));
                let _ = reply.send(slot.and_then(|slot| reveal::reveal(slot, what, self.tools.now())));
            }
            Ask::Views { reply } => {
                self.curious.push(reply);
                self.satisfy_curiosity();
            }
            Ask::Shutdown { reply } => {
                for slot in self.slots.values() {
                    cancel(slot.work.as_ref());
                }
                self.leaving = Some(reply);
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Login { connection } => self.login(&connection),
            Command::FinishLogin { connection, pasted } => self.tell_login(&connection, login::Input::Pasted(pasted)),
            Command::ReopenBrowser { connection } => self.tell_login(&connection, login::Input::Reopen),
            Command::Cancel { connection } => cancel(self.slots.get(&connection).and_then(|slot| slot.work.as_ref())),
            Command::Refresh { connection, force } => {
                self.refresh(&connection, if force { Need::New } else { Need::NotDue }, None);
            }
            Command::SetAuto { connection, on } => self.set_auto(&connection, on),
            Command::SetAutoAll { on } => {
                for name in self.order.clone() {
                    self.set_auto(&name, on);
                }
            }
            Command::Test { connection } => self.test(&connection),
            Command::Logout { connection } => self.logout(&connection),
            Command::Copy { .. } | Command::Quit | Command::Suspend => {
                unreachable!("carried out by the shell: {command:?}")
            }
        }
    }

    fn refuse(&self, connection: &ConnectionName, why: impl Into<String>) {
        self.tools.announce(Event::Refused { connection: connection.clone(), why: why.into() });
    }

    /// The slot, if it is there and at rest; otherwise says why nothing is begun.
    fn idle(&mut self, name: &ConnectionName) -> Option<&mut Slot> {
        let busy = match self.slots.get(name).map(|slot| &slot.work) {
            Some(None) => return self.slots.get_mut(name),
            None => "there is no such connection",
            Some(Some(Work::Refresh(_))) => "a refresh is under way",
            Some(Some(Work::Login(..))) => "a login is under way",
            Some(Some(Work::Test)) => "a test is under way",
            Some(Some(Work::Logout)) => "a logout is under way",
        };
        self.refuse(name, busy);
        None
    }

    fn refresh(&mut self, name: &ConnectionName, need: Need, reply: Option<Waiter>) {
        let Some(slot) = self.slots.get_mut(name) else {
            return self.refuse(name, "there is no such connection");
        };
        if need != Need::New
            && let Some(problem) = slot.rate_limited(self.tools.now())
        {
            let event = Event::RefreshFailed { connection: name.clone(), problem: problem.clone() };
            self.tools.announce(event);
            if let Some(reply) = reply {
                let _ = reply.send(Err(problem));
            }
            return;
        }
        match (&slot.work, reply) {
            (Some(Work::Refresh(_)), Some(reply)) => slot.waiters.push(reply),
            (Some(Work::Refresh(_)), None) => {}
            (None, reply) => {
                slot.waiters.extend(reply);
                self.begin_refresh(name, need);
            }
            (Some(_), Some(reply)) => {
                let _ = reply.send(Err(Problem::Retrying { at: None, why: "something else is under way".into() }));
            }
            (Some(_), None) => {
                self.idle(name);
            }
        }
    }

    fn begin_refresh(&mut self, name: &ConnectionName, need: Need) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        let ask = rotation::Ask { need, known: slot.generation(), attempt: slot.failures + 1 };
        slot.work = Some(Work::Refresh(cancel.clone()));
        let work = rotation::refresh(Arc::clone(&self.tools), Arc::clone(&slot.connection), ask, cancel);
        self.spawn_ending(name, work);
    }

    fn begin_reread(&mut self, name: &ConnectionName) {
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.work.is_none()) else { return };
        let cancel = CancellationToken::new();
        slot.work = Some(Work::Refresh(cancel.clone()));
        let work = rotation::reread(Arc::clone(&self.tools), Arc::clone(&slot.connection), cancel);
        self.spawn_ending(name, work);
    }

    /// Runs work whose end is always reported, even if it panics: a slot never stays busy.
    fn spawn_ending(&self, name: &ConnectionName, work: impl Future<Output = Ended> + Send + 'static) {
        let (tools, name) = (Arc::clone(&self.tools), name.clone());
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            let ended = work.await.unwrap_or_else(|_| {
                Ended::Failed(Problem::Uncertain {
                    why: "manutop failed in the middle of its work (a bug); its journal tells what was sent".into(),
                })
            });
            tools.note(Note::Ended(name, Box::new(ended)));
        });
    }

    fn login(&mut self, name: &ConnectionName) {
        let Some(slot) = self.idle(name) else { return };
        if !slot.connection.needs_browser() {
            return self.refresh(name, Need::NotDue, None);
        }
        let cancel = CancellationToken::new();
        let (input, inputs) = mpsc::channel(8);
        slot.work = Some(Work::Login(cancel.clone(), input));
        let connection = Arc::clone(&slot.connection);
        self.spawn_ending(name, login::login(Arc::clone(&self.tools), connection, inputs, cancel));
    }

    fn tell_login(&mut self, name: &ConnectionName, input: login::Input) {
        match self.slots.get(name).and_then(|slot| slot.work.as_ref()) {
            Some(Work::Login(_, inputs)) => {
                // A full channel means that somebody pastes faster than a login can look.
                let _ = inputs.try_send(input);
            }
            _ => self.refuse(name, "no login is under way"),
        }
    }

    fn set_auto(&mut self, name: &ConnectionName, on: bool) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.view.auto = on;
            self.publish(name);
        }
    }

    fn test(&mut self, name: &ConnectionName) {
        let now = self.tools.now();
        let Some(slot) = self.idle(name) else { return };
        match reveal::access_token(slot, now) {
            Err(why) => self.refuse(name, why),
            Ok(token) => self.begin_test(name, token),
        }
    }

    fn begin_test(&mut self, name: &ConnectionName, token: Secret) {
        let since = self.tools.now();
        if let Some(slot) = self.slots.get_mut(name) {
            slot.work = Some(Work::Test);
            slot.view.activity = Activity::Testing { since };
            tokio::spawn(check::check(Arc::clone(&self.tools), Arc::clone(&slot.connection), token));
            self.publish(name);
        }
    }

    fn logout(&mut self, name: &ConnectionName) {
        let Some(slot) = self.idle(name) else { return };
        slot.work = Some(Work::Logout);
        let (tools, name) = (Arc::clone(&self.tools), name.clone());
        tokio::spawn(async move {
            let forgotten = async {
                let mut lease = tools.vault.lock(&name, |_| {}).await?;
                lease.forget().await
            };
            let result = forgotten.await;
            tools.note(Note::LoggedOut(name, result));
        });
    }

    // ── reports ──────────────────────────────────────────────────────────────────────────────

    fn take(&mut self, note: Note) {
        match note {
            Note::Loaded(name, found) => self.loaded(&name, *found),
            Note::LoadFailed(error) => self.load_failed(&error),
            Note::Activity(name, activity) => {
                if let Some(slot) = self.slots.get_mut(&name).filter(|slot| slot.work.is_some()) {
                    slot.view.activity = activity;
                    self.publish(&name);
                }
            }
            Note::Logged(entry) => self.logged(entry),
            Note::Owed(name, record, why) => self.owed(&name, &record, why),
            Note::Ended(name, ended) => self.ended(&name, *ended),
            Note::Tested(name) => {
                if let Some(slot) = self.slots.get_mut(&name) {
                    slot.rest();
                    self.publish(&name);
                }
            }
            Note::LoggedOut(name, result) => self.logged_out(&name, result),
        }
        self.satisfy_curiosity();
    }

    fn loaded(&mut self, name: &ConnectionName, found: Found) {
        self.store_answers(Ok(()));
        let Some(slot) = self.slots.get_mut(name) else { return };
        // A refresh may have been quicker than the first reading; what it holds is newer.
        if slot.work.is_some() || slot.record.is_some() {
            return;
        }
        let needs_lock = self.automatic && (found.problem.is_some() || (found.record.is_some() && !found.saved));
        slot.hold(found.record, found.saved);
        if needs_lock {
            // Another process may be in the middle of it: only the lock tells.
            self.begin_reread(name);
        } else {
            slot.view.problem = found.problem;
        }
        self.publish(name);
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
        }
        let name = entry.connection.clone();
        self.tools.announce(Event::RequestLogged(entry));
        self.publish(&name);
    }

    fn owed(&mut self, name: &ConnectionName, record: &TokenRecord, why: String) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.view.holding = Holding::Tokens { facts: record.facts(), saved: false };
            slot.view.problem = Some(Problem::NotSaved { why });
            self.publish(name);
        }
    }

    fn ended(&mut self, name: &ConnectionName, ended: Ended) {
        let (now, automatic) = (self.tools.now(), self.automatic);
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.rest();
        let result = match ended {
            Ended::Held { record, how } => {
                let generation = record.generation;
                slot.hold(Some(record), true);
                slot.succeed();
                Ok((how, generation))
            }
            Ended::Unsaved { record, how, why } => {
                let generation = record.generation;
                slot.hold(Some(record), false);
                slot.fail(Problem::NotSaved { why }, now, automatic);
                Ok((how, generation))
            }
            Ended::Failed(problem) => {
                slot.fail(problem.clone(), now, automatic);
                Err(slot.view.problem.clone().filter(|_| problem != Problem::Cancelled).unwrap_or(problem))
            }
            Ended::Unchanged => return self.publish(name),
            Ended::Reread(found) => {
                slot.hold(found.record, found.saved);
                match found.problem {
                    Some(problem) => slot.view.problem = Some(problem),
                    None => slot.succeed(),
                }
                return self.publish(name);
            }
        };
        let waiters = std::mem::take(&mut slot.waiters);
        self.announce_end(name, &result);
        for waiter in waiters {
            let _ = waiter.send(result.clone().map(|(how, generation)| refreshed(how, generation)));
        }
        self.publish(name);
    }

    fn announce_end(&mut self, name: &ConnectionName, result: &Result<(How, u64), Problem>) {
        let connection = name.clone();
        let expires_at = self.slots.get(name).and_then(|slot| slot.record.as_ref()).map(|record| record.expires_at);
        self.tools.announce(match result {
            Ok((How::Exchanged, generation)) => Event::Refreshed { connection, generation: *generation },
            Ok((How::LoggedIn, generation)) => Event::LoggedIn { connection, generation: *generation },
            Ok((How::Adopted, generation)) => Event::Adopted { connection, generation: *generation },
            Ok((How::Fresh, _)) => Event::StillFresh { connection, expires_at: expires_at.unwrap_or_default() },
            Err(problem) => Event::RefreshFailed { connection, problem: problem.clone() },
        });
        match result {
            Ok(_) => self.store_answers(Ok(())),
            Err(Problem::StoreUnavailable { why }) => self.store_fails(why.clone()),
            Err(_) => {}
        }
    }

    fn logged_out(&mut self, name: &ConnectionName, result: Result<(), StoreError>) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        slot.rest();
        match result {
            Ok(()) => {
                slot.hold(None, false);
                slot.succeed();
                self.tools.announce(Event::LoggedOut { connection: name.clone() });
            }
            Err(error) => self.refuse(name, format!("logging out failed, nothing was forgotten: {error}")),
        }
        self.publish(name);
    }

    fn store_answers(&mut self, result: Result<(), &StoreError>) {
        match result {
            Err(error) => self.store_fails(error.to_string()),
            Ok(()) if self.store_trouble.take().is_some() => self.tools.announce(Event::StoreChanged(Ok(()))),
            Ok(()) => {}
        }
    }

    fn store_fails(&mut self, why: String) {
        if self.store_trouble.as_ref() != Some(&why) {
            self.store_trouble = Some(why.clone());
            self.tools.announce(Event::StoreChanged(Err(why)));
        }
    }

    /// Answers those who wait for the first reading, once every connection is read or has failed.
    fn satisfy_curiosity(&mut self) {
        let is_known = |slot: &Slot| slot.view.holding != Holding::Unknown || slot.view.problem.is_some();
        if self.curious.is_empty() || !self.slots.values().all(is_known) {
            return;
        }
        let views: Vec<_> =
            self.order.iter().filter_map(|name| self.slots.get(name)).map(|slot| slot.view.clone()).collect();
        for reply in self.curious.drain(..) {
            let _ = reply.send(views.clone());
        }
    }

    /// Announces a connection's whole state.
    fn publish(&mut self, name: &ConnectionName) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.view.next_refresh = if self.automatic { slot.planned() } else { None };
            self.tools.announce(Event::Changed(Box::new(slot.view.clone())));
        }
    }
}

fn cancel(work: Option<&Work>) {
    if let Some(Work::Refresh(cancel) | Work::Login(cancel, _)) = work {
        cancel.cancel();
    }
}

fn refreshed(how: How, generation: u64) -> Refreshed {
    match how {
        How::Exchanged | How::LoggedIn => Refreshed::Obtained(generation),
        How::Adopted => Refreshed::Adopted(generation),
        How::Fresh => Refreshed::StillFresh(generation),
    }
}
