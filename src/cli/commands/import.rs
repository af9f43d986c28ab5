//! `manutop import`: takes over a refresh token that another program obtained.
//!
//! Invariant: it is asked for only where it could be taken over, and never an argument.

use std::io;
use std::io::{IsTerminal as _, Write as _};

use chrono::{DateTime, Utc};
use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::{Session, Working};
use crate::cli::support::unsaved::not_in_the_store_yet;
use crate::cli::support::{json, prompt};
use crate::domain::clock::rfc3339;
use crate::domain::{Command, ConnectionEvent, ConnectionName, ConnectionView, Event, EventKind, Problem, Secret};
use crate::engine::work::import::not_supported;
use crate::format::time::Zone;
use crate::oauth::pasted;

/// Take over a refresh token from Postman or another program
///
/// The refresh token is read from a hidden prompt, or from standard input. A whole JSON answer of
/// the token endpoint will do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: pbpaste | manutop import factory")]
pub struct ImportArgs {
    /// Connection name
    name: ConnectionName,
    /// Replace existing tokens without asking
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How an import ended well.
struct Imported {
    generation: u64,
    expires_at: DateTime<Utc>,
    replaced: bool,
}

impl ImportArgs {
    /// Takes over one refresh token and waits for the end.
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let name = &self.name;
        if let Some(why) = not_supported(session.connection(name)?) {
            return Err(CliError::on(name, Exit::Usage, why).into());
        }
        // On all connections: one of the others may hold the same refresh token.
        let mut working = session.work()?;
        let views = working.engine.views().await;
        if let Some(view) = views.iter().find(|view| view.name == *name) {
            refuse_in_vain(view)?;
            self.ask(view)?;
        }
        let refresh_token = read(name)?;
        let result = import(&mut working, name, refresh_token).await?;
        working.finish().await;
        let imported = result?;
        if self.json {
            json::print(json!({
                "connection": name,
                "outcome": "imported",
                "generation": imported.generation,
                "expires_at": rfc3339(imported.expires_at),
                "pasted_token_replaced": imported.replaced,
            }))?;
        } else {
            writeln!(io::stdout(), "{name}: {}", imported.words(session.clock.now()))?;
        }
        Ok(Exit::Ok)
    }

    /// Makes sure that the tokens there are may be replaced.
    fn ask(&self, view: &ConnectionView) -> Result<(), Report> {
        let name = &self.name;
        let is_dead = matches!(view.problem, Some(Problem::NeedsLogin { .. }));
        let Some(token) = view.token().filter(|_| !self.yes && !is_dead) else { return Ok(()) };
        if !prompt::can_ask() {
            let why =
                "it has tokens, and they would be replaced; cannot ask for confirmation without a terminal; pass --yes";
            return Err(CliError::on(name, Exit::Usage, why).into());
        }
        let has = format_args!("{name} has tokens (generation {}); an import replaces them.", token.generation);
        match prompt::choose(format_args!("{has}\nReplace them?"), &['n', 'y'])? {
            Some('y') => Ok(()),
            _ => Err(CliError::on(name, Exit::Failed, "its tokens stay; nothing was sent").into()),
        }
    }
}

/// Stops before a refresh token is asked for that could not be imported.
fn refuse_in_vain(view: &ConnectionView) -> Result<(), CliError> {
    match &view.problem {
        Some(
            problem @ (Problem::NoClientSecret { .. }
            | Problem::StoreUnavailable { .. }
            | Problem::PassphraseNeeded { .. }),
        ) => Err(CliError::about(&view.name, problem)),
        _ => Ok(()),
    }
}

/// Reads the refresh token from a hidden prompt, or from standard input where that is no terminal.
fn read(name: &ConnectionName) -> Result<Secret, CliError> {
    let text = if io::stdin().is_terminal() {
        prompt::hidden_lines(format_args!("Refresh token for {name}: "), pasted::is_unfinished)
    } else {
        prompt::piped(pasted::LONGEST)
    };
    let text = text.map_err(|error| CliError::on(name, Exit::Failed, format!("no refresh token was read: {error}")))?;
    pasted::refresh_token(&text)
        .map_err(|why| CliError::on(name, Exit::Usage, format!("the refresh token {why}; nothing was sent")))
}

async fn import(
    working: &mut Working,
    name: &ConnectionName,
    refresh_token: Secret,
) -> Result<Result<Imported, CliError>, Report> {
    let command = Command::Import { connection: name.clone(), refresh_token };
    let ended = working.carry_out(command, |event| {
        let Event::Connection(ConnectionEvent { connection, kind }) = event else { return None };
        if connection == *name { end(name, kind) } else { None }
    });
    Ok(ended.await?.unwrap_or_else(|| Err(CliError::on(name, Exit::Failed, "the import was cancelled"))))
}

/// How the import ended, if this event ends it.
fn end(name: &ConnectionName, kind: EventKind) -> Option<Result<Imported, CliError>> {
    match kind {
        EventKind::Imported { generation, expires_at, replaced } => {
            Some(Ok(Imported { generation, expires_at, replaced }))
        }
        EventKind::NotSaved { why, .. } => {
            Some(Err(not_in_the_store_yet(name, &Problem::NotSaved { why, durable: true })))
        }
        EventKind::ImportFailed { why, problem } => {
            let stop = problem.map_or_else(
                || CliError::on(name, Exit::Failed, &why),
                |problem| CliError { message: format!("{name}: {why}"), ..CliError::about(name, &problem) },
            );
            Some(Err(stop))
        }
        EventKind::RefreshFailed { problem } => Some(Err(CliError::about(name, &problem))),
        _ => None,
    }
}

impl Imported {
    fn words(&self, now: DateTime<Utc>) -> String {
        let copy = if self.replaced {
            "took over the refresh token and replaced it; the copy you pasted no longer works."
        } else {
            "took over the refresh token. The provider did not replace it: the copy you pasted still works."
        };
        if self.expires_at <= now {
            return format!("{copy} The answer had no access token; the next refresh gets one.");
        }
        format!("{copy} Access token valid until {}.", Zone::Local.short(self.expires_at, now))
    }
}
