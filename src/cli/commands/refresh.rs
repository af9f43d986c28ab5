//! `manutop refresh`: new access tokens, where the present ones are due.

use std::io::Write;

use eyre::Report;
use futures_util::future::join_all;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::cli::support::unsaved::{not_in_the_store_yet, unsaved};
use crate::cli::support::{json, prompt};
use crate::domain::{Author, ConnectionName, Problem};
use crate::engine::{Engine, Refreshed};

/// Refresh access tokens that are due
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct RefreshArgs {
    /// Connection name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<ConnectionName>,
    /// Refresh every connection that has tokens
    #[arg(long)]
    all: bool,
    /// Refresh even if the token is still valid
    #[arg(long)]
    force: bool,
    /// After a lost answer, send the refresh token again without asking (with --force)
    #[arg(short, long, requires = "force")]
    yes: bool,
    /// Print JSON, with an object for each connection
    #[arg(long)]
    json: bool,
}

impl RefreshArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => session.config.connections.iter().map(|connection| connection.name.clone()).collect(),
        };
        self.refresh(session, &names).await
    }

    /// Refreshes connections side by side; the exit code is the worst of theirs.
    async fn refresh(&self, session: Session, names: &[ConnectionName]) -> Result<Exit, Report> {
        let mut working = session.work_on(names)?;
        // What is there must be known first: otherwise a token found would look like another process's new one.
        let views = working.engine.views().await;
        let doubted: Vec<_> = views.iter().filter(|view| view.is_uncertain()).map(|view| view.name.clone()).collect();
        let refresh = async |engine: &Engine| join_all(names.iter().map(|name| self.one(engine, name))).await;
        let mut results = working.attend(refresh).await?;
        for (name, result) in names.iter().zip(&mut results) {
            if !matches!(result, Err(Problem::Uncertain { .. })) {
                continue;
            }
            match self.sends_again(name, doubted.contains(name)).await? {
                Some(true) => *result = working.attend(async |engine| engine.refresh(name, true).await).await?,
                Some(false) => {}
                None => break,
            }
        }
        let unsaved = unsaved(&working).await;
        working.finish().await;
        let mut worst = Exit::Ok;
        let mut objects = Vec::new();
        for (name, result) in names.iter().zip(results) {
            let stop = match &result {
                Ok(_) => unsaved.get(name).map(|problem| not_in_the_store_yet(name, problem)),
                Err(problem) => Some(CliError::about(name, problem)),
            };
            worst = worst.max(stop.as_ref().map_or(Exit::Ok, |stop| stop.exit));
            if self.json {
                let (outcome, generation, by) = result.map_or((None, None, None), reported);
                objects.push(json!({
                    "connection": name,
                    "outcome": outcome,
                    "generation": generation,
                    "by": by,
                    "error": stop.as_ref().map(|stop| json::error(stop, session.clock.now())),
                }));
            } else if let Ok(refreshed) = result {
                writeln!(std::io::stdout(), "{name}: {}", words(refreshed))?;
            }
            if let Some(stop) = stop {
                message!("{stop}");
            }
        }
        if self.json {
            json::print(json!({ "results": objects }))?;
        }
        Ok(worst)
    }

    async fn one(&self, engine: &Engine, name: &ConnectionName) -> Result<Refreshed, Problem> {
        if self.force { engine.force_if_sure(name).await } else { engine.refresh(name, false).await }
    }

    /// Whether a refresh token whose answer was lost is sent again: a person decides, here or by `--yes`,
    /// which is no decision about an answer that this very command has lost. `None` where nothing more can be asked.
    async fn sends_again(&self, name: &ConnectionName, was_doubted: bool) -> Result<Option<bool>, Report> {
        if !self.force || self.yes || !prompt::can_ask() {
            return Ok(Some(self.force && self.yes && was_doubted));
        }
        let words = format!(
            "{name}: the answer to the last refresh was lost. If the provider has replaced the refresh token, sending \
             it again may revoke all tokens of this login.\nLogging in again is safe: manutop login {name}\n\
             Send it again?"
        );
        Ok(prompt::choose_or_leave(words, &['n', 'y']).await?.map(|answer| answer == 'y'))
    }
}

/// The word for it in JSON, the generation, and who else obtained it.
fn reported(refreshed: Refreshed) -> (Option<&'static str>, Option<u64>, Option<Author>) {
    match refreshed {
        Refreshed::Obtained(generation) => (Some("refreshed"), Some(generation), None),
        Refreshed::Adopted(generation, by) => (Some("adopted"), Some(generation), by),
        Refreshed::StillFresh(generation) => (Some("still_fresh"), Some(generation), None),
    }
}

fn words(refreshed: Refreshed) -> String {
    match refreshed {
        Refreshed::Obtained(generation) => format!("refreshed, generation {generation}"),
        Refreshed::Adopted(generation, by) => {
            format!("{} refreshed it, generation {generation}", Author::subject(by))
        }
        Refreshed::StillFresh(generation) => {
            format!("still fresh, generation {generation}; --force refreshes it anyway")
        }
    }
}
