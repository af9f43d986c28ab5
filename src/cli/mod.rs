//! Arguments and the headless commands. Standard output holds results only; everything else goes
//! to standard error. Exit codes are [`exit::Exit`]'s.

pub mod commands;
pub mod fast_args;
pub mod support;

pub mod args;

use std::process::ExitCode;

use eyre::Report;

use crate::cli::args::Cli;
use crate::cli::commands::{completions, dashboard};
use crate::cli::fast_args::FastArgs;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::json;
use crate::cli::support::stderr::say;
use crate::domain::{Clock, SystemClock, clock};
use crate::platform::{hardening, limits};

/// Reads the command line, carries it out, and says how it went by exit code.
#[must_use]
pub fn main() -> ExitCode {
    hardening::protect();
    limits::adjust();
    clock::note_start();
    if let Some(answered) = completions::answer() {
        return answered;
    }
    crate::terminal::guard::install_panic_hook();
    let FastArgs { cli, as_json } = FastArgs::read(std::env::args_os().collect());
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
    let Some(stop) = report.downcast_ref::<CliError>() else {
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
