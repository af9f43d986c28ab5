//! A program of the user's on a key of the dashboard, as the configuration describes it.

use std::time::Duration;

use crate::domain::{Connection, ConnectionName, Written};

/// What an argument can be made of, in braces.
pub const PLACEHOLDERS: [&str; 4] = ["connection", "provider", "test_url", "api_url"];

/// A table of `[[commands]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCommand {
    /// Its key, not checked yet: the dashboard's keymap knows which are free.
    pub key: Written,
    /// Its name, for footer, commands and messages.
    pub name: String,
    /// The program and its arguments, with placeholders.
    pub argv: Vec<String>,
    /// Whether it gets the access token, in its environment.
    pub gets_access_token: bool,
    /// Where it runs.
    pub terminal: CommandTerminal,
}

/// Where a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandTerminal {
    /// Beside the dashboard, for at most so long. Its last line is shown.
    Background(Duration),
    /// In the terminal, which the dashboard leaves until it ends.
    Foreground,
}

/// A command that a person asked for, ready to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRun {
    /// The name of the command.
    pub name: String,
    /// The connection that was selected.
    pub connection: ConnectionName,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Whether it gets the access token.
    pub gets_access_token: bool,
    /// Where it runs.
    pub terminal: CommandTerminal,
}

impl OwnCommand {
    /// The command for a connection.
    #[must_use]
    pub fn of(&self, connection: &Connection) -> ProgramRun {
        ProgramRun {
            name: self.name.clone(),
            connection: connection.name.clone(),
            words: self.argv.iter().map(|word| filled(word, connection)).collect(),
            gets_access_token: self.gets_access_token,
            terminal: self.terminal,
        }
    }
}

/// The names in braces of an argument: lower-case letters and `_`. Other braces mean themselves.
pub fn placeholders(word: &str) -> impl Iterator<Item = &str> {
    parts(word).filter_map(|(_, name)| name)
}

fn filled(word: &str, connection: &Connection) -> String {
    let value = |name| match name {
        "connection" => connection.name.to_string(),
        "provider" => connection.provider.id.to_owned(),
        "test_url" => connection.test_url.to_string(),
        "api_url" => connection.test_url.origin().ascii_serialization(),
        other => format!("{{{other}}}"),
    };
    parts(word).fold(String::new(), |filled, (text, name)| filled + text + &name.map(value).unwrap_or_default())
}

/// Text and the placeholder behind it; the last has none.
fn parts(word: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(word);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let mut opened = text.match_indices('{').filter_map(|(at, _)| {
            let (name, after) = text[at + 1..].split_once('}')?;
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            is_name.then_some((at, name, after))
        });
        match opened.next() {
            Some((at, name, after)) => {
                rest = Some(after);
                Some((&text[..at], Some(name)))
            }
            None => Some((text, None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{parts, placeholders};

    #[test]
    fn only_names_in_braces_are_placeholders() {
        for (word, names) in [
            ("{connection}", &["connection"][..]),
            ("--to={connection}@{provider}.log", &["connection", "provider"]),
            (r#"{"name": "{connection}"}"#, &["connection"]),
            ("{print $1}", &[]),
            ("{}", &[]),
            ("{{connection}", &["connection"]),
            ("{connection", &[]),
            ("", &[]),
        ] {
            assert_eq!(placeholders(word).collect::<Vec<_>>(), names, "{word}");
        }
        assert_eq!(parts("a{b}c").collect::<Vec<_>>(), [("a", Some("b")), ("c", None)]);
    }
}
