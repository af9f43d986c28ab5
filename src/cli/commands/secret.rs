//! `manutop secret set` and `manutop secret rm`.

use std::fmt::Display;
use std::io;
use std::io::IsTerminal;

use eyre::Report;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::prompt;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::domain::{ConnectionName, Secret, SecretSource};

/// The most that is read of standard input, in bytes: more than any client secret has.
const MAX: usize = 16 * 1024;

/// Set or remove client secrets
#[derive(Debug, clap::Subcommand)]
pub enum SecretCommand {
    /// Store a connection's client secret, read from a hidden prompt or standard input
    Set {
        /// Connection name
        name: ConnectionName,
    },
    /// Remove a connection's client secret
    Rm {
        /// Connection name
        name: ConnectionName,
    },
}

impl SecretCommand {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        match self {
            Self::Set { name } => set(&session, &name).await,
            Self::Rm { name } => remove(&session, &name).await,
        }
    }
}

/// Reads a client secret from a hidden prompt, or from standard input where that is no terminal.
async fn set(session: &Session, name: &ConnectionName) -> Result<Exit, Report> {
    if let SecretSource::Command(_) = session.connection(name)?.client_secret {
        let message = format!(
            "{name} takes its client secret from client_secret_command; remove that key from the configuration first"
        );
        return Err(CliError::new(Exit::Usage, message).into());
    }
    // Asked first: no one should type a secret that cannot be kept.
    session.vault.probe().await.map_err(CliError::from)?;
    let text = if io::stdin().is_terminal() {
        typed(format_args!("Client secret of {name}: "))?
    } else {
        from_standard_input()?
    };
    let secret = check(&text)?;
    session.vault.set_client_secret(name, &secret).await.map_err(CliError::from)?;
    message!("the client secret of {name} is stored");
    Ok(Exit::Ok)
}

/// Removes a client secret.
async fn remove(session: &Session, name: &ConnectionName) -> Result<Exit, Report> {
    let existed = session.vault.remove_client_secret(name).await.map_err(CliError::from)?;
    if !existed {
        return Err(CliError::new(Exit::Failed, format!("there was no client secret of {name}")).into());
    }
    message!("the client secret of {name} is removed");
    Ok(Exit::Ok)
}

/// Asks for a client secret, hidden.
pub(crate) fn typed(words: impl Display) -> Result<Secret, CliError> {
    prompt::hidden(words).map_err(|error| CliError::new(Exit::Failed, format!("no client secret was read: {error}")))
}

/// Reads a client secret from standard input, which is piped.
pub(crate) fn from_standard_input() -> Result<Secret, CliError> {
    prompt::piped(MAX).map_err(|error| CliError::new(Exit::Failed, format!("no client secret was read: {error}")))
}

/// One line, not empty, nothing a store could break on.
pub(crate) fn check(text: &Secret) -> Result<Secret, CliError> {
    text.as_client_secret()
        .map_err(|why| CliError::new(Exit::Usage, format!("the client secret {why}; nothing was stored")))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::domain::Secret;

    #[test]
    fn one_printable_line_is_taken_and_trimmed() {
        assert_eq!(check(&Secret::new("s3cret!\r\n")).unwrap().expose(), "s3cret!");
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for text in ["", "\n", "two\nlines", "esc\u{1b}[0m", "pässword", &"x".repeat(20_000)] {
            let error = check(&Secret::new(text)).unwrap_err().to_string();
            assert!(error.ends_with("nothing was stored") && !error.contains("lines\n"), "{error}");
        }
    }
}
