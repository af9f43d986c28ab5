//! `manutop refresh`: new access tokens, where the present ones are due.

use std::io::Write;

use color_eyre::eyre::Report;
use futures_util::future::join_all;

use super::args::Files;
use super::exit::{Exit, Stop};
use super::owed::{owed, tell_owed};
use super::say::say;
use super::session::Session;
use crate::domain::ConnectionName;
use crate::engine::Refreshed;

/// Get new access tokens, where the present ones are due
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which connection
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<ConnectionName>,
    /// Every connection that has tokens
    #[arg(long)]
    all: bool,
    /// Even while the present token is fresh
    #[arg(long)]
    force: bool,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        match self.name {
            Some(name) => refresh(session, &[name], self.force).await,
            None => refresh_all(session, self.force).await,
        }
    }
}

/// Refreshes every connection that has tokens, or can get them without a person.
async fn refresh_all(session: Session, force: bool) -> Result<Exit, Report> {
    let names: Vec<_> = session.config.connections.iter().map(|connection| connection.name.clone()).collect();
    refresh(session, &names, force).await
}

/// Refreshes connections side by side; the exit code is the worst of theirs.
async fn refresh(session: Session, names: &[ConnectionName], force: bool) -> Result<Exit, Report> {
    for name in names {
        session.connection(name)?;
    }
    let mut working = session.work(true)?;
    // What is there must be known first: otherwise a token found would look like somebody else's new one.
    working.engine.views().await;
    let results =
        working.attend(async |engine| join_all(names.iter().map(|name| engine.refresh(name, force))).await).await?;
    let owed = owed(&working).await;
    working.finish(&session).await;
    let mut worst = Exit::Ok;
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok(refreshed) => {
                writeln!(std::io::stdout(), "{name}: {}", words(refreshed))?;
                if let Some(problem) = owed.get(name) {
                    tell_owed(name, problem);
                    worst = worst.max(Exit::from(problem));
                }
            }
            Err(problem) => {
                let stop = Stop::about(name, &problem);
                say!("{stop}");
                worst = worst.max(stop.exit);
            }
        }
    }
    Ok(worst)
}

fn words(refreshed: Refreshed) -> String {
    match refreshed {
        Refreshed::Obtained(generation) => format!("refreshed, generation {generation}"),
        Refreshed::Adopted(generation) => format!("another process had refreshed it, generation {generation}"),
        Refreshed::StillFresh(generation) => {
            format!("still fresh, generation {generation}; --force refreshes it all the same")
        }
    }
}
