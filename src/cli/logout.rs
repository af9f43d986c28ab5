//! `manutop logout`: forgets a connection's tokens and keeps the connection.

use std::io::Write;

use color_eyre::eyre::Report;
use serde_json::json;

use super::exit::{Exit, Stop};
use super::files::Files;
use super::json;
use super::session::Session;
use crate::domain::{Command, ConnectionName, Event, Problem};

/// Log out: forget the tokens, keep the connection and its client secret
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which connection
    name: ConnectionName,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let name = &self.name;
        let mut working = session.work_on(std::slice::from_ref(name))?;
        working.engine.views().await;
        let end = working.carry_out(Command::Logout { connection: name.clone() }, |event| match event {
            Event::LoggedOut { .. } => Some(Ok(())),
            Event::LogoutFailed { problem: Problem::Cancelled, .. } => {
                Some(Err(Stop::on(name, Exit::Failed, "the logout was given up, nothing was forgotten")))
            }
            Event::LogoutFailed { problem, .. } => {
                let why = format!("not all of the logout could be done: {problem}");
                Some(Err(Stop::on(name, Exit::from(&problem), why)))
            }
            Event::Refused { why, .. } => Some(Err(Stop::on(name, Exit::Failed, why))),
            _ => None,
        });
        let end = end.await?;
        working.finish(&session).await;
        end.unwrap_or_else(|| Err(Stop::on(name, Exit::Failed, "the logout was given up")))?;
        if self.json {
            json::print(json!({ "connection": name, "outcome": "logged_out" }))?;
        } else {
            writeln!(std::io::stdout(), "{name}: logged out; its tokens are forgotten")?;
        }
        Ok(Exit::Ok)
    }
}
