//! `manutop remove`: a connection goes, with all there is of it, in the order of the dashboard:
//! under its lock its tokens, client secret, history and journal, and then its place in the file.
//!
//! Invariants: nothing is erased before the file is known to be changeable; what could not be
//! erased stays in the file, so that it can be asked for again.

use std::io;
use std::io::Write as _;
use std::path::Path;

use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::{json, prompt};
use crate::config;
use crate::config::{ChangeError, ConfigError};
use crate::dashboard::dialogs::removal::WHAT_GOES;
use crate::domain::{Command, ConnectionEvent, ConnectionName, Event, EventKind, Problem, Revocation};
use crate::format::event::not_forgotten;
use crate::oauth::providers;

/// Remove a connection with its tokens and client secret; asks first
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// Connection name
    name: ConnectionName,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Only remove it from the configuration; its tokens and client secret are kept
    #[arg(long)]
    keep_tokens: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl RemoveArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open(files)?;
        let (name, file) = (&self.name, &session.paths.config_file);
        session.connection(name)?;
        self.check(file)?;
        self.ask()?;
        let mut revocation = Revocation::None;
        if !self.keep_tokens {
            session.open_store().await?;
            revocation = erase(&session, name).await?;
        }
        take_out(file, name, self.keep_tokens)?;
        if self.json {
            let file = file.to_string_lossy();
            json::print(json!({
                "connection": name,
                "config_file": file,
                "tokens_kept": self.keep_tokens,
                "revoked": revocation.is_revoked(),
                "revoke_error": revocation.why().map(ToString::to_string),
            }))?;
        } else if self.keep_tokens {
            writeln!(io::stdout(), "{name}: removed from {}; its tokens and client secret are kept", file.display())?;
        } else {
            let words = format!("{name}: removed, with its tokens and client secret; {}", revocation.words());
            writeln!(io::stdout(), "{}", words.trim_end_matches("; "))?;
        }
        Ok(Exit::Ok)
    }

    /// Makes sure that it can be taken out of the file, before anything goes that cannot come back.
    fn check(&self, file: &Path) -> Result<(), CliError> {
        let name = &self.name;
        match config::can_remove_connection(file, name, providers::ALL) {
            Ok(()) | Err(ChangeError::Gone { .. }) => Ok(()),
            Err(error) => {
                let by_hand = if self.keep_tokens {
                    String::new()
                } else {
                    format!(
                        "\nIf it is read-only on purpose, run manutop logout {name} and manutop secret rm {name}, then \
                         take the connection out where the file comes from"
                    )
                };
                Err(CliError::on(name, exit(&error), format!("nothing was removed: {error}{by_hand}")))
            }
        }
    }

    /// Makes sure that it is meant.
    fn ask(&self) -> Result<(), Report> {
        let name = &self.name;
        if self.yes {
            return Ok(());
        }
        if !prompt::can_ask() {
            let message = format!("{name}: cannot ask for confirmation without a terminal; pass --yes");
            return Err(CliError::new(Exit::Usage, message).into());
        }
        let what_goes = if self.keep_tokens { "Its tokens and its client secret are kept." } else { WHAT_GOES };
        match prompt::choose(format_args!("{what_goes}\nRemove {name}?"), &['n', 'y'])? {
            Some('y') => Ok(()),
            _ => Err(CliError::new(Exit::Failed, format!("{name} stays; nothing was removed")).into()),
        }
    }
}

/// Forgets all there is of a connection, once no one else is working on it.
async fn erase(session: &Session, name: &ConnectionName) -> Result<Revocation, Report> {
    let mut working = session.work_on(std::slice::from_ref(name))?;
    working.engine.views().await;
    let forgotten = working
        .carry_out(Command::Remove { connection: name.clone() }, |event| match event {
            Event::Connection(ConnectionEvent { connection, kind: EventKind::Forgotten { result, revocation } })
                if connection == *name =>
            {
                Some((result, revocation))
            }
            _ => None,
        })
        .await?;
    working.finish().await;
    let (result, revocation) = forgotten.unwrap_or((Err(Problem::Cancelled), Revocation::None));
    let Err(problem) = result else { return Ok(revocation) };
    let file = session.paths.config_file.display();
    let why = revocation.before_failure(&not_forgotten(&problem));
    Err(CliError { message: format!("{name}: {why}; it is still in {file}"), ..CliError::about(name, &problem) }.into())
}

fn take_out(file: &Path, name: &ConnectionName, keep_tokens: bool) -> Result<(), CliError> {
    let error = match config::remove_connection(file, name, providers::ALL) {
        // Someone else was quicker; it is gone, as it should be.
        Ok(_) | Err(ChangeError::Gone { .. }) => return Ok(()),
        Err(error) => error,
    };
    let gone = if keep_tokens { "" } else { "its tokens and client secret are gone, but " };
    let stop = CliError::new(exit(&error), format!("{name}: {gone}it is still in the configuration: {error}"));
    Err(CliError { connection: Some(name.clone()), ..stop })
}

fn exit(error: &ChangeError) -> Exit {
    match error {
        ChangeError::File(ConfigError::Write { .. }) => Exit::Failed,
        _ => Exit::Usage,
    }
}
