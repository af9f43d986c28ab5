//! The command line. Each command's options are defined with the command.

use clap::{CommandFactory as _, Parser, Subcommand};
use eyre::Report;

#[cfg(unix)]
use crate::cli::commands::curl;
use crate::cli::commands::{
    add, completions, config, demo, doctor, exec, import, keepalive, list, log, login, logout, man, migrate, refresh,
    remove, rename, rescue, secret, status, test, token,
};
use crate::cli::support::exit::Exit;
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::version;

/// Keeps OAuth connections to Manu Online and Manus alive, and shows them
#[derive(Debug, Parser)]
#[command(
    name = "manutop",
    version,
    long_version = version::LONG,
    about,
    after_help = "Without a command, manutop opens the dashboard; press ? for its keys.\n\
                  `manutop demo` runs it on built-in servers, with nothing to set up."
)]
pub struct Cli {
    /// The options of every command.
    #[command(flatten)]
    pub files: GlobalArgs,
    /// Only watch: the dashboard sends no request and changes nothing
    #[arg(long)]
    pub read_only: bool,
    /// The command; `None` opens the dashboard.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

/// The subcommands; each is described in its own module. Only the one that is run is built.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[expect(missing_docs, reason = "the texts of --help are in each command's module")]
pub enum CliCommand {
    List(list::ListArgs),
    Status(status::StatusArgs),
    Login(login::LoginArgs),
    Import(import::ImportArgs),
    Logout(logout::LogoutArgs),
    Refresh(refresh::RefreshArgs),
    Test(test::TestArgs),
    Token(token::TokenArgs),
    Exec(exec::ExecArgs),
    #[cfg(unix)]
    Curl(curl::CurlArgs),
    Rescue(rescue::RescueArgs),
    Rename(rename::RenameArgs),
    Log(log::LogArgs),
    Add(add::AddArgs),
    Remove(remove::RemoveArgs),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Keepalive(keepalive::KeepaliveArgs),
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    Doctor(doctor::DoctorArgs),
    #[command(subcommand)]
    Store(migrate::StoreCommand),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl CliCommand {
    /// Runs the command. Each future is boxed: it takes only the memory it needs, not that of the
    /// largest.
    ///
    /// # Errors
    /// A [`CliError`](crate::cli::support::exit::CliError) for an expected failure; anything else is a bug.
    pub(super) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        match self {
            Self::List(args) => Box::pin(args.run(files)).await,
            Self::Status(args) => Box::pin(args.run(files)).await,
            Self::Login(args) => Box::pin(args.run(files)).await,
            Self::Import(args) => Box::pin(args.run(files)).await,
            Self::Logout(args) => Box::pin(args.run(files)).await,
            Self::Refresh(args) => Box::pin(args.run(files)).await,
            Self::Test(args) => Box::pin(args.run(files)).await,
            Self::Token(args) => Box::pin(args.run(files)).await,
            Self::Exec(args) => Box::pin(args.run(files)).await,
            #[cfg(unix)]
            Self::Curl(args) => Box::pin(args.run(files)).await,
            Self::Rescue(args) => Box::pin(args.run(files)).await,
            Self::Rename(args) => Box::pin(args.run(files)).await,
            Self::Log(args) => Box::pin(args.run(files)).await,
            Self::Add(args) => Box::pin(args.run(files)).await,
            Self::Remove(args) => Box::pin(args.run(files)).await,
            Self::Config(command) => command.run(files),
            Self::Keepalive(args) => Box::pin(args.run(files)).await,
            Self::Secret(command) => Box::pin(command.run(files)).await,
            Self::Doctor(args) => Box::pin(args.run(files)).await,
            Self::Store(command) => Box::pin(command.run(files)).await,
            Self::Demo(args) => Box::pin(args.run(files)).await,
            Self::Completions(args) => args.run(),
            Self::Man(args) => args.run(Cli::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Cli;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_for_files_stand_before_or_after_a_subcommand() {
        for line in [["manutop", "--config", "a", "list"], ["manutop", "list", "--config", "a"]] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.files.config.unwrap().to_str(), Some("a"));
        }
    }

    #[test]
    fn read_only_is_an_option_of_the_dashboard_alone() {
        assert!(Cli::try_parse_from(["manutop", "--read-only"]).unwrap().read_only);
        assert!(Cli::try_parse_from(["manutop", "list", "--read-only"]).is_err());
    }

    #[test]
    fn refresh_takes_a_name_or_all_and_not_both() {
        assert!(Cli::try_parse_from(["manutop", "refresh"]).is_err());
        assert!(Cli::try_parse_from(["manutop", "refresh", "a", "--all"]).is_err());
        assert!(Cli::try_parse_from(["manutop", "refresh", "--all", "--force"]).is_ok());
    }
}
