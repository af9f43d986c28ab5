//! What of the request log is shown: words typed into its filter, and two switches.
//!
//! The language is small. Words are looked for in what a row shows, letters in either case; all of
//! them must be found. `@name` is that connection alone, `4xx` and `429` a class of HTTP status and
//! one of them, `error` what failed. A word that only resembles one of these is looked for as text.

use crate::dashboard::fuzzy::contains;
use crate::dashboard::request_log::request;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{Brief, ConnectionName, LogSummary};

/// What passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    field: TextField,
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
    pub fn field(&self) -> &TextField {
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
    pub fn edit(&mut self, change: impl FnOnce(&mut TextField)) {
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
    pub fn passes<'a>(&self, entry: impl Into<Brief<'a>>) -> bool {
        let entry = entry.into();
        (!self.errors || !entry.is_ok())
            && self.only.as_ref().is_none_or(|only| only.as_str() == entry.connection)
            && self.terms.iter().all(|term| term.finds(&entry))
    }

    /// Whether any of the entries that a summary tells of may pass.
    #[must_use]
    pub fn may_pass(&self, summary: &LogSummary) -> bool {
        (!self.errors || summary.failed > 0)
            && self.only.as_ref().is_none_or(|only| summary.connections.may_have(|name| name == only.as_str()))
            && self.terms.iter().all(|term| term.may_be_in(summary))
    }

    /// How many of them pass, where the summary tells as much.
    #[must_use]
    pub fn count(&self, summary: &LogSummary) -> Option<u64> {
        if !self.may_pass(summary) {
            return Some(0);
        }
        let asks_for_failures_alone = self.only.is_none() && self.terms.iter().all(|term| *term == Term::Failed);
        asks_for_failures_alone.then_some(if self.is_active() { summary.failed } else { summary.entries })
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
                    || summary.exchanges.iter().any(|exchange| contains(request::purpose(*exchange), text))
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
        || contains(request::purpose(entry.exchange), text)
        || entry.oauth_error.is_some_and(|error| contains(error, text))
}

fn is_in_status(status: u16, text: &str) -> bool {
    // It is written out only for a word that could be part of one.
    text.bytes().all(|b| b.is_ascii_digit()) && contains(&status.to_string(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::log;

    #[test]
    fn a_summary_never_denies_what_would_pass_and_counts_only_what_it_knows() {
        let entries = log();
        let mut briefs = entries.iter().map(Brief::from);
        let mut summary = LogSummary::of(&briefs.next().unwrap());
        briefs.for_each(|entry| summary.add(&entry));
        for (words, count) in [
            ("", Some(14)),
            ("error", Some(2)),
            ("@nobody", Some(0)),
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
            let mut filter = LogFilter::default();
            filter.edit(|field| field.push(words));
            assert_eq!(filter.count(&summary), count, "{words}");
            assert!(filter.may_pass(&summary) || !entries.iter().any(|entry| filter.passes(entry)), "{words}");
        }
    }
}
