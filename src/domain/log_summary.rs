//! A short summary of a finished part of the request log, so that a search can skip it.
//!
//! Invariant: a summary never denies what is there. A list that would get too long is dropped, and then anything may be
//! there.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::log::Exchange;
use crate::domain::log_brief::Brief;

/// The most distinct texts in a list, and the most bytes of them together.
const MOST_TEXTS: usize = 256;
const MOST_BYTES: usize = 4096;

/// What a part of the log holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// How many entries.
    pub entries: u64,
    /// How many of them failed.
    pub failed: u64,
    /// When the earliest of them was sent.
    pub from: DateTime<Utc>,
    /// When the latest was.
    pub to: DateTime<Utc>,
    /// What they were for.
    pub exchanges: Vec<Exchange>,
    /// The HTTP statuses.
    pub statuses: BTreeSet<u16>,
    /// Whose they were.
    pub connections: TextSet,
    /// Methods, hosts and paths.
    pub targets: TextSet,
    /// Words for failures without a status, and OAuth error codes.
    pub errors: TextSet,
}

/// Distinct texts; `None` if there are too many to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextSet(Option<BTreeSet<String>>);

impl TextSet {
    /// Whether there may be a matching text.
    pub fn may_have(&self, is_so: impl FnMut(&str) -> bool) -> bool {
        self.0.as_ref().is_none_or(|texts| texts.iter().map(String::as_str).any(is_so))
    }

    fn add(&mut self, text: &str) {
        let Some(texts) = &mut self.0 else { return };
        if texts.contains(text) {
            return;
        }
        texts.insert(text.to_owned());
        if texts.len() > MOST_TEXTS || texts.iter().map(String::len).sum::<usize>() > MOST_BYTES {
            self.0 = None;
        }
    }
}

impl LogSummary {
    /// The summary of one entry, to which others are added.
    #[must_use]
    pub fn of(first: &Brief<'_>) -> Self {
        let none = || TextSet(Some(BTreeSet::new()));
        let mut summary = Self {
            entries: 0,
            failed: 0,
            from: first.at,
            to: first.at,
            exchanges: Vec::new(),
            statuses: BTreeSet::new(),
            connections: none(),
            targets: none(),
            errors: none(),
        };
        summary.add(first);
        summary
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: &Brief<'_>) {
        self.entries += 1;
        self.failed += u64::from(!entry.is_ok());
        self.from = self.from.min(entry.at);
        self.to = self.to.max(entry.at);
        if !self.exchanges.contains(&entry.exchange) {
            self.exchanges.push(entry.exchange);
        }
        self.connections.add(entry.connection);
        for text in [entry.method, entry.host, entry.path] {
            self.targets.add(text);
        }
        match entry.outcome {
            Ok(status) => {
                self.statuses.insert(status);
            }
            Err(word) => self.errors.add(word),
        }
        if let Some(error) = entry.oauth_error {
            self.errors.add(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TextSet;

    #[test]
    fn a_list_that_gets_too_long_denies_nothing() {
        let mut texts = TextSet(Some(BTreeSet::new()));
        texts.add("factory");
        assert!(texts.may_have(|text| text == "factory") && !texts.may_have(|text| text == "hr"));
        for number in 0..300 {
            texts.add(&number.to_string());
        }
        assert!(texts.may_have(|text| text == "hr"));
    }
}
