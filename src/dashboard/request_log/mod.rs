//! The request log pane: a bounded ring of the newest entries, filtered, which can be frozen; and below it what the
//! disk holds (`LogHistory`), if there is a log on disk.
//!
//! Invariants: at most [`Requests::MAX`] entries; every entry has a number, which counts up and is never reused;
//! `matches` holds the numbers of all entries that pass the filter, newest first. A new entry is matched once, a
//! changed filter matches all of them once, and nothing else goes through all.

pub mod history;
pub mod latencies;
pub mod request;
pub mod selection;
pub mod update;
pub mod view;

use std::collections::VecDeque;

use crate::dashboard::request_log::history::{KnownMatches, LogHistory};
use crate::dashboard::request_log::latencies::Latencies;
use crate::dashboard::request_log::selection::Cursor;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{ConnectionName, LogEntry};
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogPosition, LogQuery, LogRest};

/// The number of the first new entry. Entries that were on disk before get lower ones.
const FIRST: u64 = 1 << 32;

/// The request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// Newest first.
    entries: VecDeque<LogEntry>,
    /// Older ones on disk.
    history: Option<LogHistory>,
    /// The number that the next one gets.
    next: u64,
    /// The filter's words as they are typed.
    field: TextField,
    filter: LogFilter,
    matches: VecDeque<u64>,
    /// While the log is frozen, entries from this number on are not shown.
    frozen: Option<u64>,
    cursor: Cursor,
    /// Whether to select the oldest match once it is found.
    to_end: bool,
    /// Entries from this number on arrived since the log was last followed, and have not been selected.
    unseen: u64,
    top: usize,
    latencies: Latencies,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            history: None,
            next: FIRST,
            field: TextField::default(),
            filter: LogFilter::default(),
            matches: VecDeque::new(),
            frozen: None,
            cursor: Cursor::Newest,
            to_end: false,
            unseen: 0,
            top: 0,
            latencies: Latencies::default(),
        }
    }
}

impl Requests {
    /// The most entries kept in memory.
    pub const MAX: usize = 10_000;

    /// A log with what was read from disk, oldest first.
    #[must_use]
    pub fn new(log: Vec<LogEntry>) -> Self {
        let mut requests = Self::default();
        for entry in log {
            requests.push(entry);
        }
        requests
    }

    /// Adds the newest entry, and drops the oldest from memory if there are too many.
    pub fn push(&mut self, entry: LogEntry) {
        self.latencies.add_newest(&entry);
        let passes = self.filter.passes(&entry);
        self.entries.push_front(entry);
        if passes {
            self.matches.push_front(self.next);
        }
        self.next += 1;
        if passes && self.cursor != Cursor::Newest && self.frozen.is_none() {
            self.top += 1;
        }
        if self.entries.len() > Self::MAX {
            self.drop_oldest();
        }
    }

    /// Drops the oldest entry from memory. It may still be on disk.
    fn drop_oldest(&mut self) {
        self.entries.pop_back();
        let oldest = self.oldest();
        let gone = self.matches.back().copied().filter(|number| *number < oldest);
        if gone.is_some() {
            self.matches.pop_back();
        }
        let Some(history) = &mut self.history else { return };
        history.take_over(gone.is_some());
        match (&mut self.cursor, gone) {
            (Cursor::Older(index), Some(_)) => *index += 1,
            (Cursor::Number(number), Some(gone)) if *number == gone => self.cursor = Cursor::Older(0),
            _ => {}
        }
    }

    /// Takes in an answer about the log on disk. Returns a message for the person, if there is one.
    pub fn take_answer(&mut self, news: LogAnswer) -> Option<String> {
        match news {
            LogAnswer::Opened { rows, place } => self.open(rows, place),
            LogAnswer::Found { question, pages, back_to, goes_on, ended } => {
                let answers = self.history.as_mut()?.found(question, pages, back_to, goes_on, ended);
                if answers && self.to_end {
                    self.select(usize::MAX);
                    self.to_end = goes_on;
                }
            }
            LogAnswer::Loaded { question, page, rows } => {
                if !self.history.as_mut()?.loaded(question, page, rows) {
                    return Some("older requests were rotated out of the log on disk".into());
                }
            }
            LogAnswer::Failed { why } => {
                if let Some(history) = &mut self.history {
                    history.failed();
                }
                return Some(format!("the request log on disk cannot be read: {why}"));
            }
        }
        None
    }

    /// Adds what was on disk at the start below what has arrived meanwhile.
    fn open(&mut self, rows: Vec<LogEntry>, place: LogPosition) {
        let mut history = LogHistory::before(place);
        // An entry that arrived meanwhile may also have been read from the disk.
        let arrived = self.entries.len();
        for row in rows {
            if self.entries.range(..arrived).any(|other| *other == row) {
                continue;
            }
            if self.entries.len() == Self::MAX {
                history.take_over(self.filter.passes(&row));
                continue;
            }
            self.latencies.add_oldest(&row);
            let passes = self.filter.passes(&row);
            self.entries.push_back(row);
            if passes {
                self.matches.push_back(self.oldest());
            }
        }
        self.history = Some(history);
    }

    /// The next query to the disk for a window of `height` rows, if one is needed.
    pub fn look_further(&mut self, height: usize) -> Option<LogQuery> {
        let (first, at_hand) = (self.first_row(height), self.at_hand());
        let (top, bottom) = (first.saturating_sub(height), first.saturating_add(2 * height));
        let history = self.history.as_mut()?;
        let range = top.saturating_sub(at_hand)..bottom.saturating_sub(at_hand);
        history.keep_near(&range);
        history.ask(&range, self.to_end, &self.filter, self.entries.back())
    }

    /// The part of what is shown that is only on disk, if there may be any.
    #[must_use]
    pub fn rest(&self) -> Option<LogRest> {
        self.history.as_ref()?.rest(&self.filter, self.entries.back())
    }

    /// Whether there is a log on disk.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.history.is_some()
    }

    /// How far the log is known. Without a log on disk, all of it is.
    #[must_use]
    pub fn known(&self) -> KnownMatches {
        self.history.as_ref().map_or(KnownMatches::All, LogHistory::known)
    }

    /// The field in which the filter's words are typed.
    #[must_use]
    pub fn filter_field(&self) -> &TextField {
        &self.field
    }

    /// Changes the filter's words.
    pub fn edit_filter(&mut self, change: impl FnOnce(&mut TextField)) {
        change(&mut self.field);
        let mut filter = self.filter.clone();
        filter.set_words(self.field.text());
        self.apply(filter);
    }

    /// Shows everything again: neither words nor switches hide anything.
    pub fn clear_filter(&mut self) {
        self.field.clear();
        self.apply(LogFilter::default());
    }

    /// What is shown.
    #[must_use]
    pub fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// Changes the filter's switches.
    pub fn set_filter(&mut self, change: impl FnOnce(&mut LogFilter)) {
        let mut filter = self.filter.clone();
        change(&mut filter);
        self.apply(filter);
    }

    fn apply(&mut self, filter: LogFilter) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        let numbered = (0..self.next).rev().zip(&self.entries);
        self.matches = numbered.filter(|(_, row)| self.filter.passes(*row)).map(|(number, _)| number).collect();
        if let Some(history) = &mut self.history {
            history.forget();
        }
        self.to_end = false;
        // Its place among the new matches is unknown until they are read.
        if matches!(self.cursor, Cursor::Older(_)) {
            self.cursor = Cursor::Newest;
        }
        if self.cursor == Cursor::Newest {
            self.top = 0;
        }
    }

    /// How many entries there are, shown or not, as far as that is known.
    #[must_use]
    pub fn all(&self) -> usize {
        self.entries.len() + self.history.as_ref().map_or(0, LogHistory::entries)
    }

    /// How many entries are shown, as far as that is known.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.at_hand() + self.history.as_ref().map_or(0, LogHistory::shown)
    }

    /// How many of those in memory are shown.
    fn at_hand(&self) -> usize {
        self.matches.len() - self.hidden()
    }

    /// Those of the shown entries `first..first + count` that are in memory, newest first.
    #[must_use]
    pub fn window(&self, first: usize, count: usize) -> impl DoubleEndedIterator<Item = &LogEntry> {
        let end = self.matches.len();
        let from = self.hidden().saturating_add(first).min(end);
        let numbers = self.matches.range(from..from.saturating_add(count).min(end));
        numbers.filter_map(|&number| self.entries.get(self.place(number)))
    }

    /// The shown entries `first..first + count`, newest first; `None` for those that are still being read.
    #[must_use]
    pub fn rows(&self, first: usize, count: usize) -> Vec<Option<&LogEntry>> {
        let end = first.saturating_add(count).min(self.shown());
        let mut rows: Vec<_> = self.window(first, count).map(Some).collect();
        if let Some(history) = &self.history {
            let at_hand = self.at_hand();
            rows.extend(history.rows(first.saturating_sub(at_hand)..end.saturating_sub(at_hand)));
        }
        rows
    }

    /// All entries in memory, newest first, shown or not.
    #[must_use]
    pub fn newest(&self) -> impl DoubleEndedIterator<Item = &LogEntry> {
        self.entries.iter()
    }

    /// The latest durations of a connection's exchanges in milliseconds, oldest first.
    #[must_use]
    pub fn latency(&self, connection: &ConnectionName) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.latencies.of(connection)
    }

    /// A connection's entries, newest first.
    pub fn of<'a>(&'a self, connection: &'a ConnectionName) -> impl Iterator<Item = &'a LogEntry> {
        self.entries.iter().filter(move |row| row.connection == *connection)
    }

    /// The number of the oldest entry in memory.
    fn oldest(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    /// The index in the ring of the entry with a number.
    fn place(&self, number: u64) -> usize {
        usize::try_from(self.next - 1 - number).unwrap_or(usize::MAX)
    }
}
