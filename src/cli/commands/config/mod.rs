//! `manutop config`: where the configuration file is, what is wrong with it, and editing it.

pub mod check;
pub mod edit;

use std::io;
use std::io::Write as _;

use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::config::Paths;

/// Print the path of the configuration file, check or edit it
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Print the path of the configuration file
    Path {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration file; report every fault with file, line, column and key
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Edit the configuration file in $VISUAL or $EDITOR; it is replaced only if it has no faults
    Edit,
}

impl ConfigCommand {
    pub(crate) fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let paths = Paths::resolve(files.config.clone(), files.data_dir.clone()).map_err(CliError::from)?;
        match self {
            Self::Path { json } => path(&paths, json),
            Self::Check { json } => check::run(&paths.config_file, json),
            Self::Edit => edit::run(&paths.config_file),
        }
    }
}

fn path(paths: &Paths, as_json: bool) -> Result<Exit, Report> {
    let Paths { config_file, data_dir, .. } = paths;
    if as_json {
        let (file, data_dir) = (config_file.to_string_lossy(), data_dir.to_string_lossy());
        json::print(json!({ "config_file": file, "data_dir": data_dir, "exists": config_file.exists() }))?;
    } else {
        writeln!(io::stdout(), "{}", config_file.display())?;
    }
    Ok(Exit::Ok)
}
