//! The request log on the screen: a bounded ring, newest first, filtered, that can be frozen.
//!
//! Invariants: at most [`Requests::MAX`] entries; the selection is an entry's number, not its
//! place, so new entries never move what is being read; numbers count up and are never reused;
//! `matches` holds the numbers of all entries that pass the filter, newest first. A new entry is
//! matched once, a changed filter looks at all of them once, and nothing else looks at all.

use std::collections::{HashMap, VecDeque};

use super::layout::first_row;
use super::log_filter::LogFilter;
use crate::domain::{ConnectionName, Exchange, LogEntry};

/// The request log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// Newest first.
    entries: VecDeque<LogEntry>,
    /// How many there have ever been: the newest one's number is one less.
    total: u64,
    filter: LogFilter,
    matches: VecDeque<u64>,
    /// Where the log was frozen: entries from this number on are not shown.
    frozen: Option<u64>,
    /// The selected entry's number; `None` follows the newest.
    cursor: Option<u64>,
    /// Entries from this number on have come since the log was last followed, and were not
    /// selected.
    unseen: u64,
    top: usize,
    latency: HashMap<ConnectionName, VecDeque<u64>>,
}

impl Requests {
    /// The most entries kept in memory.
    pub const MAX: usize = 10_000;
    /// The most durations kept for each connection's sparkline.
    pub const LATENCIES: usize = 60;

    /// A log with what was read from disk, oldest first.
    #[must_use]
    pub fn new(log: Vec<LogEntry>) -> Self {
        let mut requests = Self::default();
        for entry in log {
            requests.push(entry);
        }
        requests
    }

    /// Adds the newest entry; the oldest makes room.
    pub fn push(&mut self, entry: LogEntry) {
        // How long a person took to log in says nothing about the server.
        if entry.exchange != Exchange::Authorization {
            let latencies = self.latency.entry(entry.connection.clone()).or_default();
            if latencies.len() == Self::LATENCIES {
                latencies.pop_front();
            }
            latencies.push_back(entry.duration_ms);
        }
        let passes = self.filter.passes(&entry);
        self.entries.push_front(entry);
        self.entries.truncate(Self::MAX);
        if passes {
            self.matches.push_front(self.total);
        }
        self.total += 1;
        let oldest = self.total - self.entries.len() as u64;
        if self.matches.back().is_some_and(|number| *number < oldest) {
            self.matches.pop_back();
        }
        if passes && self.cursor.is_some() && self.frozen.is_none() {
            self.top += 1;
        }
    }

    /// What passes, and so is shown.
    #[must_use]
    pub fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// Changes what passes.
    pub fn set_filter(&mut self, change: impl FnOnce(&mut LogFilter)) {
        let mut filter = self.filter.clone();
        change(&mut filter);
        let same = filter.means_the_same_as(&self.filter);
        self.filter = filter;
        if same {
            return;
        }
        let numbered = (0..self.total).rev().zip(&self.entries);
        self.matches = numbered.filter(|(_, entry)| self.filter.passes(entry)).map(|(number, _)| number).collect();
        if self.cursor.is_none() {
            self.top = 0;
        }
    }

    /// How many there are, shown or not.
    #[must_use]
    pub fn all(&self) -> usize {
        self.entries.len()
    }

    /// How many entries are shown.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.matches.len() - self.hidden()
    }

    /// The shown entries `first..first + count`, newest first.
    #[must_use]
    pub fn window(&self, first: usize, count: usize) -> impl DoubleEndedIterator<Item = &LogEntry> {
        let end = self.matches.len();
        let from = self.hidden().saturating_add(first).min(end);
        let numbers = self.matches.range(from..from.saturating_add(count).min(end));
        numbers.filter_map(|&number| self.entries.get(self.place(number)))
    }

    /// All entries, newest first, whatever is shown.
    #[must_use]
    pub fn newest(&self) -> impl DoubleEndedIterator<Item = &LogEntry> {
        self.entries.iter()
    }

    /// Whether the log is held still, and how many that would be shown have come since.
    #[must_use]
    pub fn frozen(&self) -> Option<usize> {
        self.frozen.map(|_| self.hidden())
    }

    /// How many that pass the filter have come since the newest one was last followed.
    #[must_use]
    pub fn unseen(&self) -> usize {
        if self.follows() { 0 } else { self.matches.partition_point(|number| *number >= self.unseen) }
    }

    /// Whether the newest entry is shown and selected as soon as it comes.
    fn follows(&self) -> bool {
        self.frozen.is_none() && self.cursor.is_none()
    }

    /// Goes back to the newest entry, and follows it from then on.
    pub fn follow(&mut self) {
        self.frozen = None;
        self.cursor = None;
        self.top = 0;
    }

    /// Holds the log still, or lets it go on.
    pub fn toggle_freeze(&mut self) {
        if self.follows() {
            self.unseen = self.total;
        }
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.total),
        };
        if self.follows() {
            self.top = 0;
        }
    }

    /// Where the selected entry stands among those shown.
    #[must_use]
    pub fn selected_index(&self) -> usize {
        // One that the filter hides gives way to the next older one.
        let index = self.cursor.map_or(0, |number| self.matches.partition_point(|other| *other > number));
        index.saturating_sub(self.hidden()).min(self.shown().saturating_sub(1))
    }

    /// The selected entry.
    #[must_use]
    pub fn selected(&self) -> Option<&LogEntry> {
        self.window(self.selected_index(), 1).next()
    }

    /// Selects by place; the first place follows the newest from then on.
    pub fn select(&mut self, index: usize) {
        let index = index.min(self.shown().saturating_sub(1));
        if index > 0 {
            self.hold(index);
        } else {
            self.cursor = None;
        }
    }

    /// Keeps the selected entry selected, even the first one, whatever comes: it is being read.
    pub fn hold_selected(&mut self) {
        self.hold(self.selected_index());
    }

    fn hold(&mut self, index: usize) {
        let Some(&number) = self.matches.get(self.hidden() + index) else { return };
        if self.follows() {
            self.unseen = self.total;
        }
        self.unseen = self.unseen.max(number + 1);
        self.cursor = Some(number);
    }

    /// Moves the selection by so many entries, stopping at either end.
    pub fn step(&mut self, by: isize) {
        self.select(self.selected_index().saturating_add_signed(by));
    }

    /// The first entry to draw in a window of `height` rows.
    #[must_use]
    pub fn first_row(&self, height: usize) -> usize {
        first_row(self.top, self.selected_index(), self.shown(), height)
    }

    /// Remembers where the window stands, so that it moves no more than it must.
    pub fn settle(&mut self, height: usize) {
        self.top = self.first_row(height);
    }

    /// The latest durations of a connection's exchanges in milliseconds, oldest first.
    #[must_use]
    pub fn latency(&self, connection: &ConnectionName) -> impl ExactSizeIterator<Item = u64> + '_ {
        static NONE: VecDeque<u64> = VecDeque::new();
        self.latency.get(connection).unwrap_or(&NONE).iter().copied()
    }

    /// A connection's entries, newest first.
    pub fn of<'a>(&'a self, connection: &'a ConnectionName) -> impl Iterator<Item = &'a LogEntry> {
        self.entries.iter().filter(move |entry| entry.connection == *connection)
    }

    /// How many of those that pass the filter are not shown because the log is frozen.
    fn hidden(&self) -> usize {
        self.frozen.map_or(0, |frozen| self.matches.partition_point(|number| *number >= frozen))
    }

    /// Where the entry with a number stands in the ring.
    fn place(&self, number: u64) -> usize {
        usize::try_from(self.total - 1 - number).unwrap_or(usize::MAX)
    }
}
