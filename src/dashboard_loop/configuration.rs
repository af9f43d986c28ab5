//! The configuration while the program runs: changes of the file are noticed, or for a service
//! read when it is told to; those that a person makes on the screen are written.
//!
//! Invariants: a plain thread of its own reads and writes the file, one thing at a time; only a
//! configuration without fault takes effect, and until there is one the last goes on. Client
//! secrets pass through to the engine and are never near the file.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::config;
use crate::config::{ChangeError, Config, ConfigError, Draft, StoreKind};
use crate::dashboard_loop::{appearance, glance};
use crate::domain::{
    Command, ConnectionName, Event, EventKind, FieldFault, HostEvent, Problem, Provider, Reason, Revocation, Secret,
};
use crate::oauth::pasted;
use crate::platform::file_stamp::Stamp;
use crate::platform::file_watch::Watch;

/// A file that has been left alone for so long is read: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// One that is never left alone is read all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The configuration that is worked with, and the way to its file.
pub struct Configuration {
    current: Config,
    /// The store in use, which nothing changes while it runs.
    store: StoreKind,
    jobs: mpsc::Sender<Job>,
    notes: UnboundedReceiver<ConfigurationReport>,
}

/// Where a configuration was read from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub file: PathBuf,
    /// How the file looked before it was read; `None` where there was none, or nobody looked: it is
    /// read once more.
    pub stamp: Option<Stamp>,
    /// The providers there are.
    pub providers: &'static [&'static Provider],
    /// Where the next start's [`glance`] is left, where one is wanted.
    pub glance_dir: Option<PathBuf>,
}

/// The secrets typed with a connection; none of them is near the file.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// The client secret, for the secret store.
    pub client_secret: Option<Secret>,
    /// A refresh token to take over.
    pub refresh_token: Option<Secret>,
}

impl Typed {
    /// What the engine is asked to do with them: the client secret first, which the import needs.
    fn commands(self, connection: &ConnectionName) -> (Option<Command>, Option<Command>) {
        let name = || connection.clone();
        let secret = self.client_secret.map(|secret| Command::SetClientSecret { connection: name(), secret });
        let import = self.refresh_token.map(|refresh_token| Command::Import { connection: name(), refresh_token });
        (secret, import)
    }

    /// What is wrong with one of them.
    fn fault(&self) -> Option<FieldFault> {
        let fault = |key| move |what: &str| FieldFault { key, what: what.to_owned() };
        let secret = self.client_secret.as_ref().and_then(|secret| secret.as_client_secret().err());
        let token = self.refresh_token.as_ref().and_then(|token| pasted::refresh_token(token).err());
        secret.map(fault("client_secret")).or_else(|| token.map(fault("refresh_token")))
    }
}

/// What the file's thread has to do.
enum Job {
    /// Something happened to the file.
    Look,
    /// Somebody wants it read now, and told what it says, changed or not.
    Reload,
    Save(Box<Draft>, Typed),
    /// Find out whether it could be deleted.
    Try(ConnectionName),
    Delete(ConnectionName),
    End,
}

/// What the file's thread reports.
#[derive(Debug)]
pub struct ConfigurationReport(Report);

#[derive(Debug)]
enum Report {
    Read(Result<Config, String>),
    Unwatched(String),
    Saved { connection: String, typed: Typed, result: Result<Config, Vec<FieldFault>> },
    Tried { connection: ConnectionName, result: Result<(), String> },
    Deleted { connection: ConnectionName, result: Result<Config, String> },
}

impl Configuration {
    /// Begins to watch the file, from which `current` was read.
    ///
    /// # Errors
    /// The system gives no thread. That the file cannot be watched is told by an event.
    pub fn start(source: Source, current: Config) -> io::Result<Self> {
        Self::start_with(source, current, true)
    }

    /// Reads the file, from which `current` was read, only when told to by [`Configuration::reload`].
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_unwatched(source: Source, current: Config) -> io::Result<Self> {
        Self::start_with(source, current, false)
    }

    fn start_with(source: Source, current: Config, watched: bool) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let (reports, notes) = unbounded_channel();
        let wake = jobs.clone();
        let is_there = source.stamp.is_some();
        let mut reader = Reader { last: Ok(current.clone()), is_there, source, watch: None, reports };
        thread::Builder::new().name("configuration".into()).spawn(move || {
            if watched {
                reader.watch(wake);
            }
            reader.run(&inbox);
        })?;
        Ok(Self { store: current.store, current, jobs, notes })
    }

    /// The configuration that is worked with.
    #[must_use]
    pub fn current(&self) -> &Config {
        &self.current
    }

    /// Writes a connection into the file: a new one, or the one the draft was made of. Then its
    /// client secret goes to the store, where one is given, the engine takes it over, and its
    /// refresh token is imported. [`HostEvent::ConnectionSaved`] tells the end; a fault of a secret has
    /// the key `client_secret` or `refresh_token`, and then nothing is written.
    pub fn save(&self, draft: Draft, typed: Typed) {
        self.ask(Job::Save(Box::new(draft), typed));
    }

    /// Begins to remove a connection: once the file is known to be changeable, the engine is asked to
    /// forget all there is of it. Where it is not, [`EventKind::Forgotten`] says why nothing was begun.
    pub fn remove(&self, connection: ConnectionName) {
        self.ask(Job::Try(connection));
    }

    /// Takes a connection whose tokens are forgotten out of the file; [`HostEvent::ConnectionDeleted`]
    /// tells the end.
    pub fn delete(&self, connection: ConnectionName) {
        self.ask(Job::Delete(connection));
    }

    /// Reads the file now; [`HostEvent::ConfigurationRead`] tells what it says, changed or not.
    pub fn reload(&self) {
        self.ask(Job::Reload);
    }

    /// Waits for news of the file; none come once its thread has ended.
    pub async fn note(&mut self) -> Option<ConfigurationReport> {
        self.notes.recv().await
    }

    /// Takes over what is reported: what is asked of the engine, in this order, and what is told.
    pub fn take(&mut self, note: ConfigurationReport) -> (Vec<Command>, Option<Event>) {
        let (commands, event) = match note.0 {
            Report::Tried { connection, result: Ok(()) } => return (vec![Command::Remove { connection }], None),
            Report::Tried { connection, result: Err(why) } => {
                let result = Err(Problem::Retrying { at: None, why: Reason::ours(why) });
                (Vec::new(), EventKind::Forgotten { result, revocation: Revocation::None }.of(connection))
            }
            Report::Read(Ok(config)) => {
                let other_store = (config.store != self.store).then(|| self.store_stays(config.store));
                (self.adopt(config), Event::Host(HostEvent::ConfigurationRead(other_store.map_or(Ok(()), Err))))
            }
            Report::Read(Err(why)) => (Vec::new(), Event::Host(HostEvent::ConfigurationRead(Err(why)))),
            Report::Unwatched(why) => (Vec::new(), Event::Host(HostEvent::ConfigurationUnwatched { why })),
            Report::Saved { connection, typed, result: Ok(config) } => {
                let (secret, import) =
                    ConnectionName::new(&connection).map_or((None, None), |name| typed.commands(&name));
                let mut commands = Vec::from_iter(secret);
                commands.extend(self.adopt(config));
                commands.extend(import);
                (commands, Event::Host(HostEvent::ConnectionSaved { connection, result: Ok(()) }))
            }
            Report::Saved { connection, result: Err(faults), .. } => {
                (Vec::new(), Event::Host(HostEvent::ConnectionSaved { connection, result: Err(faults) }))
            }
            Report::Deleted { connection, result } => {
                let (commands, result) = match result {
                    Ok(config) => (self.adopt(config), Ok(())),
                    Err(why) => (Vec::new(), Err(why)),
                };
                (commands, Event::Host(HostEvent::ConnectionDeleted { connection, result }))
            }
        };
        (commands, Some(event))
    }

    /// What the engine has to be told of a new configuration.
    fn adopt(&mut self, config: Config) -> Vec<Command> {
        let old = std::mem::replace(&mut self.current, config);
        let Config { connections, login_timeout, .. } = &self.current;
        let is_same = old.connections == *connections && old.login_timeout == *login_timeout;
        if is_same {
            return Vec::new();
        }
        vec![Command::Configure { connections: connections.clone(), login_timeout: *login_timeout }]
    }

    fn store_stays(&self, wanted: StoreKind) -> String {
        let (wanted, used) = (wanted.word(), self.store.word());
        format!("the file now says store = \"{wanted}\"; start manutop again for that, until then \"{used}\" is used")
    }

    fn ask(&self, job: Job) {
        // The thread ends with this handle only.
        let _ = self.jobs.send(job);
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        self.ask(Job::End);
    }
}

/// The file's thread.
struct Reader {
    source: Source,
    /// As last reported.
    last: Result<Config, String>,
    /// Whether there has been a file.
    is_there: bool,
    /// None where the system lets nothing be watched.
    watch: Option<Watch>,
    reports: UnboundedSender<ConfigurationReport>,
}

impl Reader {
    fn watch(&mut self, wake: mpsc::Sender<Job>) {
        let watch = Watch::start(&self.source.file, move || {
            // Nobody listens any more once the dashboard is leaving.
            let _ = wake.send(Job::Look);
        });
        match watch {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.report(Report::Unwatched(error.to_string())),
        }
    }

    fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        // It may have changed since the first reading.
        if self.source.stamp.is_none() || self.source.stamp != Stamp::of(&self.source.file) {
            self.look();
        }
        self.leave_glance();
        let mut waiting: Option<(Instant, Instant)> = None;
        loop {
            let job = match waiting {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some((first, last)) => {
                    let until = (last + QUIET).min(first + LONGEST_WAIT);
                    jobs.recv_timeout(until.saturating_duration_since(Instant::now()))
                }
            };
            match job {
                Ok(Job::Look) => {
                    let now = Instant::now();
                    waiting = Some((waiting.map_or(now, |(first, _)| first), now));
                }
                Ok(Job::Reload) => self.reload(),
                Ok(Job::Save(draft, typed)) => self.save(&draft, typed),
                Ok(Job::Try(connection)) => self.try_deleting(connection),
                Ok(Job::Delete(connection)) => self.delete(connection),
                Err(RecvTimeoutError::Timeout) => {
                    waiting = None;
                    self.follow();
                    self.look();
                    self.leave_glance();
                }
                Ok(Job::End) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn report(&self, report: Report) {
        let _ = self.reports.send(ConfigurationReport(report));
    }

    fn follow(&mut self) {
        if let Some(Err(error)) = self.watch.as_mut().map(Watch::follow) {
            self.report(Report::Unwatched(error.to_string()));
        }
    }

    /// Reads the file, and reports it if it says anything else than before.
    fn look(&mut self) {
        if let Some(read) = self.read().filter(|read| *read != self.last) {
            self.last.clone_from(&read);
            self.report(Report::Read(read));
        }
    }

    /// Leaves what the next start shows at first.
    fn leave_glance(&self) {
        if let (Some(dir), Some(stamp), Ok(config)) = (&self.source.glance_dir, self.source.stamp, &self.last) {
            glance::leave(dir, &self.source.file, stamp, config);
        }
    }

    /// Reads the file, and reports it in any case.
    fn reload(&mut self) {
        let read = self.read().unwrap_or_else(|| self.last.clone());
        self.last.clone_from(&read);
        self.report(Report::Read(read));
    }

    /// What the file says; `None` while there never was one.
    fn read(&mut self) -> Option<Result<Config, String>> {
        self.source.stamp = Stamp::of(&self.source.file);
        Some(match config::load(&self.source.file, self.source.providers) {
            Ok(Some(config)) => {
                self.is_there = true;
                let keymap = appearance::keymap(&config.keys, &self.source.file);
                keymap.map(|_| config).map_err(|error| format!("not taken over: {}", words(&error)))
            }
            // Whoever starts without a file has an empty configuration; one that vanishes is being
            // replaced, or lost by mistake: no reason to let go of all connections.
            Ok(None) if !self.is_there => return None,
            Ok(None) => Err(format!("{} is gone; what it said last goes on", file_name(&self.source.file))),
            Err(error) => Err(format!("not taken over: {}", words(&error))),
        })
    }

    fn save(&mut self, draft: &Draft, typed: Typed) {
        let saved = match (typed.fault(), draft.changes()) {
            (Some(fault), _) => Err(vec![fault]),
            (None, Some(name)) => {
                config::change_connection(&self.source.file, name, draft, self.source.providers).map_err(field_faults)
            }
            (None, None) => {
                config::add_connection(&self.source.file, draft, self.source.providers).map_err(field_faults)
            }
        };
        let result = saved.inspect(|config| self.wrote(config));
        self.report(Report::Saved { connection: draft.get("name").to_owned(), typed, result });
    }

    fn try_deleting(&self, connection: ConnectionName) {
        let tried = config::can_remove_connection(&self.source.file, &connection, self.source.providers);
        let result = match tried {
            // Somebody has taken it out already; the rest can follow.
            Ok(()) | Err(ChangeError::Gone { .. }) => Ok(()),
            Err(ChangeError::File(error)) => Err(words(&error)),
            Err(error) => Err(error.to_string()),
        };
        self.report(Report::Tried { connection, result });
    }

    fn delete(&mut self, connection: ConnectionName) {
        let removed = config::remove_connection(&self.source.file, &connection, self.source.providers);
        let result = match removed {
            Ok(config) => Ok(config),
            // Somebody else was quicker; it is gone, as it should be.
            Err(ChangeError::Gone { .. }) => {
                self.look();
                self.last.clone()
            }
            Err(ChangeError::File(error)) => Err(words(&error)),
            Err(error) => Err(error.to_string()),
        };
        let result = result.inspect(|config| self.wrote(config));
        self.report(Report::Deleted { connection, result });
    }

    /// The file holds this now, by our own hand.
    fn wrote(&mut self, config: &Config) {
        let was_faulty = self.last.is_err();
        self.is_there = true;
        self.last = Ok(config.clone());
        if was_faulty {
            self.report(Report::Read(Ok(config.clone())));
        }
        self.follow();
    }
}

fn field_faults(error: ChangeError) -> Vec<FieldFault> {
    match error {
        ChangeError::Refused(faults) => faults,
        ChangeError::File(error) => vec![FieldFault::of_all(words(&error))],
        error @ ChangeError::Gone { .. } => vec![FieldFault::of_all(error.to_string())],
    }
}

/// The first fault in one line, with its place in the file.
fn words(error: &ConfigError) -> String {
    match error {
        ConfigError::Invalid { file, faults } => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            match faults.len() {
                1 => format!("{}:{first}", file_name(file)),
                several => format!("{} has {several} faults; {first}", file_name(file)),
            }
        }
        error => error.to_string(),
    }
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
