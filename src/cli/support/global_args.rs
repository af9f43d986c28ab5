//! The options that every command has: where the files are, and how the dashboard looks.

use std::path::PathBuf;

use clap::Args;
use clap::builder::ValueHint;

use crate::domain::ThemeName;

/// Where the help of a command shows what every command has.
const GLOBAL: &str = "Global options";

/// Options that stand before or after a subcommand.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Configuration file (default: config.toml in the platform's configuration directory)
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "MANUTOP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of journals, locks and the request log (default: the platform's data directory)
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR", env = "MANUTOP_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Draw the dashboard with ASCII characters only (chosen by itself where the locale is not UTF-8)
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub ascii: bool,
    /// How the dashboard looks: auto, dark, light, high-contrast, colour-blind, 16 or none
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "THEME", env = "MANUTOP_THEME")]
    pub theme: Option<ThemeName>,
}
