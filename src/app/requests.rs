//! The request log on the screen: a bounded ring, newest first, that can be frozen.
//!
//! Invariants: at most [`Requests::MAX`] entries; the selection is an entry's number, not its
//! place, so new entries never move what is being read; numbers count up and are never reused.

use std::collections::{HashMap, VecDeque};

use super::layout::first_row;
use crate::domain::{ConnectionName, Exchange, LogEntry};

/// The request log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// Newest first.
    entries: VecDeque<LogEntry>,
    /// How many there have ever been: the newest one's number is one less.
    total: u64,
    /// Where the log was frozen: entries from this number on are not shown.
    frozen: Option<u64>,
    /// The selected entry's number; `None` follows the newest.
    cursor: Option<u64>,
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
        self.entries.push_front(entry);
        self.entries.truncate(Self::MAX);
        self.total += 1;
        if self.cursor.is_some() && self.frozen.is_none() {
            self.top += 1;
        }
    }

    /// How many entries are shown.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.entries.len().saturating_sub(self.hidden())
    }

    /// The shown entries `first..first + count`, newest first.
    pub fn window(&self, first: usize, count: usize) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter().skip(self.hidden().saturating_add(first)).take(count)
    }

    /// Whether the log is held still, and how many have come since.
    #[must_use]
    pub fn frozen(&self) -> Option<u64> {
        self.frozen.map(|at| self.total - at)
    }

    /// Holds the log still, or lets it go on.
    pub fn toggle_freeze(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.total),
        };
        if self.frozen.is_none() && self.cursor.is_none() {
            self.top = 0;
        }
    }

    /// Where the selected entry stands among those shown.
    #[must_use]
    pub fn selected_index(&self) -> usize {
        let newest_shown = self.frozen.unwrap_or(self.total).saturating_sub(1);
        let index = self.cursor.map_or(0, |number| newest_shown.saturating_sub(number));
        usize::try_from(index).unwrap_or(usize::MAX).min(self.shown().saturating_sub(1))
    }

    /// The selected entry.
    #[must_use]
    pub fn selected(&self) -> Option<&LogEntry> {
        self.window(self.selected_index(), 1).next()
    }

    /// Selects by place; the first place follows the newest from then on.
    pub fn select(&mut self, index: usize) {
        let index = index.min(self.shown().saturating_sub(1)) as u64;
        let newest_shown = self.frozen.unwrap_or(self.total).saturating_sub(1);
        self.cursor = (index > 0).then(|| newest_shown.saturating_sub(index));
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

    fn hidden(&self) -> usize {
        usize::try_from(self.frozen().unwrap_or(0)).unwrap_or(usize::MAX)
    }
}
