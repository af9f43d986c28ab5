//! The request log on the screen: a bounded ring, newest first, filtered, that can be frozen; and
//! below it what the disk holds ([`LogHistory`]), where there is one.
//!
//! Invariants: at most [`Requests::MAX`] entries; the selection is an entry's number, not its
//! place, so new entries never move what is being read; numbers count up and are never reused;
//! `matches` holds the numbers of all entries that pass the filter, newest first. A new entry is
//! matched once, a changed filter looks at all of them once, and nothing else looks at all.

pub mod history;
pub mod request;
pub mod update;
pub mod view;

use std::collections::{HashMap, VecDeque};

use crate::dashboard::layout::first_row;
use crate::dashboard::request_log::history::{KnownMatches, LogHistory};
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{ConnectionName, Exchange, LogEntry};
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogPosition, LogQuery, LogRest};

/// The number of the first entry that arrives: those that the disk held before come below it.
const FIRST: u64 = 1 << 32;

/// The request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// Newest first.
    entries: VecDeque<LogEntry>,
    /// What is below them on the disk.
    history: Option<LogHistory>,
    /// The number that the next one gets.
    next: u64,
    /// The filter's words as they are typed.
    field: TextField,
    filter: LogFilter,
    matches: VecDeque<u64>,
    /// Where the log was frozen: entries from this number on are not shown.
    frozen: Option<u64>,
    cursor: Cursor,
    /// Whether the oldest that passes is to be selected, once it is found.
    to_end: bool,
    /// Entries from this number on have come since the log was last followed, and were not
    /// selected.
    unseen: u64,
    top: usize,
    latency: HashMap<ConnectionName, VecDeque<u64>>,
}

/// What is selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Cursor {
    /// The newest, whatever comes.
    #[default]
    Newest,
    /// The entry with this number.
    Number(u64),
    /// One of those on the disk alone, counted from the newest of them that pass.
    Older(usize),
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
            latency: HashMap::new(),
        }
    }
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
        if passes {
            self.matches.push_front(self.next);
        }
        self.next += 1;
        if passes && self.cursor != Cursor::Newest && self.frozen.is_none() {
            self.top += 1;
        }
        if self.entries.len() > Self::MAX {
            self.make_room();
        }
    }

    /// Lets go of the oldest entry in memory. On the disk it may be still.
    fn make_room(&mut self) {
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

    /// Takes in what was read of the log on disk; answers in words where somebody should be told.
    pub fn hear(&mut self, news: LogAnswer) -> Option<String> {
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
                    return Some("requests that stood here have made room for newer ones".into());
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

    /// Puts what the disk held before below what has come meanwhile.
    fn open(&mut self, rows: Vec<LogEntry>, place: LogPosition) {
        let mut history = LogHistory::before(place);
        // What has come meanwhile may have been written before it was read.
        let come = self.entries.len();
        for row in rows {
            if self.entries.range(..come).any(|other| *other == row) {
                continue;
            }
            if self.entries.len() == Self::MAX {
                history.take_over(self.filter.passes(&row));
                continue;
            }
            if row.exchange != Exchange::Authorization {
                let latencies = self.latency.entry(row.connection.clone()).or_default();
                if latencies.len() < Self::LATENCIES {
                    latencies.push_front(row.duration_ms);
                }
            }
            let passes = self.filter.passes(&row);
            self.entries.push_back(row);
            if passes {
                self.matches.push_back(self.oldest());
            }
        }
        self.history = Some(history);
    }

    /// What is to be read of the disk next, if anything, for a window of `height` rows.
    pub fn look_further(&mut self, height: usize) -> Option<LogQuery> {
        let (first, at_hand) = (self.first_row(height), self.at_hand());
        let (top, bottom) = (first.saturating_sub(height), first.saturating_add(2 * height));
        let history = self.history.as_mut()?;
        let range = top.saturating_sub(at_hand)..bottom.saturating_sub(at_hand);
        history.keep_near(&range);
        history.ask(&range, self.to_end, &self.filter, self.entries.back())
    }

    /// What there may be on the disk of those shown, below those in memory.
    #[must_use]
    pub fn rest(&self) -> Option<LogRest> {
        self.history.as_ref()?.rest(&self.filter, self.entries.back())
    }

    /// Whether it goes on on a disk.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.history.is_some()
    }

    /// How far the log is known; where there is none on a disk, all of it is.
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

    /// What passes, and so is shown.
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
        // Where it would be among those that pass now, nobody knows before they are read.
        if matches!(self.cursor, Cursor::Older(_)) {
            self.cursor = Cursor::Newest;
        }
        if self.cursor == Cursor::Newest {
            self.top = 0;
        }
    }

    /// How many there are, shown or not, as far as that is known.
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

    /// The shown entries `first..first + count`, newest first, as far as they are in memory.
    #[must_use]
    pub fn window(&self, first: usize, count: usize) -> impl DoubleEndedIterator<Item = &LogEntry> {
        let end = self.matches.len();
        let from = self.hidden().saturating_add(first).min(end);
        let numbers = self.matches.range(from..from.saturating_add(count).min(end));
        numbers.filter_map(|&number| self.entries.get(self.place(number)))
    }

    /// The shown entries `first..first + count`, newest first; `None` for those that are being read.
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

    /// All entries in memory, newest first, whatever is shown.
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
        self.frozen.is_none() && self.cursor == Cursor::Newest
    }

    /// Goes back to the newest entry, and follows it from then on.
    pub fn follow(&mut self) {
        self.frozen = None;
        self.cursor = Cursor::Newest;
        self.to_end = false;
        self.top = 0;
    }

    /// Holds the log still, or lets it go on.
    pub fn toggle_freeze(&mut self) {
        if self.follows() {
            self.unseen = self.next;
        }
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.next),
        };
        if self.follows() {
            self.top = 0;
        }
    }

    /// Where the selected entry stands among those shown.
    #[must_use]
    pub fn selected_index(&self) -> usize {
        let index = match self.cursor {
            Cursor::Newest => 0,
            // One that the filter hides gives way to the next older one.
            Cursor::Number(number) => {
                self.matches.partition_point(|other| *other > number).saturating_sub(self.hidden())
            }
            Cursor::Older(index) => self.at_hand() + index,
        };
        index.min(self.shown().saturating_sub(1))
    }

    /// The selected entry; `None` where there is none, or it is still being read.
    #[must_use]
    pub fn selected(&self) -> Option<&LogEntry> {
        self.rows(self.selected_index(), 1).pop().flatten()
    }

    /// Selects by place; the first place follows the newest from then on.
    pub fn select(&mut self, index: usize) {
        let last = self.shown().saturating_sub(1);
        self.to_end = false;
        if index > 0 && last > 0 {
            self.hold(index.min(last));
        } else {
            self.cursor = Cursor::Newest;
        }
    }

    /// Keeps the selected entry selected, even the first one, whatever comes: it is being read.
    pub fn hold_selected(&mut self) {
        self.hold(self.selected_index());
    }

    fn hold(&mut self, index: usize) {
        if self.follows() {
            self.unseen = self.next;
        }
        if let Some(&number) = self.matches.get(self.hidden() + index) {
            self.unseen = self.unseen.max(number + 1);
            self.cursor = Cursor::Number(number);
        } else if self.shown() > 0 {
            self.cursor = Cursor::Older(index - self.at_hand());
        }
    }

    /// Moves the selection by so many entries, stopping at either end; the greatest step goes to
    /// the oldest of all, which the disk may still be read for.
    pub fn step(&mut self, by: isize) {
        self.select(self.selected_index().saturating_add_signed(by));
        self.to_end = by == isize::MAX && self.known() != KnownMatches::All;
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
        self.entries.iter().filter(move |row| row.connection == *connection)
    }

    /// How many of those that pass the filter are not shown because the log is frozen.
    fn hidden(&self) -> usize {
        self.frozen.map_or(0, |frozen| self.matches.partition_point(|number| *number >= frozen))
    }

    /// The number of the oldest entry in memory.
    fn oldest(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    /// Where the entry with a number stands in the ring.
    fn place(&self, number: u64) -> usize {
        usize::try_from(self.next - 1 - number).unwrap_or(usize::MAX)
    }
}
