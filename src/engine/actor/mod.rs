//! The one task that owns all state. Questions, reports and the passing of time come in; work is
//! begun as tasks of its own, which only report back.

pub mod configure;
pub mod reports;
pub mod status_snapshot;
pub mod unfinished;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Activity, Command, Connection, ConnectionName, ConnectionView, Event, EventKind, Problem, Program, Reason, Secret,
    clock,
};
use crate::engine::actor::unfinished::Resting;
use crate::engine::connections::ConnectionStates;
use crate::engine::connections::leadership::Beside;
use crate::engine::connections::state::{ConnectionState, Origin, Waiter, Work};
use crate::engine::handle::{Message, Refreshed};
use crate::engine::work::context::{Context, TaskReport, WorkOutcome};
use crate::engine::work::refresh::decide::Need;
use crate::engine::work::{access, inspect, load, login, refresh, revoke, test};
use crate::platform::file_stamp::Stamp;
use crate::platform::timer::Alarm;
use crate::tokens::journal_stamps::JournalDirStamp;

/// How often it is looked what other processes did. No sleep is longer: timers stand still while a
/// machine sleeps, so due work is looked for by the wall clock at least this often.
const LOOK: Duration = Duration::from_secs(10);
/// The same for a command that goes on, which is run to see what others do.
const LOOK_OF_A_COMMAND: Duration = Duration::from_secs(4);
/// The most refreshes begun before other questions and reports are heard again.
const BEGUN_AT_ONCE: usize = 64;

/// All state of the engine.
pub(crate) struct Actor {
    pub(crate) tools: Arc<Context>,
    /// Facts for whoever listens.
    events: mpsc::UnboundedSender<Event>,
    pub(crate) slots: ConnectionStates,
    pub(crate) order: Vec<ConnectionName>,
    pub(crate) automatic: bool,
    /// How long a login waits for a person.
    pub(crate) login_timeout: Duration,
    /// Connections to be read from the store.
    pub(crate) unread: mpsc::UnboundedSender<Arc<Connection>>,
    /// Why the store does not answer, as last announced.
    pub(crate) store_trouble: Option<Reason>,
    /// Who waits for all connections to be read.
    pub(crate) curious: Vec<oneshot::Sender<Vec<ConnectionView>>>,
    /// How the journals looked last.
    pub(crate) seen: JournalDirStamp,
    /// When it is looked around next.
    pub(crate) look_at: Instant,
    /// Whether a look at the journals is under way.
    is_looking: bool,
    /// Whether some journals could not be looked at, because their connections were at work or unread.
    is_look_owed: bool,
    /// Who else leads, and when that was looked at last.
    pub(crate) beside: Beside,
    /// Client secrets that are on their way into the store.
    pub(crate) secrets_underway: usize,
    /// Pasted refresh tokens that wait for their connections to be read or at rest.
    pub(crate) imports: Vec<(ConnectionName, Secret)>,
    /// When the overview was written last.
    pub(crate) overview_noted: Instant,
    leaving: Option<oneshot::Sender<()>>,
    /// Who wants nothing to be begun.
    pub(crate) resting: Vec<Resting>,
}

impl Actor {
    pub(crate) fn new(
        tools: Arc<Context>,
        events: mpsc::UnboundedSender<Event>,
        connections: Vec<Connection>,
        automatic: bool,
        login_timeout: Duration,
        unread: mpsc::UnboundedSender<Arc<Connection>>,
    ) -> Self {
        let order = connections.iter().map(|connection| connection.name.clone()).collect();
        let slots = ConnectionStates::new(Arc::clone(&tools.clock), connections.into_iter().map(ConnectionState::new));
        Self {
            tools,
            events,
            slots,
            order,
            automatic,
            login_timeout,
            unread,
            store_trouble: None,
            curious: Vec::new(),
            seen: JournalDirStamp::default(),
            look_at: Instant::now() + LOOK_OF_A_COMMAND,
            is_looking: false,
            is_look_owed: false,
            beside: Beside::default(),
            secrets_underway: 0,
            imports: Vec::new(),
            overview_noted: Instant::now(),
            leaving: None,
            resting: Vec::new(),
        }
    }

    pub(crate) async fn run(
        mut self,
        mut asks: mpsc::UnboundedReceiver<Message>,
        mut notes: mpsc::UnboundedReceiver<TaskReport>,
        unread: mpsc::UnboundedReceiver<Arc<Connection>>,
    ) {
        for name in &self.order {
            self.read_from_store(name);
        }
        let patience = self.tools.program != Program::Command;
        tokio::spawn(load::load(Arc::clone(&self.tools), unread, patience));
        self.look_for_keeper();
        let alarm = Alarm::new();
        loop {
            self.begin_planned();
            self.look_around();
            let pause = self.pause();
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.answer(ask),
                    None => break,
                },
                Some(note) = notes.recv() => self.take(note),
                () = alarm.sleep(pause) => {}
            }
            if self.is_leaving() {
                // A report that an exchange has begun may be waiting: it must be heard before leaving.
                while let Ok(note) = notes.try_recv() {
                    self.take(note);
                }
            }
            let is_owing = self.secrets_underway > 0 || self.slots.is_owing();
            self.tell_rest(is_owing);
            if let Some(reply) = self.leaving.take_if(|_| !is_owing) {
                self.note_overview_at_last().await;
                let _ = reply.send(());
                break;
            }
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// How long there is nothing to do.
    fn pause(&mut self) -> Duration {
        let look = self.look_at.saturating_duration_since(Instant::now());
        if !self.automatic || self.is_leaving() || self.is_resting() {
            return look;
        }
        let now = self.tools.now();
        self.slots.soonest().map_or(look, |at| (at - now).to_std().unwrap_or(Duration::ZERO).min(look))
    }

    /// Begins what is due, as far as the hosts have room for it: all that expired while a machine
    /// slept is due at once.
    fn begin_planned(&mut self) {
        if !self.automatic || self.is_leaving() || self.is_resting() {
            return;
        }
        for _ in 0..BEGUN_AT_ONCE {
            let Some(name) = self.slots.due() else { return };
            match self.slots.get(&name).and_then(|slot| slot.view.problem.as_ref()) {
                // The store is what stands in the way: it is looked at, and nothing is sent.
                Some(Problem::NotSaved { .. } | Problem::StoreUnavailable { .. }) => self.begin_reread(&name),
                _ => self.begin_refresh(&name, Need::NotDue, Origin::Schedule, false),
            }
        }
    }

    /// Looks now and then what other processes did: who leads, and whose journal was changed.
    fn look_around(&mut self) {
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

    fn answer(&mut self, ask: Message) {
        match ask {
            Message::Command(command) => self.carry_out(command),
            Message::Refresh { connection, need, reply } => self.refresh(&connection, need, Some(reply)),
            #[cfg(unix)]
            Message::LookAround => self.look_around(),
            #[cfg(unix)]
            Message::Fresh { connection, least, reply } => {
                let slot = self.slots.get(&connection);
                let _ = reply.send(slot.and_then(|slot| access::fresh(slot, least, self.tools.now())));
            }
            Message::PresentToken { connection, reply } => {
                let slot = self.slots.get(&connection);
                let token = slot.map(|slot| access::present_token(slot, self.tools.now()));
                let _ = reply.send(token.unwrap_or(Err(Problem::NeverLoggedIn)));
            }
            Message::Reveal { connection, what, reply } => {
                let slot = self.slots.get(&connection).ok_or_else(|| format!("there is no connection {connection}"));
                let _ = reply.send(slot.and_then(|slot| access::reveal(slot, what, self.tools.now())));
            }
            Message::Views { reply } => {
                self.curious.push(reply);
                self.satisfy_curiosity();
            }
            Message::Snapshot { reply } => {
                // Nobody may wait any more.
                let _ = reply.send(self.standing());
            }
            Message::Owing { reply } => {
                let _ = reply.send(self.owing());
            }
            Message::Rest { hold, reply } => self.rest(hold, reply),
            Message::Shutdown { reply } => {
                for slot in self.slots.values() {
                    cancel(slot.work.as_ref());
                }
                self.leaving = Some(reply);
                self.begin_imports(); // none begins any more: each that waits is reported as cancelled
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Login { connection } => self.login(&connection),
            Command::FinishLogin { connection, pasted } => {
                self.tell_login(&connection, login::LoginInput::Pasted(pasted));
            }
            Command::ConfirmLogin { connection, replace } => {
                self.tell_login(&connection, login::LoginInput::Confirm(replace));
            }
            Command::ReopenBrowser { connection } => self.tell_login(&connection, login::LoginInput::Reopen),
            Command::Cancel { connection } => cancel(self.slots.get(&connection).and_then(|slot| slot.work.as_ref())),
            Command::Refresh { connection, force } => {
                self.refresh(&connection, if force { Need::New } else { Need::NotDue }, None);
            }
            Command::ForceIfSure { connection } => self.refresh(&connection, Need::NewIfSure, None),
            Command::AskAgain => self.ask_again(),
            Command::SetAuto { connection, on } => self.set_auto(&connection, on),
            Command::SetAutoAll { on } => {
                for name in self.order.clone() {
                    self.set_auto(&name, on);
                }
            }
            Command::TakeOver => self.take_over(),
            Command::Test { connection } => self.test(&connection),
            Command::Inspect { connection } => self.inspect(connection),
            Command::Logout { connection } => self.logout(&connection),
            Command::Unlock { passphrase } => self.unlock(passphrase),
            Command::Configure { connections, login_timeout } => self.configure(connections, login_timeout),
            Command::SetClientSecret { connection, secret } => self.set_client_secret(connection, secret),
            Command::Import { connection, refresh_token } => self.import(connection, &refresh_token),
            Command::Remove { connection } => self.remove(&connection),
        }
    }

    pub(crate) fn refuse(&self, connection: &ConnectionName, why: impl Into<String>) {
        self.announce(EventKind::Refused { why: why.into() }.of(connection.clone()));
    }

    /// The slot, if it is there and at rest; otherwise says why nothing is begun.
    fn idle(&mut self, name: &ConnectionName) -> Option<&mut ConnectionState> {
        if let Some(busy) = self.busy_with(name) {
            self.refuse(name, busy);
            return None;
        }
        self.slots.get_mut(name)
    }

    /// Why nothing can be begun now; `None` where it can.
    pub(crate) fn busy_with(&self, name: &ConnectionName) -> Option<&'static str> {
        let Some(slot) = self.slots.get(name) else { return Some("there is no such connection") };
        match &slot.work {
            _ if slot.is_leaving => Some("it is in the configuration no more"),
            None => None,
            Some(Work::Refresh(..)) => Some("a refresh is under way"),
            Some(Work::Reread(_)) => Some("the store is being read"),
            Some(Work::Login(..)) => Some("a login is under way"),
            Some(Work::Import(_)) => Some("an import is under way"),
            Some(Work::Test) => Some("a test is under way"),
            Some(Work::Logout(_)) => Some("a logout is under way"),
            Some(Work::Remove(_)) => Some("it is being removed"),
        }
    }

    /// Has a connection's record read from the store; [`TaskReport::Loaded`] tells what is found.
    pub(crate) fn read_from_store(&self, name: &ConnectionName) {
        // Without patience nobody reads any more after a failure, which has been told.
        let _ = self.slots.get(name).map(|slot| self.unread.send(Arc::clone(&slot.connection)));
    }

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

    fn begin_refresh(&mut self, name: &ConnectionName, need: Need, origin: Origin, insists: bool) {
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
    fn asked_at(&self, need: &Need) -> DateTime<Utc> {
        let is_of_its_start = self.tools.program == Program::Command && *need != Need::New;
        self.tools.now() - if is_of_its_start { clock::running_for() } else { TimeDelta::zero() }
    }

    /// Asks the provider again about every connection that it has refused as misconfigured.
    fn ask_again(&mut self) {
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

    fn login(&mut self, name: &ConnectionName) {
        let Some(slot) = self.idle(name) else { return };
        if !slot.connection.needs_browser() {
            return self.refresh(name, Need::NotDue, None);
        }
        let cancel = CancellationToken::new();
        let (input, inputs) = mpsc::channel(8);
        slot.work = Some(Work::Login(cancel.clone(), input));
        let connection = Arc::clone(&slot.connection);
        let login = login::login(Arc::clone(&self.tools), connection, self.login_timeout, inputs, cancel);
        self.spawn_ending(name, login);
    }

    fn tell_login(&mut self, name: &ConnectionName, input: login::LoginInput) {
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
        match access::access_token(slot, now) {
            Err(why) => self.refuse(name, why),
            Ok(token) => self.begin_test(name, token),
        }
    }

    fn begin_test(&mut self, name: &ConnectionName, token: Secret) {
        let since = self.tools.now();
        if let Some(slot) = self.slots.get_mut(name) {
            slot.work = Some(Work::Test);
            slot.view.activity = Activity::Testing { since };
            let refresh_token = slot.record.as_ref().and_then(|record| record.refresh_token.as_ref());
            let refresh_token = refresh_token.map(|refresh| refresh.token.clone());
            tokio::spawn(test::check(Arc::clone(&self.tools), Arc::clone(&slot.connection), token, refresh_token));
            self.publish(name);
        }
    }

    fn inspect(&self, name: ConnectionName) {
        let Some(slot) = self.slots.get(&name) else {
            return self.refuse(&name, "there is no such connection");
        };
        let token = slot.record.as_ref().map(|record| record.access_token.clone());
        tokio::spawn(inspect::inspect(Arc::clone(&self.tools), name, token));
    }

    fn logout(&mut self, name: &ConnectionName) {
        let Some(slot) = self.idle(name) else { return };
        let cancel = CancellationToken::new();
        slot.work = Some(Work::Logout(cancel.clone()));
        let connection = Arc::clone(&slot.connection);
        let tools = Arc::clone(&self.tools);
        tokio::spawn(async move {
            let (result, revocation) =
                revoke::and_forget(&tools, &connection, revoke::Forgetting::Tokens, &cancel).await;
            tools.note(TaskReport::LoggedOut(connection.name.clone(), result, revocation));
        });
    }

    fn unlock(&self, passphrase: Secret) {
        let tools = Arc::clone(&self.tools);
        tokio::spawn(async move {
            let result = tools.vault.unlock(passphrase).await;
            tools.note(TaskReport::Unlocked(result));
        });
    }

    /// Announces a fact. Nobody listening is no error: the program is ending.
    pub(crate) fn announce(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Announces a connection's whole state.
    pub(crate) fn publish(&mut self, name: &ConnectionName) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.plan(self.tools.clock.now(), self.automatic);
            let view = Box::new(slot.view.clone());
            self.announce(Event::Changed(view));
        }
    }
}

pub(crate) fn cancel(work: Option<&Work>) {
    match work {
        Some(
            Work::Refresh(cancel, _)
            | Work::Reread(cancel)
            | Work::Login(cancel, _)
            | Work::Import(cancel)
            | Work::Logout(cancel)
            | Work::Remove(cancel),
        ) => cancel.cancel(),
        Some(Work::Test) | None => {}
    }
}
