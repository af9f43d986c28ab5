//! `manutop rename`: another name for a connection. What is kept under the old one moves along,
//! then the configuration has the new one, then the old one is emptied.

use std::io::Write;
use std::time::Duration;

use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::{message, waiting};
use crate::config;
use crate::config::Config;
use crate::domain::{ConnectionName, Problem, Reason};
use crate::oauth::providers;
use crate::platform::signals::Signals;
use crate::secrets::error::StoreError;
use crate::tokens::rename::{RenameError, RenameProgress, Renamed, Renaming};

/// How long to wait for the process that works on the connection: longer than any exchange takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rename a connection; its tokens move along
///
/// Run it again to resume an interrupted rename.
#[derive(Debug, clap::Args)]
pub struct RenameArgs {
    /// Current name
    old: ConnectionName,
    /// New name
    #[arg(value_hint = clap::ValueHint::Other)]
    new: ConnectionName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which of the two names the configuration has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Configured {
    old: bool,
    new: bool,
}

impl Configured {
    fn read(config: &Config, RenameArgs { old, new, .. }: &RenameArgs) -> Self {
        let mut names = config.connections.iter().map(|connection| &connection.name);
        Self { old: names.clone().any(|name| name == old), new: names.any(|name| name.is_same_as(new.as_str())) }
    }
}

impl RenameArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let configured = Configured::read(&session.config, &self);
        self.check(&session, configured).await?;
        let held = self.hold(&session).await?;
        // From here on a signal ends nothing on its own: the rest is a few rounds of the store.
        self.expect_unchanged(&session, configured)?;
        match (held.progress().await.map_err(CliError::from)?, configured) {
            (RenameProgress::CutOff, Configured { old: false, new: false }) => drop(session.connection(&self.old)?),
            (RenameProgress::CutOff, _) => {}
            (RenameProgress::GivenUp, Configured { old: false, new: true }) => return self.report(None),
            (_, Configured { old: false, .. }) => drop(session.connection(&self.old)?),
            (_, Configured { new: true, .. }) => return Err(self.taken().into()),
            (_, Configured { .. }) => {}
        }
        let file = &session.paths.config_file;
        let has_to_switch = configured.old && !configured.new;
        if has_to_switch {
            config::can_rename_connection(file, &self.old, &self.new, providers::ALL)
                .map_err(|why| CliError::new(Exit::Usage, format!("nothing was moved: {why}")))?;
        }
        let carried = held.carry().await.map_err(|why| self.not_carried(why))?;
        if has_to_switch {
            config::rename_connection(file, &self.old, &self.new, providers::ALL).map_err(|why| {
                self.cut_off(Exit::Failed, format_args!("the configuration could not be changed: {why}"))
            })?;
        }
        let renamed = carried
            .empty_old()
            .await
            .map_err(|why| self.cut_off(Exit::StoreUnavailable, format_args!("{}", why.with_advice())))?;
        self.report(Some(&renamed))
    }

    /// What can be refused before anybody is waited for.
    async fn check(&self, session: &Session, configured: Configured) -> Result<(), CliError> {
        let Self { old, new, .. } = self;
        if old.is_same_as(new.as_str()) {
            let message = format!(
                "{old} and {new} count as the same name (upper and lower case do not distinguish names); to change the \
                 case alone, rename it to a third name first"
            );
            return Err(CliError::new(Exit::Usage, message));
        }
        let is_cut_off = session.vault.moving_to(old).await.map_err(|why| self.unreadable(why))?.is_some();
        let may_be_done = configured.new && session.vault.forgotten(old).await?.is_some();
        match configured {
            _ if is_cut_off => Ok(()),
            Configured { old: false, .. } if may_be_done => Ok(()),
            Configured { old: false, .. } => session.connection(old).map(drop),
            Configured { new: true, .. } => Err(self.taken()),
            Configured { .. } => Ok(()),
        }
    }

    fn taken(&self) -> CliError {
        CliError::new(Exit::Usage, format!("{} is the name of another connection; choose a free one", self.new))
    }

    /// Takes both names' locks; gives up when asked to, with nothing changed.
    async fn hold(&self, session: &Session) -> Result<Renaming, Report> {
        let mut signals = Signals::listen()?;
        let given_up = async { while !signals.next().await.is_quit() {} };
        let begin = Renaming::begin(session.vault.clone(), &self.old, &self.new, waiting);
        let held = tokio::select! {
            held = tokio::time::timeout(PATIENCE, begin) => held,
            () = given_up => return Err(CliError::new(Exit::Failed, "cancelled; nothing has changed").into()),
        };
        let held = held.map_err(|_| {
            let why = format!("another process has worked on it for over {} s", PATIENCE.as_secs());
            CliError::about(&self.old, &Problem::Retrying { at: None, why: Reason::ours(why) })
        })?;
        Ok(held.map_err(CliError::from)?)
    }

    /// The process it waited for may have changed the configuration: moved to another store, say.
    fn expect_unchanged(&self, session: &Session, configured: Configured) -> Result<(), CliError> {
        let now = config::load(&session.paths.config_file, providers::ALL)?.unwrap_or_default();
        if now.store == session.config.store && Configured::read(&now, self) == configured {
            return Ok(());
        }
        let message = "the configuration was changed meanwhile; nothing was done; run the command again";
        Err(CliError::new(Exit::Transient, message))
    }

    fn not_carried(&self, why: RenameError) -> CliError {
        match why {
            RenameError::TokensThere { .. }
            | RenameError::ClientSecretThere { .. }
            | RenameError::DamageThere { .. } => CliError::new(Exit::Usage, why),
            RenameError::RolledBack { .. } => {
                CliError::about(&self.old, &Problem::RolledBack { why: Reason::ours(why.to_string()) })
            }
            RenameError::Store(why) if why.is_replaceable() => self.unreadable(why),
            RenameError::Store(why) => self.cut_off(Exit::StoreUnavailable, format_args!("{}", why.with_advice())),
        }
    }

    /// Tokens that cannot be read cannot be moved.
    fn unreadable(&self, why: StoreError) -> CliError {
        let Self { old, new, .. } = self;
        if !why.is_replaceable() {
            return why.into();
        }
        let message = format!("{why}; log in first with: manutop login {old}, then: manutop rename {old} {new}");
        CliError::on(old, Exit::NeedsLogin, message)
    }

    fn cut_off(&self, exit: Exit, why: std::fmt::Arguments<'_>) -> CliError {
        let Self { old, new, .. } = self;
        let message =
            format!("{old} is not renamed yet: {why}\nNo token is lost. Then resume with: manutop rename {old} {new}");
        CliError { connection: Some(old.clone()), ..CliError::new(exit, message) }
    }

    /// Says what was done; `None` where all was done before.
    fn report(&self, renamed: Option<&Renamed>) -> Result<Exit, Report> {
        let Self { old, new, json } = self;
        if *json {
            json::print(json!({
                "renamed": {
                    "from": old,
                    "to": new,
                    "already": renamed.is_none(),
                    "generation": renamed.and_then(|renamed| renamed.generation),
                    "uncertain": renamed.is_some_and(|renamed| renamed.is_uncertain),
                    "client_secret": renamed.is_some_and(|renamed| renamed.has_client_secret),
                }
            }))?;
        } else {
            let line = match renamed {
                Some(renamed) => format!("{old} is now called {new}; {}", words(renamed)),
                None => format!("{old} is already renamed to {new}; nothing to do"),
            };
            writeln!(std::io::stdout(), "{line}")?;
        }
        if renamed.is_some_and(|renamed| renamed.left_client_secret) {
            message!("another client secret stays stored under the name {old}; manutop secret rm {old} removes it");
        }
        Ok(Exit::Ok)
    }
}

fn words(renamed: &Renamed) -> String {
    let tokens = match renamed.generation {
        Some(generation) => format!("generation {generation} moved along, read back"),
        None => "it had no tokens".into(),
    };
    let uncertain = if renamed.is_uncertain { "; it is as uncertain as before" } else { "" };
    format!("{tokens}{uncertain}")
}
