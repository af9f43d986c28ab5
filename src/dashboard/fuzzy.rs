//! Finding by a few letters: what passes a filter, how well, and which letters matched.
//!
//! Every word of the filter must match. A word matches fuzzily in names and titles, where people
//! type a few letters of many; in descriptions and in the few words for providers and statuses, where
//! fuzzy letters would find anything, it must occur as it stands. `is:` names a status and nothing else.

use std::fmt;

use chrono::{DateTime, Utc};
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::domain::text::contains;
use crate::domain::{ConnectionView, Severity, Status};

/// What each letter is worth that occurs in a provider's or a status's word: less than at the
/// beginning of a name, more than letters scattered over one.
const PER_LETTER: u32 = 20;
/// How a word begins that is about the status alone.
const IS: &str = "is:";

/// A filter, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finder {
    text: String,
    words: Vec<SearchWord>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SearchWord {
    /// Anywhere: as it was typed, and as the matcher wants it.
    Any(String, Atom),
    /// What follows `is:`.
    Status(String),
}

impl SearchWord {
    fn new(word: &str) -> Self {
        match word.get(..IS.len()) {
            Some(is) if is.eq_ignore_ascii_case(IS) => Self::Status(word[IS.len()..].replace('-', "_")),
            _ => {
                let atom = Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
                Self::Any(word.to_owned(), atom)
            }
        }
    }
}

impl Finder {
    /// The filter with this text. Any text is one; an empty one lets everything pass.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), words: text.split_whitespace().map(SearchWord::new).collect() }
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What asks it, one after another.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        Search { finder: self, matcher: None, buffer: Vec::new() }
    }
}

/// A filter being asked. It keeps the matcher's memory, so make one for many questions.
pub struct Search<'a> {
    finder: &'a Finder,
    matcher: Option<Matcher>,
    buffer: Vec<char>,
}

impl fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Search").field(&self.finder.text).finish()
    }
}

impl Search<'_> {
    /// How well a connection matches at `now`; none when it does not.
    #[must_use]
    pub fn connection(&mut self, view: &ConnectionView, now: DateTime<Utc>) -> Option<u32> {
        let mut sum = 0;
        for word in &self.finder.words {
            sum += match word {
                SearchWord::Status(start) => is_called(&view.status(now), start).then_some(0)?,
                SearchWord::Any(typed, atom) => {
                    let whole = [view.provider.label, view.provider.title, view.status(now).word()];
                    let occurs = whole.iter().any(|text| contains(text, typed));
                    let worth = occurs.then(|| PER_LETTER * u32::try_from(typed.len()).unwrap_or(0));
                    let names = [Some(view.name.as_str()), view.title.as_deref()].into_iter().flatten();
                    let fuzzy = |text| fuzzy(&mut self.matcher, &mut self.buffer, atom, text, None);
                    names.filter_map(fuzzy).chain(worth).max()?
                }
            };
        }
        Some(sum)
    }

    /// How well something of these names matches, which is described by a text; none when it does not.
    #[must_use]
    pub fn named(&mut self, names: &[&str], text: &str) -> Option<u32> {
        let mut sum = 0;
        for word in &self.finder.words {
            let SearchWord::Any(typed, atom) = word else { return None };
            let occurs = contains(text, typed).then(|| PER_LETTER * u32::try_from(typed.len()).unwrap_or(0));
            let fuzzy = |name: &&str| fuzzy(&mut self.matcher, &mut self.buffer, atom, name, None);
            sum += names.iter().filter_map(fuzzy).chain(occurs).max()?;
        }
        Some(sum)
    }

    /// The characters of a text that matched, by their numbers, ascending.
    #[must_use]
    pub fn hits(&mut self, text: &str) -> Vec<usize> {
        let mut hits = Vec::new();
        for word in &self.finder.words {
            if let SearchWord::Any(_, atom) = word {
                fuzzy(&mut self.matcher, &mut self.buffer, atom, text, Some(&mut hits));
            }
        }
        hits.sort_unstable();
        hits.dedup();
        hits.into_iter().filter_map(|at| usize::try_from(at).ok()).collect()
    }
}

/// How well a word matches in a text, and where. The matcher is big, so it is made when needed.
fn fuzzy(
    matcher: &mut Option<Matcher>,
    buffer: &mut Vec<char>,
    atom: &Atom,
    text: &str,
    hits: Option<&mut Vec<u32>>,
) -> Option<u32> {
    let matcher = matcher.get_or_insert_with(|| Matcher::new(Config::DEFAULT));
    let text = Utf32Str::new(text, buffer);
    let score = match hits {
        Some(hits) => atom.indices(text, matcher, hits),
        None => atom.score(text, matcher),
    };
    score.map(u32::from)
}

/// Whether a status's name for scripts, or the word for its severity, begins like this.
fn is_called(status: &Status, start: &str) -> bool {
    let begins = |word: &str| word.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    begins(status.id()) || begins(severity_word(status.severity()))
}

/// The word for a severity: in the header, and behind `is:`.
#[must_use]
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Good => "ok",
        Severity::Busy => "busy",
        Severity::Warning => "warn",
        Severity::Bad => "bad",
        Severity::Quiet => "idle",
    }
}

/// The filter that only this status passes.
#[must_use]
pub fn only_status(status: &Status) -> String {
    format!("{IS}{}", status.id().replace('_', "-"))
}

/// The filter that only this severity passes.
#[must_use]
pub fn only_severity(severity: Severity) -> String {
    format!("{IS}{}", severity_word(severity))
}
