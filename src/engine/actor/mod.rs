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
use crate::engine::messages::EngineMessage;
use crate::engine::work::context::{Context, TaskReport};
use crate::engine::work::refresh::decide::Need;
use crate::engine::work::{access, load};
use crate::platform::timer::Alarm;
use crate::tokens::journal_stamps::JournalDirStamp;

/// How often it is looked what other processes did. No sleep is longer: timers stand still while a
/// machine sleeps, so due work is looked for by the wall clock at least this often.
const POLL_PAUSE: Duration = Duration::from_secs(10);
/// The same for a long-running command, which watches what others do.
const COMMAND_POLL_PAUSE: Duration = Duration::from_secs(4);
/// The most refreshes begun before other questions and reports are heard again.
const BEGUN_AT_ONCE: usize = 64;

/// All state of the engine.
pub(crate) struct Actor {
    pub(crate) context: Arc<Context>,
    /// Events for the listener.
    events: mpsc::UnboundedSender<Event>,
    pub(crate) states: ConnectionStates,
    pub(crate) order: Vec<ConnectionName>,
    pub(crate) automatic: bool,
    /// How long a login waits for a person.
    pub(crate) login_timeout: Duration,
    /// Connections to be read from the store.
    pub(crate) unread: mpsc::UnboundedSender<Arc<Connection>>,
    /// Why the store does not answer, as last announced.
    pub(crate) store_trouble: Option<Reason>,
    /// Who waits for all connections to be read.
    pub(crate) awaiting_views: Vec<oneshot::Sender<Vec<ConnectionView>>>,
    /// How the journals looked last.
    pub(crate) seen: JournalDirStamp,
    /// When it is looked around next.
    pub(crate) poll_at: Instant,
    /// Whether a look at the journals is under way.
    is_polling: bool,
    /// Whether some journals could not be looked at, because their connections were at work or unread.
    must_poll_again: bool,
    /// The keepalive service that leads beside this process.
    pub(crate) keepalive: Option<KeepaliveProcess>,
    /// Client secrets that are on their way into the store.
    pub(crate) secrets_underway: usize,
    /// Pasted refresh tokens that wait for their connections to be read or at rest.
    pub(crate) imports: Vec<(ConnectionName, Secret)>,
    /// When the status snapshot was written last.
    pub(crate) snapshot_written: Instant,
    leaving: Option<oneshot::Sender<()>>,
    /// Who wants nothing to be begun.
    pub(crate) resting: Vec<Resting>,
}

impl Actor {
    pub(crate) fn new(
        context: Arc<Context>,
        events: mpsc::UnboundedSender<Event>,
        connections: Vec<Connection>,
        automatic: bool,
        login_timeout: Duration,
        unread: mpsc::UnboundedSender<Arc<Connection>>,
    ) -> Self {
        let order = connections.iter().map(|connection| connection.name.clone()).collect();
        let states =
            ConnectionStates::new(Arc::clone(&context.clock), connections.into_iter().map(ConnectionState::new));
        Self {
            context,
            events,
            states,
            order,
            automatic,
            login_timeout,
            unread,
            store_trouble: None,
            awaiting_views: Vec::new(),
            seen: JournalDirStamp::default(),
            poll_at: Instant::now() + COMMAND_POLL_PAUSE,
            is_polling: false,
            must_poll_again: false,
            keepalive: None,
            secrets_underway: 0,
            imports: Vec::new(),
            snapshot_written: Instant::now(),
            leaving: None,
            resting: Vec::new(),
        }
    }

    pub(crate) async fn run(
        mut self,
        mut asks: mpsc::UnboundedReceiver<EngineMessage>,
        mut reports: mpsc::UnboundedReceiver<TaskReport>,
        unread: mpsc::UnboundedReceiver<Arc<Connection>>,
    ) {
        for name in &self.order {
            self.read_from_store(name);
        }
        let patience = self.context.program != Program::Command;
        tokio::spawn(load::load(Arc::clone(&self.context), unread, patience));
        if self.order.is_empty() && self.context.program == Program::Dashboard {
            // A person is about to type the first secrets.
            self.check_store();
        }
        self.poll_leadership();
        let alarm = Alarm::new();
        loop {
            self.begin_planned();
            self.poll_other_processes();
            let pause = self.pause();
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.answer(ask),
                    None => break,
                },
                Some(report) = reports.recv() => self.take(report),
                () = alarm.sleep(pause) => {}
            }
            if self.is_leaving() {
                // A report that an exchange has begun may be waiting: it must be heard before leaving.
                while let Ok(report) = reports.try_recv() {
                    self.take(report);
                }
            }
            let has_unfinished = self.secrets_underway > 0 || self.states.has_unfinished();
            self.answer_rests(has_unfinished);
            if let Some(reply) = self.leaving.take_if(|_| !has_unfinished) {
                self.write_last_snapshot().await;
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
        let look = self.poll_at.saturating_duration_since(Instant::now());
        if !self.automatic || self.is_leaving() || self.is_resting() {
            return look;
        }
        let now = self.context.now();
        self.states.soonest().map_or(look, |at| (at - now).to_std().unwrap_or(Duration::ZERO).min(look))
    }

    /// Begins what is due, as far as the hosts have room for it: all that expired while a machine
    /// slept is due at once.
    fn begin_planned(&mut self) {
        if !self.automatic || self.is_leaving() || self.is_resting() {
            return;
        }
        for _ in 0..BEGUN_AT_ONCE {
            let Some(name) = self.states.due() else { return };
            match self.states.get(&name).and_then(|state| state.view.problem.as_ref()) {
                // The store is the problem: it is read again, and nothing is sent.
                Some(Problem::NotSaved { .. } | Problem::StoreUnavailable { .. }) => self.begin_reread(&name),
                _ => self.begin_refresh(&name, Need::NotDue, Origin::Schedule, false),
            }
        }
    }

    fn answer(&mut self, ask: EngineMessage) {
        match ask {
            EngineMessage::Command(command) => self.carry_out(command),
            EngineMessage::Refresh { connection, need, reply } => self.refresh(&connection, need, Some(reply)),
            #[cfg(unix)]
            EngineMessage::PollOtherProcesses => self.poll_other_processes(),
            #[cfg(unix)]
            EngineMessage::Fresh { connection, least, reply } => {
                let state = self.states.get(&connection);
                let _ = reply.send(state.and_then(|state| access::fresh(state, least, self.context.now())));
            }
            EngineMessage::PresentToken { connection, reply } => {
                let state = self.states.get(&connection);
                let token = state.map(|state| access::present_token(state, self.context.now()));
                let _ = reply.send(token.unwrap_or(Err(Problem::NeverLoggedIn)));
            }
            EngineMessage::Reveal { connection, what, reply } => {
                let state = self.states.get(&connection).ok_or_else(|| format!("there is no connection {connection}"));
                let _ = reply.send(state.and_then(|state| access::reveal(state, what, self.context.now())));
            }
            EngineMessage::Views { reply } => {
                self.awaiting_views.push(reply);
                self.answer_snapshots();
            }
            EngineMessage::Snapshot { reply } => {
                // The caller may have given up.
                let _ = reply.send(self.standing());
            }
            EngineMessage::Unfinished { reply } => {
                let _ = reply.send(self.unfinished());
            }
            EngineMessage::Rest { hold, reply } => self.rest(hold, reply),
            EngineMessage::Shutdown { reply } => {
                for state in self.states.values() {
                    cancel(state.work.as_ref());
                }
                self.leaving = Some(reply);
                self.begin_imports(); // none begins any more: each that waits is reported as cancelled
            }
        }
    }

    /// Announces an event. A missing listener is no error: the program is ending.
    pub(crate) fn announce(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Announces a connection's whole state.
    pub(crate) fn publish(&mut self, name: &ConnectionName) {
        if let Some(state) = self.states.get_mut(name) {
            state.plan(self.context.clock.now(), self.automatic);
            let view = Box::new(state.view.clone());
            self.announce(Event::Changed(view));
        }
    }

    /// All connections as they stand, in the configuration's order.
    pub(crate) fn standing(&self) -> Vec<ConnectionView> {
        self.order.iter().filter_map(|name| self.states.get(name)).map(|state| state.view.clone()).collect()
    }

    /// Answers those who wait for the first reading, once every connection is read or has failed.
    pub(crate) fn answer_snapshots(&mut self) {
        if self.awaiting_views.is_empty() || !self.states.are_read() {
            return;
        }
        let views = self.standing();
        for reply in self.awaiting_views.drain(..) {
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
