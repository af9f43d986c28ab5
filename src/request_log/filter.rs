//! What of the request log is shown: words, and two switches.
//!
//! A word is searched for in everything a row shows, ignoring case, and all words must be found. `@name` means that
//! connection, `4xx` and `429` a class of HTTP status and one status, `error` failed requests. Anything else that
//! resembles these is plain text.

use crate::domain::text::contains;
use crate::domain::{Brief, ConnectionName, LogSummary};
use crate::request_log::words::purpose;

/// Decides which entries are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
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
    /// The syntax in short, shown in the empty field.
    pub const HINT: &'static str = "words @name 4xx 429 error";

    /// A filter with these words and both switches off.
    #[must_use]
    pub fn of_words(words: &str) -> Self {
        Self { terms: words.split_whitespace().map(Term::of).collect(), ..Self::default() }
    }

    /// Replaces the words and keeps the switches.
    pub fn set_words(&mut self, words: &str) {
        self.terms = Self::of_words(words).terms;
    }

    /// Whether only failed requests pass.
    #[must_use]
    pub fn errors(&self) -> bool {
        self.errors
    }

    /// The connection whose requests alone pass, if there is one.
    #[must_use]
    pub fn only(&self) -> Option<&ConnectionName> {
        self.only.as_ref()
    }

    /// Whether it hides anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        *self != Self::default()
    }

    /// Turns "failed requests only" on or off.
    pub fn toggle_errors(&mut self) {
        self.errors = !self.errors;
    }

    /// Restricts it to one connection, or to none.
    pub fn set_only(&mut self, connection: Option<ConnectionName>) {
        self.only = connection;
    }

    /// Whether an entry passes.
    #[must_use]
    pub fn passes<'a>(&self, entry: impl Into<Brief<'a>>) -> bool {
        let entry = entry.into();
        (!self.errors || !entry.is_ok())
            && self.only.as_ref().is_none_or(|only| only.as_str() == entry.connection)
            && self.terms.iter().all(|term| term.finds(&entry))
    }

    /// Whether any of the summarised entries may pass.
    #[must_use]
    pub fn may_pass(&self, summary: &LogSummary) -> bool {
        (!self.errors || summary.failed > 0)
            && self.only.as_ref().is_none_or(|only| summary.connections.may_have(|name| name == only.as_str()))
            && self.terms.iter().all(|term| term.may_be_in(summary))
    }

    /// How many of the summarised entries pass, if the summary can answer that.
    #[must_use]
    pub fn count(&self, summary: &LogSummary) -> Option<u64> {
        if !self.may_pass(summary) {
            return Some(0);
        }
        let only_failures = self.only.is_none() && self.terms.iter().all(|term| *term == Term::Failed);
        only_failures.then_some(if self.is_active() { summary.failed } else { summary.entries })
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

    fn finds(&self, entry: &Brief<'_>) -> bool {
        match self {
            Self::Connection(name) => entry.connection.eq_ignore_ascii_case(name),
            Self::Class(class) => entry.outcome.is_ok_and(|status| status / 100 == *class),
            Self::Status(wanted) => entry.outcome == Ok(*wanted),
            Self::Failed => !entry.is_ok(),
            Self::Text(text) => is_in(entry, text),
        }
    }

    fn may_be_in(&self, summary: &LogSummary) -> bool {
        match self {
            Self::Connection(name) => summary.connections.may_have(|other| other.eq_ignore_ascii_case(name)),
            Self::Class(class) => summary.statuses.iter().any(|status| status / 100 == *class),
            Self::Status(wanted) => summary.statuses.contains(wanted),
            Self::Failed => summary.failed > 0,
            Self::Text(text) => {
                [&summary.connections, &summary.targets, &summary.errors]
                    .iter()
                    .any(|texts| texts.may_have(|other| contains(other, text)))
                    || summary.exchanges.iter().any(|exchange| contains(purpose(*exchange), text))
                    || summary.statuses.iter().any(|status| is_in_status(*status, text))
            }
        }
    }
}

fn is_in(entry: &Brief<'_>, text: &str) -> bool {
    let outcome = match entry.outcome {
        Err(word) => contains(word, text),
        Ok(status) => is_in_status(status, text),
    };
    outcome
        || contains(entry.connection, text)
        || contains(entry.method, text)
        || contains(entry.host, text)
        || contains(entry.path, text)
        || contains(purpose(entry.exchange), text)
        || entry.oauth_error.is_some_and(|error| contains(error, text))
}

fn is_in_status(status: u16, text: &str) -> bool {
    // It is written out only for a word that could be part of one.
    text.bytes().all(|b| b.is_ascii_digit()) && contains(&status.to_string(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_log::fixtures::log;

    #[test]
    fn a_summary_never_denies_what_would_pass_and_counts_only_what_it_knows() {
        let entries = log();
        let mut briefs = entries.iter().map(Brief::from);
        let mut summary = LogSummary::of(&briefs.next().unwrap());
        briefs.for_each(|entry| summary.add(&entry));
        for (words, count) in [
            ("", Some(14)),
            ("error", Some(2)),
            ("@unknown", Some(0)),
            ("@FACTORY", None),
            ("5xx", Some(0)),
            ("4xx", None),
            ("429", Some(0)),
            ("40", None),
            ("47", Some(0)),
            ("oauth", None),
            ("test", None),
            ("timeout", None),
            ("invalid_grant", None),
            ("nothing like this", Some(0)),
            ("error timeout", None),
        ] {
            let filter = LogFilter::of_words(words);
            assert_eq!(filter.count(&summary), count, "{words}");
            assert!(filter.may_pass(&summary) || !entries.iter().any(|entry| filter.passes(entry)), "{words}");
        }
    }
}
