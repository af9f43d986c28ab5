//! The one task that owns all state. Questions, reports and the passing of time come in; work is
//! begun as tasks of its own, which only report back.

pub mod commands;
pub mod configure;
pub mod leadership;
pub mod outcome;
pub mod poll;
pub mod refresh;
pub mod reports;
pub mod rest;
pub mod status_snapshot;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::domain::{
    Connection, ConnectionName, ConnectionView, Event, KeepaliveProcess, Problem, Program, Reason, Secret,
};
use crate::engine::actor::rest::Resting;
use crate::engine::connections::ConnectionStates;
use crate::engine::connections::state::{ConnectionState, Origin, Work};
use crate::engine::messages::Message;
use crate::engine::work::context::{Context, TaskReport};
use crate::engine::work::refresh::decide::Need;
use crate::engine::work::{access, load};
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
    /// The keepalive service that leads beside this process.
    pub(crate) keepalive: Option<KeepaliveProcess>,
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
            keepalive: None,
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
