//! The configuration while the program runs: changes of the file are noticed (a service reads it on
//! request), and changes made on the screen are written.
//!
//! Invariants: a plain thread (`worker`) reads and writes the file, one job at a time; only a
//! configuration without faults takes effect, until then the previous one stays in use. Client
//! secrets pass through to the engine and never get near the file.

mod worker;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::{io, thread};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::{Config, ConfigError, Draft, StoreKind};
use crate::domain::{
    Command, ConnectionName, Event, EventKind, FieldFault, HostEvent, Problem, Provider, Reason, Revocation, Secret,
};
use crate::live_configuration::worker::ConfigurationWorker;
use crate::oauth::pasted;
use crate::platform::file_stamp::Stamp;

/// The configuration in use, and the handle of the thread that reads and writes its file.
pub struct Configuration {
    current: Config,
    /// The store in use, which changes only by [`Configuration::use_files`] while it runs.
    store: StoreKind,
    jobs: mpsc::Sender<ConfigurationJob>,
    notes: UnboundedReceiver<ConfigurationReport>,
}

/// Where a configuration was read from.
#[derive(Debug, Clone)]
pub struct ConfigurationSource {
    /// The file.
    pub file: PathBuf,
    /// How the file looked before it was read. With `None` (no file, or not looked at) it is read again.
    pub stamp: Option<Stamp>,
    /// The known providers.
    pub providers: &'static [&'static Provider],
    /// Checks the keys, whose meaning only the dashboard knows; a configuration that fails does not take effect.
    pub check_keys: fn(&Config, &Path) -> Result<(), ConfigError>,
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
    /// The commands for the engine: the client secret first, which the import needs.
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
enum ConfigurationJob {
    /// The file may have changed.
    Look,
    /// Read it now and report what it says, changed or not.
    Reload,
    Save(Box<Draft>, Typed),
    /// Find out whether it could be deleted.
    Try(ConnectionName),
    Delete(ConnectionName),
    /// Make it name encrypted files as the secret store.
    UseFiles,
    End,
}

/// What the file's thread reports.
#[derive(Debug)]
pub struct ConfigurationReport(FileReport);

#[derive(Debug)]
enum FileReport {
    Read(Result<Config, String>),
    Unwatched(String),
    Saved { connection: String, typed: Typed, result: Result<Config, Vec<FieldFault>> },
    Tried { connection: ConnectionName, result: Result<(), String> },
    Deleted { connection: ConnectionName, result: Result<Config, String> },
    FilesChosen(Result<Config, String>),
}

impl Configuration {
    /// Starts to watch the file that `current` was read from.
    ///
    /// # Errors
    /// The thread cannot be started. That the file cannot be watched is reported as an event.
    pub fn start(source: ConfigurationSource, current: Config) -> io::Result<Self> {
        Self::start_with(source, current, true)
    }

    /// Reads the file that `current` was read from only on [`Configuration::reload`].
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start_unwatched(source: ConfigurationSource, current: Config) -> io::Result<Self> {
        Self::start_with(source, current, false)
    }

    fn start_with(source: ConfigurationSource, current: Config, watched: bool) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let (reports, notes) = unbounded_channel();
        let wake = jobs.clone();
        let is_there = source.stamp.is_some();
        let mut worker = ConfigurationWorker { last: Ok(current.clone()), is_there, source, watch: None, reports };
        thread::Builder::new().name("configuration".into()).spawn(move || {
            if watched {
                worker.watch(wake);
            }
            worker.run(&inbox);
        })?;
        Ok(Self { store: current.store, current, jobs, notes })
    }

    /// The configuration in use.
    #[must_use]
    pub fn current(&self) -> &Config {
        &self.current
    }

    /// Writes a connection into the file: a new one, or the one the draft was made of. Then its
    /// client secret goes to the store, where one is given, the engine takes it over, and its
    /// refresh token is imported. [`HostEvent::ConnectionSaved`] reports the result; a fault of a secret has
    /// the key `client_secret` or `refresh_token`, and then nothing is written.
    pub fn save(&self, draft: Draft, typed: Typed) {
        self.ask(ConfigurationJob::Save(Box::new(draft), typed));
    }

    /// Starts to remove a connection: once the file is known to be changeable, the engine is asked to
    /// delete its tokens and secrets. Otherwise [`EventKind::Forgotten`] reports why nothing was done.
    pub fn remove(&self, connection: ConnectionName) {
        self.ask(ConfigurationJob::Try(connection));
    }

    /// Removes a connection whose tokens are deleted from the file; [`HostEvent::ConnectionDeleted`]
    /// reports the result.
    pub fn delete(&self, connection: ConnectionName) {
        self.ask(ConfigurationJob::Delete(connection));
    }

    /// Makes the file name encrypted files as the secret store, then the engine use them;
    /// [`HostEvent::FilesChosen`] reports the result.
    pub fn use_files(&self) {
        self.ask(ConfigurationJob::UseFiles);
    }

    /// Reads the file now; [`HostEvent::ConfigurationRead`] reports the result, changed or not.
    pub fn reload(&self) {
        self.ask(ConfigurationJob::Reload);
    }

    /// Waits for a report of the file's thread; `None` once that has ended.
    pub async fn note(&mut self) -> Option<ConfigurationReport> {
        self.notes.recv().await
    }

    /// Takes over a report: gives the commands for the engine, in this order, and the event for the user.
    pub fn take(&mut self, note: ConfigurationReport) -> (Vec<Command>, Option<Event>) {
        let (commands, event) = match note.0 {
            FileReport::Tried { connection, result: Ok(()) } => return (vec![Command::Remove { connection }], None),
            FileReport::Tried { connection, result: Err(why) } => {
                let result = Err(Problem::Retrying { at: None, why: Reason::ours(why) });
                (Vec::new(), EventKind::Forgotten { result, revocation: Revocation::None }.of(connection))
            }
            FileReport::Read(Ok(config)) => {
                let other_store = (config.store != self.store).then(|| self.store_stays(config.store));
                (self.adopt(config), Event::Host(HostEvent::ConfigurationRead(other_store.map_or(Ok(()), Err))))
            }
            FileReport::Read(Err(why)) => (Vec::new(), Event::Host(HostEvent::ConfigurationRead(Err(why)))),
            FileReport::Unwatched(why) => (Vec::new(), Event::Host(HostEvent::ConfigurationUnwatched { why })),
            FileReport::Saved { connection, typed, result: Ok(config) } => {
                let (secret, import) =
                    ConnectionName::new(&connection).map_or((None, None), |name| typed.commands(&name));
                let mut commands = Vec::from_iter(secret);
                commands.extend(self.adopt(config));
                commands.extend(import);
                (commands, Event::Host(HostEvent::ConnectionSaved { connection, result: Ok(()) }))
            }
            FileReport::Saved { connection, result: Err(faults), .. } => {
                (Vec::new(), Event::Host(HostEvent::ConnectionSaved { connection, result: Err(faults) }))
            }
            FileReport::FilesChosen(Ok(config)) => {
                self.store = StoreKind::File;
                let mut commands = self.adopt(config);
                commands.push(Command::UseFiles);
                (commands, Event::Host(HostEvent::FilesChosen(Ok(()))))
            }
            FileReport::FilesChosen(Err(why)) => (Vec::new(), Event::Host(HostEvent::FilesChosen(Err(why)))),
            FileReport::Deleted { connection, result } => {
                let (commands, result) = match result {
                    Ok(config) => (self.adopt(config), Ok(())),
                    Err(why) => (Vec::new(), Err(why)),
                };
                (commands, Event::Host(HostEvent::ConnectionDeleted { connection, result }))
            }
        };
        (commands, Some(event))
    }

    /// The commands that make the engine use a new configuration.
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
        format!("the file now says store = \"{wanted}\"; restart manutop to use it (\"{used}\" is still in use)")
    }

    fn ask(&self, job: ConfigurationJob) {
        // The thread ends with this handle only.
        let _ = self.jobs.send(job);
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        self.ask(ConfigurationJob::End);
    }
}
