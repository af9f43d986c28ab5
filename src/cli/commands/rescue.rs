//! `manutop rescue`: the token in an answer that could not be read when it came.

use std::io::{IsTerminal as _, Write as _};

use eyre::Report;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::{message, waiting};
use crate::domain::text::neutralise;
use crate::domain::{ConnectionName, Fingerprint, Secret};
use crate::engine::work::unread;
use crate::tokens::reconcile::Hazard;

/// Save the tokens in an answer that could not be read
///
/// Such an answer is kept sealed in the connection's journal, because it may hold the newest refresh
/// token. A newer version of manutop may be able to read it; this command tries, and saves what it finds.
#[derive(Debug, clap::Args)]
pub struct RescueArgs {
    /// Connection name
    name: ConnectionName,
    /// Print the answer instead, with every secret in it
    #[arg(long)]
    show: bool,
}

impl RescueArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        session.connection(&self.name)?;
        let Kept { text, generation, sent } = self.kept(&session).await?;
        if self.show {
            return show(&unread::body(&text));
        }
        if unread::tokens(&text, &sent).is_none() {
            let name = &self.name;
            let why = format!(
                "this version finds no refresh token in the answer that is kept; look at it with: manutop rescue {name} \
                 --show, and take over a token in it with: manutop import {name}"
            );
            return Err(CliError::on(name, Exit::Failed, why).into());
        }
        // Whatever takes the connection's lock saves what it can read.
        let mut working = session.work_on(std::slice::from_ref(&self.name))?;
        let result = working.attend(async |engine| engine.refresh(&self.name, false).await).await?;
        working.finish().await;
        if let Err(problem) = result {
            let stop = CliError::about(&self.name, &problem);
            // It is saved before it is used: where it is due at once, its refresh may fail.
            let is_saved = session.vault.read(&self.name).await.is_ok_and(|standing| standing.mark > generation);
            if !is_saved {
                return Err(stop.into());
            }
            message!("warning: {stop}");
        }
        writeln!(std::io::stdout(), "{}: the refresh token in the kept answer is saved", self.name)?;
        Ok(Exit::Ok)
    }

    /// The answer that could not be read.
    async fn kept(&self, session: &Session) -> Result<Kept, CliError> {
        let mut locked = session.vault.lock(&self.name, |pid| waiting(&self.name, pid)).await?;
        let standing = locked.recover().await?;
        let Some(Hazard::Uncertain { unread: Some(sealed), generation, fingerprint, .. }) = &standing.hazard else {
            return Err(CliError::on(&self.name, Exit::Failed, "no answer is kept that could not be read"));
        };
        let text = locked.unread(*generation, sealed).await?;
        Ok(Kept { text, generation: *generation, sent: fingerprint.clone() })
    }
}

/// An answer that could not be read, and the refresh token that was sent for it.
struct Kept {
    text: Secret,
    generation: u64,
    sent: Fingerprint,
}

/// Prints the answer, which may be anything.
fn show(body: &[u8]) -> Result<Exit, Report> {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        let text = String::from_utf8_lossy(body);
        text.lines().try_for_each(|line| writeln!(out, "{}", neutralise(line, line.len())))?;
    } else {
        out.write_all(body)?;
    }
    Ok(Exit::Ok)
}
