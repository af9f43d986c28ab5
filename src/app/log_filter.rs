//! What of the request log is shown: words typed into its filter, and two switches.
//!
//! The language is small. Words are looked for in what a row shows, letters in either case; all of
//! them must be found. `@name` is that connection alone, `4xx` and `429` a class of HTTP status and
//! one of them, `error` what failed. A word that only resembles one of these is looked for as text.

use super::finder::contains;
use super::{Field, request};
use crate::domain::{ConnectionName, LogEntry, Outcome};

/// What passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    field: Field,
    terms: Vec<Term>,
    errors: bool,
    only: Option<ConnectionName>,
}

/// One word of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Connection(String),
    /// The first digit of an HTTP status.
    Class(u16),
    Status(u16),
    Failed,
    Text(String),
}

impl LogFilter {
    /// What can be typed, for the empty field.
    pub const HINT: &'static str = "words @name 4xx 429 error";

    /// The filter as it is typed.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// Whether only what failed passes.
    #[must_use]
    pub fn errors(&self) -> bool {
        self.errors
    }

    /// The only connection whose requests pass, where there is but one.
    #[must_use]
    pub fn only(&self) -> Option<&ConnectionName> {
        self.only.as_ref()
    }

    /// Whether it holds anything back.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.terms.is_empty() || self.errors || self.only.is_some()
    }

    /// Changes the text.
    pub fn edit(&mut self, change: impl FnOnce(&mut Field)) {
        change(&mut self.field);
        self.terms = self.field.text().split_whitespace().map(Term::of).collect();
    }

    /// Lets only what failed pass, or everything again.
    pub fn toggle_errors(&mut self) {
        self.errors = !self.errors;
    }

    /// Lets only this connection's requests pass, or everybody's.
    pub fn set_only(&mut self, connection: Option<ConnectionName>) {
        self.only = connection;
    }

    /// Whether the same passes both.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        (&self.terms, self.errors, &self.only) == (&other.terms, other.errors, &other.only)
    }

    /// Whether an entry passes.
    #[must_use]
    pub fn passes(&self, entry: &LogEntry) -> bool {
        (!self.errors || !entry.is_ok())
            && self.only.as_ref().is_none_or(|only| *only == entry.connection)
            && self.terms.iter().all(|term| term.finds(entry))
    }
}

impl Term {
    fn of(word: &str) -> Self {
        if let Some(name) = word.strip_prefix('@').filter(|name| !name.is_empty()) {
            return Self::Connection(name.to_owned());
        }
        if word.eq_ignore_ascii_case("error") {
            return Self::Failed;
        }
        if let [first @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] = *word.as_bytes() {
            return Self::Class(u16::from(first - b'0'));
        }
        match word.parse() {
            Ok(status @ 100..=599) if word.len() == 3 => Self::Status(status),
            _ => Self::Text(word.to_owned()),
        }
    }

    fn finds(&self, entry: &LogEntry) -> bool {
        match self {
            Self::Connection(name) => entry.connection.as_str().eq_ignore_ascii_case(name),
            Self::Class(class) => matches!(entry.outcome, Outcome::Status(status) if status / 100 == *class),
            Self::Status(wanted) => matches!(entry.outcome, Outcome::Status(status) if status == *wanted),
            Self::Failed => !entry.is_ok(),
            Self::Text(text) => is_in(entry, text),
        }
    }
}

fn is_in(entry: &LogEntry, text: &str) -> bool {
    let outcome = match &entry.outcome {
        Outcome::Error(word) => contains(word, text),
        // A status is written out only for a word that could be part of one.
        Outcome::Status(status) => text.bytes().all(|b| b.is_ascii_digit()) && contains(&status.to_string(), text),
    };
    outcome
        || contains(entry.connection.as_str(), text)
        || contains(&entry.method, text)
        || contains(&entry.host, text)
        || contains(&entry.path, text)
        || contains(request::purpose(entry.exchange), text)
        || entry.oauth_error.as_deref().is_some_and(|error| contains(error, text))
}
