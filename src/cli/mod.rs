//! Arguments and commands. Standard output holds results only; everything else goes to standard error. Exit codes are
//! those of [`Exit`].

pub mod commands;
mod help;
pub mod support;

pub mod args;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use eyre::Report;

use crate::cli::args::Cli;
use crate::cli::commands::{completions, dashboard};
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::json;
use crate::cli::support::stderr::message;
use crate::domain::{Clock, SystemClock, clock};
use crate::platform::{hardening, limits};

/// Reads the command line, runs the command, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    hardening::protect();
    limits::adjust();
    clock::note_start();
    if let Some(answered) = completions::answer(Cli::command) {
        return answered;
    }
    crate::terminal::guard::install_panic_hook();
    let (cli, as_json) = read(std::env::args_os().collect());
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(report) => fail(&report, as_json),
    }
}

/// Reads the command line: the command, and whether it was given `--json`. Ends the program on a fault and after help.
fn read(words: Vec<OsString>) -> (Cli, bool) {
    let matches = Cli::command().try_get_matches_from(&words).unwrap_or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp => help::command(Cli::command()).get_matches_from(words),
        _ => error.exit(),
    });
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    (cli, wants_json(&matches))
}

fn wants_json(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one("json").ok().flatten().copied().unwrap_or(false);
    here || matches.subcommand().is_some_and(|(_, matches)| wants_json(matches))
}

fn run(cli: Cli) -> Result<Exit, Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Cli { files, read_only, command } = cli;
    let result = runtime.block_on(async {
        match command {
            None => Box::pin(dashboard::run(&files, read_only)).await,
            Some(_) if read_only => {
                Err(CliError::new(Exit::Usage, "--read-only is for the dashboard: give no command with it").into())
            }
            Some(command) => command.run(&files).await,
        }
    });
    // A hanging browser start or file system must not delay the end.
    runtime.shutdown_background();
    result
}

/// An expected failure is one message; anything else is a bug and gets the whole report.
fn fail(report: &Report, as_json: bool) -> ExitCode {
    let Some(stop) = report.downcast_ref::<CliError>() else {
        message!("{report:?}");
        return Exit::Failed.into();
    };
    message!("{stop}");
    if as_json {
        // If standard output is closed, the exit code remains.
        let _ = json::print(serde_json::json!({ "error": json::error(stop, SystemClock.now()) }));
    }
    stop.exit.into()
}
