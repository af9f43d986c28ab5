//! `manutop secret set` and `manutop secret rm`.

use std::io::{self, IsTerminal, Read};

use color_eyre::eyre::Report;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::exit::{Exit, Stop};
use super::session::Session;
use crate::domain::{ConnectionName, Secret, SecretSource};

/// The longest client secret taken, in bytes.
const MAX: u64 = 16 * 1024;

/// Reads a client secret from a hidden prompt, or from standard input where that is no terminal.
pub(super) async fn set(session: &Session, name: &ConnectionName) -> Result<Exit, Report> {
    if let SecretSource::Command(_) = session.connection(name)?.client_secret {
        let message = format!(
            "{name} takes its client secret from client_secret_command; remove that key from the configuration first"
        );
        return Err(Stop::new(Exit::Usage, message).into());
    }
    // Asked first: nobody should type a secret that cannot be kept.
    session.vault.probe().await.map_err(Stop::from)?;
    let text = if io::stdin().is_terminal() {
        prompt(name)?
    } else {
        let mut text = String::new();
        io::stdin().take(MAX + 1).read_to_string(&mut text)?;
        text
    };
    let secret = check(&Secret::new(text))?;
    session.vault.set_client_secret(name, &secret).await.map_err(Stop::from)?;
    eprintln!("manutop: the client secret of {name} is stored");
    Ok(Exit::Ok)
}

/// Asks on the terminal. Nothing typed is shown, from before the prompt is: whoever pastes at
/// once, or lets a script type, would else see what came before the prompt's own silence.
fn prompt(name: &ConnectionName) -> io::Result<String> {
    enable_raw_mode()?;
    let text = rpassword::prompt_password(format!("Client secret of {name}: "));
    disable_raw_mode()?;
    // The line break after the secret was written while the terminal took it literally.
    eprint!("\r");
    text
}

/// Removes a client secret.
pub(super) async fn remove(session: &Session, name: &ConnectionName) -> Result<Exit, Report> {
    let existed = session.vault.remove_client_secret(name).await.map_err(Stop::from)?;
    if !existed {
        return Err(Stop::new(Exit::Failed, format!("there was no client secret of {name}")).into());
    }
    eprintln!("manutop: the client secret of {name} is removed");
    Ok(Exit::Ok)
}

/// One line, not empty, nothing a store could break on.
fn check(text: &Secret) -> Result<Secret, Stop> {
    let line = text.expose().trim_end_matches(['\r', '\n']).trim();
    let refuse = |why: &str| Err(Stop::new(Exit::Usage, format!("the client secret {why}; nothing was stored")));
    if line.is_empty() {
        return refuse("is empty");
    }
    if line.len() as u64 > MAX {
        return refuse("is too long");
    }
    if line.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return refuse("holds a line break or a character that is not printable ASCII");
    }
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::{Secret, check};

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
