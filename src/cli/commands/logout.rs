//! `manutop logout`: forgets a connection's tokens and keeps the connection.

use std::io::Write;

use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::cli::support::session::Session;
use crate::domain::{Command, ConnectionEvent, ConnectionName, Event, EventKind, Problem, Revocation};

/// Log out: delete the tokens, keep the connection
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {
    /// Connection name
    name: ConnectionName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl LogoutArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let name = &self.name;
        let mut working = session.work_on(std::slice::from_ref(name))?;
        working.engine.views().await;
        let end = working.carry_out(Command::Logout { connection: name.clone() }, |event| match event {
            Event::Connection(ConnectionEvent { kind, .. }) => match &kind {
                EventKind::LoggedOut { revocation } => Some(Ok(revocation.clone())),
                EventKind::LogoutFailed { problem, .. } => {
                    let exit = if *problem == Problem::Cancelled { Exit::Failed } else { Exit::from(problem) };
                    Some(Err(CliError::of_event(name, exit, &kind)))
                }
                EventKind::Refused { .. } => Some(Err(CliError::of_event(name, Exit::Failed, &kind))),
                _ => None,
            },
            _ => None,
        });
        let end = end.await?;
        working.finish().await;
        let revocation = end.unwrap_or_else(|| Err(CliError::on(name, Exit::Failed, "the logout was given up")))?;
        if self.json {
            json::print(json!({
                "connection": name,
                "outcome": "logged_out",
                "revoked": revocation.is_revoked(),
                "revoke_error": revocation.why().map(ToString::to_string),
            }))?;
        } else {
            let words = match revocation {
                Revocation::None => "its tokens are deleted".into(),
                revocation => revocation.words(),
            };
            writeln!(std::io::stdout(), "{name}: logged out; {words}")?;
        }
        Ok(Exit::Ok)
    }
}
