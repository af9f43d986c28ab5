//! What can be wrong with a configuration, in words that say where and what to do.
//!
//! Invariant: messages are made from keys and positions. The TOML parser's own display quotes
//! the source line, which may hold a secret in the wrong place, and is therefore never used.

use std::fmt::Write;
use std::path::PathBuf;
use std::{fmt, io};

use thiserror::Error;

use crate::config::text::{line_at, names_a_secret, position};
use crate::config::{KEYS, MAX_FILE_SIZE, fields};
use crate::trust::Untrusted;

/// Why there is no configuration to work with.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file exists but cannot be read.
    #[error("{}: the configuration cannot be read: {source}; check its permissions, or use another with --config", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be changed.
    #[error("{}: the configuration cannot be changed: {source}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said, or what prevents it.
        source: io::Error,
    },
    /// The file is larger than [`MAX_FILE_SIZE`].
    #[error("{}: larger than {MAX_FILE_SIZE} bytes, too large for a configuration; use another with --config", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The file is not UTF-8.
    #[error("{}:{line}:{column}: not UTF-8, which TOML must be; save the file as UTF-8", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The line of the first byte that is wrong, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// Other users could change the file.
    #[error("{}", .0.with_advice())]
    Untrusted(#[from] Untrusted),
    /// The file has faults.
    #[error("{}", list(file, faults))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// All that were found, in the order of the file; never empty.
        faults: Vec<ConfigFault>,
    },
    /// The user has no home directory to look for the files in.
    #[error("no home directory is known; set the files with --config and --data-dir")]
    NoHome,
    /// A path given as an option cannot be made absolute.
    #[error("{}: not a usable path: {source}", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFault {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The key, and whose it is; empty where no key could be made out.
    pub key: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// One fault a line, each as `file:line:column: key: what`, which editors and terminals can follow.
fn list(file: &std::path::Path, faults: &[ConfigFault]) -> String {
    let mut lines = String::new();
    for (at, fault) in faults.iter().enumerate() {
        let newline = if at == 0 { "" } else { "\n" };
        let _ = write!(lines, "{newline}{}:{fault}", file.display());
    }
    lines
}

/// What is said of a key whose value must not be in the file.
pub(super) fn secret_in_file(connection: Option<&str>) -> String {
    let name = connection.map_or("NAME", |quoted| quoted.trim_matches('"'));
    format!(
        "secrets are never kept in this file; remove the line, then store the client secret with: \
         manutop secret set {name} (or name a program that prints it: client_secret_command)"
    )
}

/// The parser's complaints, one a line of the file at most: later ones follow from the first.
pub(super) fn syntax_faults(text: &str, errors: &[toml::de::Error]) -> Vec<ConfigFault> {
    let mut faults: Vec<ConfigFault> = errors.iter().map(|error| syntax_fault(text, error)).collect();
    faults.sort();
    faults.dedup_by_key(|fault| fault.line);
    faults
}

fn syntax_fault(text: &str, error: &toml::de::Error) -> ConfigFault {
    let offset = error.span().map_or(0, |span| span.start);
    let (line, column) = position(text, offset);
    let word = line_at(text, offset).split('=').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    // Only words that are known are repeated: what stands on a broken line may be anything.
    let known = KEYS.iter().chain(fields::KEYS).find(|key| **key == word);
    let secret = known.is_none() && names_a_secret(word);
    let key = known.map_or(if secret { "secret" } else { "" }, |key| key);
    let what = if secret { secret_in_file(None) } else { format!("not valid TOML: {}", error.message()) };
    ConfigFault { line, column, key: key.to_owned(), what }
}
