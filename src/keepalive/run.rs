//! The loop: signals, the engine's events, the role, the configuration and a heartbeat in; the log,
//! the service manager and commands out.
//!
//! The heartbeat asks the engine for its state. Only its answer makes a heartbeat for the
//! watchdog: an engine that hangs is noticed, and so is this loop.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{Clock, Command, ConnectionView, Event, HostEvent, Incidents};
use crate::engine::{Engine, Remote, UnfinishedWork};
use crate::format::event::PASSPHRASE_NEEDED;
use crate::keepalive::listen::MetricsListener;
use crate::keepalive::log::{Level, Log, LogLine};
use crate::keepalive::pausing::{Pausing, leave};
use crate::keepalive::role::RoleChange;
use crate::keepalive::service_manager::ServiceManager;
use crate::keepalive::{KeepaliveState, health, role, serve, words};
use crate::live_configuration::{Configuration, ConfigurationReport};
use crate::notifications::on_event::OnEvent;
use crate::platform::signals::{Insistence, QuitRequest, Signal, Signals};
use crate::request_log::segments::RequestLog;
use crate::secrets::error::StoreError;
use crate::tokens::leadership::Leadership;
use crate::tokens::vault::Vault;

/// The longest pause between two heartbeats: incidents are a matter of minutes.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How much longer than now the service manager waits, said with each heartbeat, while the end would lose tokens.
const MORE_TIME: Duration = Duration::from_secs(60);
/// How long leaving waits for the `on_event` program.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// The service and everything it runs on.
pub struct Keepalive {
    /// Where commands go. It begins nothing automatically yet.
    pub engine: Engine,
    /// What the engine announces.
    pub events: UnboundedReceiver<Event>,
    /// The vault, for the leadership lock.
    pub vault: Vault,
    /// The configuration, read again on request.
    pub configuration: Configuration,
    /// The operating system's signals, as for a service.
    pub signals: Signals,
    /// Where the request log is stored on disk.
    pub request_log: RequestLog,
    /// The `on_event` program.
    pub on_event: OnEvent,
    /// Where events are logged.
    pub log: Log,
    /// The service manager.
    pub notify: ServiceManager,
    /// The configuration file whose commands are given tokens; `None` gives none.
    pub answers: Option<PathBuf>,
    /// The socket for health and metrics.
    pub listener: Option<MetricsListener>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// How the service ended.
#[derive(Debug)]
pub enum KeepaliveEnding {
    /// It was stopped, and nothing is unsaved.
    Stopped,
    /// It was asked to stop twice, or waited for too long, and this was unfinished.
    GivenUp(Vec<UnfinishedWork>),
    /// The leadership lock cannot be taken.
    NoLock(StoreError),
    /// The engine ended unexpectedly.
    EngineEnded,
}

impl Keepalive {
    /// Runs until it is stopped, and until pending answers have been saved.
    ///
    /// # Errors
    /// The system gives no thread.
    pub async fn run(self) -> std::io::Result<KeepaliveEnding> {
        let Self { engine, mut events, mut configuration, mut signals, listener, vault, .. } = self;
        let remote = engine.remote();
        let shared = Arc::new(KeepaliveState::new(remote.clone(), vault.clone(), Arc::clone(&self.clock)));
        let mut state = LoopState {
            incidents: Incidents::new(self.clock.now()),
            request_log: self.request_log,
            on_event: self.on_event,
            log: self.log,
            notify: self.notify,
            clock: self.clock,
            shared: Arc::clone(&shared),
            status: String::new(),
            leadership: None,
            is_ready: false,
            is_reloading: false,
            is_stopping: false,
        };
        let connections = &configuration.current().connections;
        for connection in connections {
            shared.metrics.welcome(&connection.name);
        }
        state.started(connections.len(), listener.as_ref());
        let serving = listener.map(|listener| tokio::spawn(serve::serve(listener, Arc::clone(&shared))));
        let mut roles = role::seek(vault)?;
        if let Some(config_file) = self.answers {
            engine.answer_commands(config_file);
        }

        let mut loaded = pin!(engine.views());
        let stop = CancellationToken::new();
        let mut leaving = pin!(async {
            stop.cancelled().await;
            leave(&engine).await
        });
        let mut insistence = Insistence::default();
        let mut pausing = Pausing::default();
        let pause = ServiceManager::watchdog().unwrap_or(HEARTBEAT).min(HEARTBEAT);
        let mut heartbeat = pin!(beat(&remote, pause));
        let ending = loop {
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Quit | Signal::Interrupt | Signal::HungUp => match insistence.on_request(Instant::now()) {
                        QuitRequest::First => {
                            state.stopping();
                            stop.cancel();
                            pausing.give_up();
                        }
                        QuitRequest::Echo => {}
                        QuitRequest::Again => break KeepaliveEnding::GivenUp(engine.unfinished().await),
                    },
                    Signal::Reload => {
                        state.reloading();
                        configuration.reload();
                        engine.send(Command::AskAgain);
                    }
                    Signal::Suspend if stop.is_cancelled() => {}
                    Signal::Suspend => state.suspending(&pausing.ask(&engine).await?),
                    Signal::Continued | Signal::Resized => {}
                },
                () = pausing.came() => pausing.stop(&engine)?,
                given_up = &mut leaving => break given_up.map_or(KeepaliveEnding::Stopped, KeepaliveEnding::GivenUp),
                event = events.recv() => match event {
                    Some(event) => state.observe(&event),
                    None if stop.is_cancelled() => break KeepaliveEnding::Stopped,
                    None => break KeepaliveEnding::EngineEnded,
                },
                Some(news) = roles.recv() => match news {
                    RoleChange::Standby(leader) => state.standby(leader),
                    RoleChange::Leads(leadership) => {
                        engine.send(Command::TakeOver);
                        state.leads(leadership);
                    }
                    RoleChange::Failed(error) => break KeepaliveEnding::NoLock(error),
                },
                Some(note) = configuration.note() => {
                    for command in state.take(&mut configuration, note) {
                        engine.send(command);
                    }
                }
                views = &mut loaded, if !state.is_ready => state.ready(&views),
                views = &mut heartbeat => {
                    if let Some(views) = views {
                        state.lives(&views);
                    }
                    heartbeat.set(beat(&remote, pause));
                }
                why = state.on_event.trouble() => state.observe(&Event::Host(HostEvent::HookFailed { why })),
            }
        };
        // No new question is taken any more; the socket's file goes.
        if let Some(serving) = serving {
            serving.abort();
            let _ = serving.await;
        }
        while let Ok(event) = events.try_recv() {
            state.observe(&event);
        }
        state.ended(&ending).await;
        Ok(ending)
    }
}

/// One heartbeat: the state of all connections. An engine that does not answer makes none.
async fn beat(remote: &Remote, pause: Duration) -> Option<Vec<ConnectionView>> {
    tokio::time::sleep(pause).await;
    remote.snapshot().await
}

/// What the loop knows, and where it reports it.
struct LoopState {
    incidents: Incidents,
    request_log: RequestLog,
    on_event: OnEvent,
    log: Log,
    notify: ServiceManager,
    clock: Arc<dyn Clock>,
    shared: Arc<KeepaliveState>,
    /// As last sent to the service manager.
    status: String,
    /// Held to the end: no other process begins before what is unsaved here has been saved.
    leadership: Option<Leadership>,
    is_ready: bool,
    is_reloading: bool,
    is_stopping: bool,
}

impl LoopState {
    /// Takes over a reloaded configuration; what the engine is to do about it.
    fn take(&mut self, configuration: &mut Configuration, note: ConfigurationReport) -> Vec<Command> {
        let (commands, event) = configuration.take(note);
        self.on_event.configure(configuration.current().on_event.clone());
        self.request_log.set_limit(configuration.current().request_log);
        if let Some(event) = event {
            self.reloaded(&event, !commands.is_empty());
        }
        commands
    }

    fn write(&mut self, level: Level, event: &str, message: &str, fields: serde_json::Value) {
        self.log.write(&LogLine::new(level, event, message, fields, self.clock.now()));
    }

    fn started(&mut self, connections: usize, listener: Option<&MetricsListener>) {
        let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
        let message = format!("manutop {version} keepalive, process {pid}, {connections} connections");
        let fields = json!({ "manutop": version, "pid": pid, "connections": connections });
        self.write(Level::Notice, "started", &message, fields);
        if let Some(MetricsListener { listen, .. }) = listener {
            let message = format!("health and metrics on {listen}");
            self.write(Level::Notice, "listening", &message, json!({ "address": listen.to_string() }));
        }
    }

    fn ready(&mut self, views: &[ConnectionView]) {
        self.is_ready = true;
        self.notify.ready();
        self.write(Level::Info, "ready", "all connections are read", json!({}));
        self.lives(views);
    }

    /// The engine has answered.
    fn lives(&mut self, views: &[ConnectionView]) {
        self.notify.alive();
        if self.is_stopping && health::is_in_memory(views) {
            self.notify.needs_time(MORE_TIME);
        }
        let now = self.clock.now();
        for change in self.incidents.look(views, now) {
            self.on_event.observe_incident(&change, now);
            self.log.write(&words::of_change(&change, now));
        }
        let status = health::summary(views, self.shared.leads(), now);
        if self.is_ready && status != self.status {
            self.notify.status(&status);
            self.status = status;
        }
    }

    fn observe(&mut self, event: &Event) {
        let now = self.clock.now();
        self.request_log.record(event);
        self.shared.metrics.count_event(event);
        self.on_event.observe(event, now);
        match event {
            Event::Configured { .. } if std::mem::take(&mut self.is_reloading) => self.notify.ready(),
            Event::StoreChanged(result) => self.shared.set_store_problem(result.clone().err()),
            Event::PassphraseAsked { refused, .. } => {
                self.shared.set_store_problem(Some(refused.clone().unwrap_or_else(|| PASSPHRASE_NEEDED.into())));
            }
            _ => {}
        }
        if let Some(line) = words::of_event(event, now) {
            self.log.write(&line);
        }
    }

    fn standby(&mut self, leader: Option<u32>) {
        let who = leader.map_or_else(|| "another keepalive".into(), |pid| format!("keepalive, process {pid},"));
        let fields = json!({ "role": "standby", "leader_pid": leader });
        self.write(Level::Notice, "role_changed", &format!("standby: {who} leads"), fields);
    }

    fn leads(&mut self, leadership: Leadership) {
        self.leadership = Some(leadership);
        self.shared.leads.store(true, Ordering::Relaxed);
        let fields = json!({ "role": "leader", "leader_pid": std::process::id() });
        self.write(Level::Notice, "role_changed", "leader: refreshing from now on", fields);
    }

    fn reloading(&mut self) {
        self.is_reloading = true;
        self.notify.reloading();
        self.write(Level::Info, "reloading", "reloading the configuration", json!({}));
    }

    /// `is_taken_over`: the engine has been given something new, and will say when it has it.
    fn reloaded(&mut self, event: &Event, is_taken_over: bool) {
        self.observe(event);
        if !is_taken_over && std::mem::take(&mut self.is_reloading) {
            self.notify.ready();
        }
    }

    fn stopping(&mut self) {
        self.is_stopping = true;
        self.notify.stopping();
        self.write(Level::Notice, "stopping", "stopping once pending answers are saved", json!({}));
    }

    /// Ctrl-Z, which waits for what is unsaved.
    fn suspending(&mut self, unfinished: &[UnfinishedWork]) {
        if !unfinished.is_empty() {
            let message = format!("suspending once saved: {}", UnfinishedWork::words(unfinished));
            self.write(Level::Notice, "suspending", &message, json!({}));
        }
    }

    async fn ended(&mut self, ending: &KeepaliveEnding) {
        self.on_event.close(LAST_EVENTS).await;
        let (level, message) = match ending {
            KeepaliveEnding::Stopped => (Level::Notice, "stopped; all tokens saved".to_owned()),
            KeepaliveEnding::GivenUp(unfinished) => {
                (Level::Error, format!("left although {}", UnfinishedWork::cost(unfinished)))
            }
            KeepaliveEnding::NoLock(_) => (Level::Error, "stopped: cannot take the leadership lock".into()),
            KeepaliveEnding::EngineEnded => (Level::Error, "stopped: the engine ended unexpectedly".into()),
        };
        if let Some(trouble) = self.request_log.trouble() {
            self.write(Level::Warning, "request_log_incomplete", &trouble, json!({}));
        }
        self.write(level, "stopped", &message, json!({}));
    }
}
