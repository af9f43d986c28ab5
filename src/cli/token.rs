//! `manutop token`: a valid access token, alone.

use std::io::Write;
use std::time::Duration;

use color_eyre::eyre::Report;

use super::args::Files;
use super::exit::{Exit, Stop};
use super::owed::{owed, tell_owed};
use super::session::Session;
use crate::domain::ConnectionName;

/// The least a printed token must still be good for.
const MIN_TTL: Duration = Duration::from_secs(60);

/// Print a valid access token, alone; refreshes it if under 60 s are left
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which connection
    name: ConnectionName,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        print(Session::open_for_command(files).await?, &self.name).await
    }
}

/// Prints a valid access token, alone.
async fn print(session: Session, name: &ConnectionName) -> Result<Exit, Report> {
    session.connection(name)?;
    let mut working = session.work(true)?;
    let result = working.attend(async |engine| engine.access_token(name, MIN_TTL).await).await?;
    if let Some(problem) = owed(&working).await.get(name) {
        tell_owed(name, problem);
    }
    working.finish(&session).await;
    let token = result.map_err(|problem| Stop::about(name, &problem))?;
    writeln!(std::io::stdout(), "{}", token.expose())?;
    Ok(Exit::Ok)
}
