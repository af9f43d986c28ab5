//! Arguments and the headless commands. Standard output holds results only; everything else goes
//! to standard error. Exit codes are [`exit::Exit`]'s.

pub mod args;
mod attend;
mod dashboard;
mod demo;
mod doctor;
pub mod exit;
pub mod faults;
mod host;
mod list;
mod login;
mod migrate;
mod passphrase;
mod prompt;
mod qr;
mod say;
mod secret;
mod session;
mod stores;
mod tokens;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use color_eyre::eyre::Report;

use args::{Cli, Command, SecretCommand, StoreCommand};
use exit::{Exit, Stop};
use say::say;
use session::Session;

/// Reads the command line, carries it out, and says how it went by exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Err(error) = color_eyre::config::HookBuilder::default().display_env_section(false).install() {
        say!("{error}");
    }
    crate::shell::terminal::install_panic_hook();
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(report) => fail(&report),
    }
}

fn run(cli: Cli) -> Result<Exit, Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(carry_out(cli));
    // Something that hangs (a browser's start, a file system) must not hold up the end.
    runtime.shutdown_background();
    result
}

async fn carry_out(cli: Cli) -> Result<Exit, Report> {
    let Cli { files, command } = cli;
    match command {
        None => dashboard::run(&files).await,
        Some(Command::Demo { serve: true, port, .. }) => demo::serve(port).await,
        Some(Command::Demo { serve: false, tour, port }) => demo::run(&files, tour, port).await,
        Some(Command::Doctor { json }) => doctor::run(&files, json).await,
        Some(Command::List { json, watch: true }) => watch::run(Session::open_for_command(&files).await?, json).await,
        Some(Command::List { json, watch: false }) => list::run(Session::open_for_command(&files).await?, json).await,
        Some(Command::Login { name, no_browser, qr }) => {
            login::run(Session::open_for_command(&files).await?, &name, no_browser, qr).await
        }
        Some(Command::Refresh { name: Some(name), force, .. }) => {
            tokens::refresh(Session::open_for_command(&files).await?, &[name], force).await
        }
        Some(Command::Refresh { name: None, force, .. }) => {
            tokens::refresh_all(Session::open_for_command(&files).await?, force).await
        }
        Some(Command::Token { name }) => tokens::print(Session::open_for_command(&files).await?, &name).await,
        Some(Command::Store(StoreCommand::Migrate { to })) => migrate::run(&files, to.into()).await,
        Some(Command::Secret(SecretCommand::Set { name })) => {
            secret::set(&Session::open_for_command(&files).await?, &name).await
        }
        Some(Command::Secret(SecretCommand::Rm { name })) => {
            secret::remove(&Session::open_for_command(&files).await?, &name).await
        }
    }
}

/// Expected failures are one message; anything else is a bug and gets the whole report.
fn fail(report: &Report) -> ExitCode {
    if let Some(stop) = report.downcast_ref::<Stop>() {
        say!("{stop}");
        return stop.exit.into();
    }
    say!("{report:?}");
    Exit::Failed.into()
}
