//! `manutop exec`: a program with valid access tokens in its environment.
//!
//! Invariant: the tokens are in no command line, which every user of the machine could read.

use std::collections::HashSet;
use std::ffi::OsString;
use std::process::Command;

use eyre::Report;

use crate::cli::commands::token::Freshness;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::domain::ConnectionName;
use crate::platform::child_process::{ACCESS_TOKEN, OF_SERVICE_MANAGER, replace_by};

/// Run a program with valid access tokens in its environment
///
/// The program replaces manutop: it receives every signal, and its exit code is the one you see.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: manutop exec factory,hr-sync -- ./nightly-import")]
pub struct ExecArgs {
    /// Connection names, separated by commas
    #[arg(required = true, value_delimiter = ',')]
    names: Vec<ConnectionName>,
    /// The variable for the token, once for each connection [default: `MANUTOP_ACCESS_TOKEN`, and for
    /// several connections that with `_` and the name in capitals]
    #[arg(long = "env", value_name = "VAR", value_parser = variable)]
    variables: Vec<String>,
    #[command(flatten)]
    freshness: Freshness,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl ExecArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let variables = self.variables()?;
        let tokens = self.freshness.obtain(files, &self.names).await?;
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        for (variable, token) in variables.iter().zip(&tokens) {
            command.env(variable, token.token.expose());
        }
        // The program may be the service itself, so it keeps the way to the service manager.
        become_program(command, &OF_SERVICE_MANAGER)
    }

    /// The variable for each connection.
    fn variables(&self) -> Result<Vec<String>, CliError> {
        let variables = match (&self.variables[..], &self.names[..]) {
            ([], [_]) => vec![ACCESS_TOKEN.to_owned()],
            ([], names) => names.iter().map(|name| format!("{ACCESS_TOKEN}_{}", in_capitals(name))).collect(),
            (given, names) if given.len() == names.len() => given.to_vec(),
            (given, names) => {
                let message =
                    format!("{} connections and {} variables: give --env once for each", names.len(), given.len());
                return Err(CliError::new(Exit::Usage, message));
            }
        };
        let mut seen = HashSet::new();
        match variables.iter().find(|variable| !seen.insert(*variable)) {
            Some(twice) => Err(CliError::new(
                Exit::Usage,
                format!("two tokens cannot both be in {twice}; name a variable for each with --env"),
            )),
            None => Ok(variables),
        }
    }
}

/// Replaces this program by another, see [`replace_by`].
///
/// # Errors
/// It cannot be started; on Unix success does not return.
pub(crate) fn become_program(mut command: Command, keep: &[&str]) -> Result<Exit, Report> {
    match replace_by(&mut command, keep) {
        // Any number may come of it, and only the program knows what it means.
        Ok(status) => std::process::exit(status.code().unwrap_or(Exit::Failed as i32)),
        Err(error) => {
            let program = command.get_program().display();
            Err(CliError::new(Exit::Failed, format!("{program} cannot be started: {error}")).into())
        }
    }
}

fn in_capitals(name: &ConnectionName) -> String {
    name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// A name that any program can read its environment by (POSIX, Environment Variables).
fn variable(text: &str) -> Result<String, String> {
    let is_good = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("a variable is letters, digits and _, and begins with no digit".into())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ExecArgs,
    }

    fn variables(words: &[&str]) -> Result<Vec<String>, String> {
        let line =
            Line::try_parse_from([&["exec"], words, &["--", "env"]].concat()).map_err(|error| error.to_string())?;
        line.args.variables().map_err(|stop| stop.message)
    }

    #[test]
    fn one_token_has_a_fixed_name_and_several_have_their_connections() {
        assert_eq!(variables(&["factory"]).unwrap(), ["MANUTOP_ACCESS_TOKEN"]);
        assert_eq!(
            variables(&["factory,hr-sync"]).unwrap(),
            ["MANUTOP_ACCESS_TOKEN_FACTORY", "MANUTOP_ACCESS_TOKEN_HR_SYNC"]
        );
        assert_eq!(variables(&["a,b", "--env", "ONE", "--env", "TWO"]).unwrap(), ["ONE", "TWO"]);
    }

    #[test]
    fn no_token_takes_another_one_s_place() {
        assert!(variables(&["a-b,a.b"]).unwrap_err().contains("MANUTOP_ACCESS_TOKEN_A_B"));
        assert!(variables(&["a,b", "--env", "X", "--env", "X"]).unwrap_err().contains("both be in X"));
        assert!(variables(&["a,b", "--env", "X"]).unwrap_err().contains("2 connections and 1 variables"));
        assert!(variables(&["a", "--env", "A=B"]).is_err());
    }
}
