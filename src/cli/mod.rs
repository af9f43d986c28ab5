//! Arguments and the headless commands. Standard output holds results only; everything else goes
//! to standard error. Exit codes are [`exit::Exit`]'s.

mod add;
pub mod args;
mod attend;
mod completions;
mod configuration;
#[cfg(unix)]
mod curl;
mod dashboard;
mod demo;
mod doctor;
mod exec;
pub mod exit;
pub mod faults;
pub mod files;
mod host;
mod import;
mod json;
mod keepalive;
mod line;
mod lines;
mod list;
mod log;
mod login;
mod logout;
mod man;
mod migrate;
mod owed;
mod passphrase;
mod paste;
mod prompt;
mod qr;
mod refresh;
mod remove;
mod rename;
mod rescue;
mod say;
mod secret;
mod session;
mod since;
mod span;
mod status;
mod stores;
mod test;
mod token;
pub mod version;
mod watch;

use std::process::ExitCode;

use color_eyre::eyre::Report;

use args::Cli;
use exit::{Exit, Stop};
use line::Line;
use say::say;

use crate::domain::{Clock, SystemClock, clock};
use crate::{hardening, limits};

/// Reads the command line, carries it out, and says how it went by exit code.
#[must_use]
pub fn main() -> ExitCode {
    hardening::protect();
    limits::adjust();
    clock::note_start();
    if let Some(answered) = completions::answer() {
        return answered;
    }
    if let Err(error) = color_eyre::config::HookBuilder::default().display_env_section(false).install() {
        say!("{error}");
    }
    crate::shell::terminal::install_panic_hook();
    let Line { cli, as_json } = Line::read(std::env::args_os().collect());
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(report) => fail(&report, as_json),
    }
}

fn run(cli: Cli) -> Result<Exit, Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Cli { files, command } = cli;
    let result = runtime.block_on(async {
        match command {
            None => Box::pin(dashboard::run(&files)).await,
            Some(command) => command.run(&files).await,
        }
    });
    // Something that hangs (a browser's start, a file system) must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Expected failures are one message; anything else is a bug and gets the whole report.
fn fail(report: &Report, as_json: bool) -> ExitCode {
    let Some(stop) = report.downcast_ref::<Stop>() else {
        say!("{report:?}");
        return Exit::Failed.into();
    };
    say!("{stop}");
    if as_json {
        // Nobody listens: then the exit code says it alone.
        let _ = json::print(serde_json::json!({ "error": json::error(stop, SystemClock.now()) }));
    }
    stop.exit.into()
}
