//! The command line: what can be said, and the words of `--help`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::StoreKind;
use crate::domain::{ConnectionName, ThemeName};

/// Keeps OAuth connections to Manu Online and Manus alive, and shows them.
#[derive(Debug, Parser)]
#[command(
    name = "manutop",
    version,
    about,
    after_help = "Without a command the dashboard opens. Press ? in it for its keys.\n\
                  `manutop demo` shows it on embedded demo providers, with nothing to set up."
)]
pub struct Cli {
    /// Where the files are.
    #[command(flatten)]
    pub files: Files,
    /// What to do; the dashboard where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that stand before or after a subcommand.
#[derive(Debug, Args)]
pub struct Files {
    /// Configuration file (default: config.toml in the platform's configuration directory)
    #[arg(long, global = true, value_name = "FILE", env = "MANUTOP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of journals, locks and the request log (default: the platform's data directory)
    #[arg(long, global = true, value_name = "DIR", env = "MANUTOP_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Draw the dashboard with ASCII characters only (chosen by itself where the locale is not UTF-8)
    #[arg(long, global = true)]
    pub ascii: bool,
    /// How the dashboard looks: auto, dark, light, high-contrast, colour-blind, 16 or none
    #[arg(long, global = true, value_name = "THEME", env = "MANUTOP_THEME")]
    pub theme: Option<ThemeName>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the connections and their state; sends nothing
    List {
        /// As JSON; with --watch one object a line
        #[arg(long)]
        json: bool,
        /// Stay, and print a line for each change until Ctrl-C: plain text, for screen readers and logs
        #[arg(long)]
        watch: bool,
    },
    /// Log in: in a browser, or by minting the first token
    Login {
        /// Which connection
        name: ConnectionName,
        /// Start no browser; only print the URL
        #[arg(long)]
        no_browser: bool,
        /// Print the URL as a QR code too, for a browser on another device
        #[arg(long)]
        qr: bool,
    },
    /// Get new access tokens, where the present ones are due
    Refresh {
        /// Which connection
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<ConnectionName>,
        /// Every connection that has tokens
        #[arg(long)]
        all: bool,
        /// Even while the present token is fresh
        #[arg(long)]
        force: bool,
    },
    /// Print a valid access token, alone; refreshes it if under 60 s are left
    Token {
        /// Which connection
        name: ConnectionName,
    },
    /// Set or remove client secrets; they are never in the configuration file
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Check configuration, directories, secret store, tokens, clocks, browser, clipboard, terminal
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Move tokens and client secrets between keyring and encrypted files
    #[command(subcommand)]
    Store(StoreCommand),
    /// Show the dashboard on embedded demo providers, with nothing to set up
    Demo {
        /// Only serve the demo providers, and print a configuration for them
        #[arg(long)]
        serve: bool,
        /// Take a guided tour: a panel says what to look at and which key to press
        #[arg(long, conflicts_with = "serve")]
        tour: bool,
        /// Port of Manu Online's demo server; Manus's is the next one (default: free ones)
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65534))]
        port: Option<u16>,
    },
}

/// What can be done with client secrets.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Store a connection's client secret, read from a hidden prompt or standard input
    Set {
        /// Which connection
        name: ConnectionName,
    },
    /// Remove a connection's client secret
    Rm {
        /// Which connection
        name: ConnectionName,
    },
}

/// What can be done with stores.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Move everything, then make the configuration name the new store; again, to finish a move
    Migrate {
        /// Where to
        #[arg(long)]
        to: StoreName,
    },
}

/// A store, as it is named on the command line and in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreName {
    /// The desktop's keyring
    Keyring,
    /// Encrypted files in the data directory
    File,
}

impl From<StoreName> for StoreKind {
    fn from(name: StoreName) -> Self {
        match name {
            StoreName::Keyring => Self::Keyring,
            StoreName::File => Self::File,
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
    fn refresh_takes_a_name_or_all_and_not_both() {
        assert!(Cli::try_parse_from(["manutop", "refresh"]).is_err());
        assert!(Cli::try_parse_from(["manutop", "refresh", "a", "--all"]).is_err());
        assert!(Cli::try_parse_from(["manutop", "refresh", "--all", "--force"]).is_ok());
    }
}
