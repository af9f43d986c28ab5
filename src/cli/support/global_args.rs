//! The options of every command: where the files are, and the dashboard's appearance.

use std::path::PathBuf;

use clap::Args;
use clap::builder::ValueHint;

use crate::domain::ThemeName;

/// The heading of these options.
const GLOBAL: &str = "Global options";

/// Options that stand before or after a subcommand.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Configuration file (default: in the platform's configuration directory)
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "MANUTOP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data directory (default: the platform's data directory)
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR", env = "MANUTOP_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Draw the dashboard with ASCII only (default if the locale is not UTF-8)
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub ascii: bool,
    /// Theme: auto, dark, light, high-contrast, colour-blind, 16 or none
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "THEME", env = "MANUTOP_THEME")]
    pub theme: Option<ThemeName>,
}
