//! `manutop config check`: everything that is wrong with the configuration file, its keys included.

use std::io;
use std::io::Write as _;
use std::path::Path;

use eyre::Report;
use serde_json::{Value, json};

use crate::cli::support::exit::Exit;
use crate::cli::support::json;
use crate::cli::support::stderr::message;
use crate::config;
use crate::config::{Config, ConfigError, Copies};
use crate::dashboard_loop::appearance::keymap;
use crate::oauth::providers;

/// Prints what is wrong; the exit code says whether anything is.
pub(crate) fn run(file: &Path, as_json: bool) -> Result<Exit, Report> {
    let read = config::read(file);
    let exists = !matches!(read, Ok(None));
    let checked = read.and_then(|text| checked(&text.unwrap_or_default(), file));
    if let Some(copies) = config::interrupted(file) {
        message!("{}", cut_off(file, &copies));
    }
    if as_json {
        let connections = checked.as_ref().ok().map(|config| config.connections.len());
        let faults = checked.as_ref().err().map(faults).unwrap_or_default();
        let file = file.to_string_lossy();
        json::print(json!({ "config_file": file, "exists": exists, "connections": connections, "faults": faults }))?;
    } else {
        match &checked {
            Ok(_) if !exists => message!("{} does not exist; manutop config edit makes it", file.display()),
            Ok(config) => {
                let count = config.connections.len();
                writeln!(io::stdout(), "{} is valid; connections: {count}", file.display())?;
            }
            Err(error) => writeln!(io::stdout(), "{error}")?,
        }
    }
    Ok(if checked.is_ok() { Exit::Ok } else { Exit::Usage })
}

/// What is said of a file whose writer was killed.
pub(in crate::cli) fn cut_off(file: &Path, copies: &Copies) -> String {
    let (file, before, after) = (file.display(), copies.before.display(), copies.after.display());
    format!(
        "{file} was only half written when manutop was killed; it is read as {after}. To finish it: cp {after} {file}; \
         to go back: cp {before} {file}"
    )
}

/// The configuration that a text means; `file` is only named in errors.
///
/// # Errors
/// All that is wrong with it, the dashboard's keys included, in the order of the file.
pub(crate) fn checked(text: &str, file: &Path) -> Result<Config, ConfigError> {
    let parsed = config::parse(text, file, providers::ALL);
    let (keys, commands) = config::keys_in(text);
    let bound = keymap(&keys, &commands, file);
    match (parsed, bound) {
        (Err(ConfigError::Invalid { file, mut faults }), Err(ConfigError::Invalid { faults: faults_of_keys, .. })) => {
            faults.extend(faults_of_keys);
            faults.sort();
            Err(ConfigError::Invalid { file, faults })
        }
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(config), Ok(_)) => Ok(config),
    }
}

/// One object for each fault; one that has no place in the file has null for it.
fn faults(error: &ConfigError) -> Vec<Value> {
    match error {
        ConfigError::Invalid { faults, .. } => faults
            .iter()
            .map(|fault| {
                let key = (!fault.key.is_empty()).then_some(&fault.key);
                json!({ "line": fault.line, "column": fault.column, "key": key, "what": fault.what })
            })
            .collect(),
        ConfigError::NotUtf8 { line, column, .. } => {
            vec![json!({ "line": line, "column": column, "key": null, "what": error.to_string() })]
        }
        error => vec![json!({ "line": null, "column": null, "key": null, "what": error.to_string() })],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faulty_keys_and_other_faults_are_reported_together_in_the_order_of_the_file() {
        let text = "[keys.main]\nfly = [\"x\"]\n[[connections]]\nname = \"a\"\nprovider = \"manus\"\n[keys.nowhere]\n";
        let error = checked(text, Path::new("c.toml")).unwrap_err();
        let lines: Vec<_> = faults(&error).iter().map(|fault| fault["line"].as_u64()).collect();
        assert_eq!(lines, [Some(2), Some(3)], "{error}");
        assert!(checked("not toml", Path::new("c.toml")).is_err());
        assert!(checked("", Path::new("c.toml")).is_ok());
    }
}
