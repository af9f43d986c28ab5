//! What every command on real connections begins with: the files, the configuration, the vault.

use std::sync::Arc;

use eyre::Report;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::stderr::message;
use crate::cli::support::{passphrase, stores};
use crate::config;
use crate::config::{Config, Paths, StoreKind};
use crate::dashboard_loop::appearance::check_keys;
use crate::domain::{Clock, Connection, ConnectionName, Event, Program, SystemClock};
use crate::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER;
use crate::engine::{Browser, Engine, Opened, Parts};
use crate::live_configuration::ConfigurationSource;
use crate::oauth::providers;
use crate::platform::environment::Environment;
use crate::platform::file_stamp::Stamp;
use crate::request_log::segments::RequestLog;
use crate::secrets::encrypted_file::Passphrase;
use crate::secrets::worker::Secrets;
use crate::tokens::vault::Vault;

/// The configuration read and the vault opened. The secret store has not been touched yet.
pub(crate) struct Session {
    pub(crate) paths: Paths,
    pub(crate) config: Config,
    /// How the configuration file looked before it was read.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) vault: Vault,
    /// The one of an encrypted store, where it was given. It is read once: its file may be a pipe.
    pub(crate) passphrase: Option<Passphrase>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) environment: Environment,
}

/// An engine at work, and what it announces.
pub(crate) struct Working {
    pub(crate) engine: Engine,
    pub(crate) events: UnboundedReceiver<Event>,
    pub(crate) log: RequestLog,
}

impl Session {
    /// Reads the configuration (none at all is an empty one) and opens the vault.
    pub(crate) fn open(files: &GlobalArgs) -> Result<Self, CliError> {
        let paths = Paths::resolve(files.config.clone(), files.data_dir.clone())?;
        let stamp = Stamp::of(&paths.config_file);
        let config = config::load(&paths.config_file, providers::ALL)?.unwrap_or_default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let passphrase = if config.store == StoreKind::File { passphrase::given()? } else { None };
        let mut secrets = Secrets::new(stores::factory(config.store, &paths, passphrase.clone()));
        if config.store == StoreKind::Keyring {
            secrets = secrets.with_alternative(stores::factory(StoreKind::File, &paths, None));
        }
        let vault = Vault::open(secrets, &paths.data_dir, Arc::clone(&clock))?;
        Ok(Self { paths, config, stamp, vault, passphrase, clock, environment: Environment::read() })
    }

    /// The same for a command without a dashboard: an encrypted store is opened now, with the
    /// passphrase that was given or that a person is asked for.
    pub(crate) async fn open_for_command(files: &GlobalArgs) -> Result<Self, CliError> {
        let session = Self::open(files)?;
        session.open_store().await?;
        Ok(session)
    }

    /// Opens an encrypted store, see [`stores::open_encrypted`].
    pub(crate) async fn open_store(&self) -> Result<(), CliError> {
        stores::open_encrypted(&self.vault, self.config.store, self.passphrase.clone()).await
    }

    /// The connection of this name.
    pub(crate) fn connection(&self, name: &ConnectionName) -> Result<&Connection, CliError> {
        self.config.connections.iter().find(|connection| connection.name == *name).ok_or_else(|| {
            let known: Vec<_> = self.config.connections.iter().map(|connection| connection.name.as_str()).collect();
            let known =
                if known.is_empty() { "it has none yet".to_owned() } else { format!("it has {}", known.join(", ")) };
            CliError::new(
                Exit::Usage,
                format!("{}: there is no connection {name}; {known}", self.paths.config_file.display()),
            )
        })
    }

    /// Starts an engine on every connection for a single command: nothing is refreshed automatically.
    pub(crate) fn work(&self) -> Result<Working, Report> {
        self.start(self.parts(Arc::new(NoBrowser), Program::Command))
    }

    /// The same on these connections alone: no other one's tokens are read.
    pub(crate) fn work_on(&self, names: &[ConnectionName]) -> Result<Working, Report> {
        self.work_with_browser(names, Arc::new(NoBrowser))
    }

    /// The same, with a browser for logins.
    pub(crate) fn work_with_browser(
        &self,
        names: &[ConnectionName],
        browser: Arc<dyn Browser>,
    ) -> Result<Working, Report> {
        let connections: Result<Vec<_>, CliError> = names.iter().map(|name| self.connection(name).cloned()).collect();
        self.start(Parts { connections: connections?, ..self.parts(browser, Program::Command) })
    }

    fn start(&self, parts: Parts) -> Result<Working, Report> {
        let (engine, events) = Engine::start(parts)?;
        let log = RequestLog::start(&self.paths.data_dir, self.config.request_log);
        Ok(Working { engine, events, log })
    }

    /// Where the configuration is from.
    pub(crate) fn source(&self) -> ConfigurationSource {
        let file = self.paths.config_file.clone();
        ConfigurationSource { file, stamp: self.stamp, providers: providers::ALL, check_keys }
    }

    /// What an engine on this session is made of.
    pub(crate) fn parts(&self, browser: Arc<dyn Browser>, program: Program) -> Parts {
        Parts {
            connections: self.config.connections.clone(),
            vault: self.vault.clone(),
            clock: Arc::clone(&self.clock),
            browser,
            program,
            // A keepalive service begins once it leads.
            automatic: program == Program::Dashboard,
            login_timeout: self.config.login_timeout,
            lost_pause: PAUSE_AFTER_LOST_ANSWER,
        }
    }
}

impl Working {
    /// Ends the engine after unsaved tokens are saved, and closes the request log.
    pub(crate) async fn finish(mut self) {
        self.engine.shutdown().await;
        while let Ok(event) = self.events.try_recv() {
            self.log.record(&event);
        }
        if let Some(trouble) = self.log.close() {
            message!("the request log is incomplete: {trouble}");
        }
    }
}

/// For `--no-browser`, and where no one could see one.
pub(crate) struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &str) -> Result<Opened, String> {
        Err("--no-browser was given".into())
    }
}
