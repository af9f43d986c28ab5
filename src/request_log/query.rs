//! Questions about the request log on disk and their answers: pages of entries that pass a filter.
//!
//! A page is a segment or the beginning of one, so it means the same entries however much is appended.

use chrono::{DateTime, Utc};

use crate::domain::{ConnectionName, LogEntry};
use crate::request_log::filter::LogFilter;

/// The start of an entry on disk, which separates it and newer entries from older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// The segment's number; newer segments have higher numbers.
    pub segment: i64,
    /// In bytes from the start of the segment.
    pub offset: u64,
}

/// The entries of a segment, or of its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageId {
    /// The segment's number.
    pub segment: i64,
    /// Only what ends before this offset; `None` for the whole segment.
    pub end: Option<u64>,
}

/// What is known about the entries of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Which entries.
    pub id: PageId,
    /// How many entries there are.
    pub entries: usize,
    /// How many of them pass the filter.
    pub count: usize,
    /// Those that pass, newest first, if they have been read.
    pub rows: Option<Vec<LogEntry>>,
}

/// Where to start reading towards older entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// Before a known position.
    Position(LogPosition),
    /// Before the entry of this connection sent at this time.
    Entry(ConnectionName, DateTime<Utc>),
    /// Before this segment.
    Segment(i64),
}

/// A question about the log on disk. Its number comes back with the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogQuery {
    /// Find entries that pass, from newest to oldest.
    Search {
        /// The number of the question.
        question: u64,
        /// What passes.
        filter: LogFilter,
        /// Where to start.
        since: ReadFrom,
        /// How many matches are enough. More are counted where that needs no reading.
        enough: usize,
    },
    /// Read the entries of a page that pass.
    Load {
        /// The number of the question.
        question: u64,
        /// What passes.
        filter: LogFilter,
        /// The page.
        page: PageId,
    },
}

/// Everything that passes a filter, from a place towards older entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRest {
    /// What passes.
    pub filter: LogFilter,
    /// Where to start.
    pub since: ReadFrom,
}

/// What was read of the log on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogAnswer {
    /// The newest entries, newest first, when the program starts.
    Opened {
        /// The entries.
        rows: Vec<LogEntry>,
        /// The position of the oldest of them.
        place: LogPosition,
    },
    /// What a search has found since its previous report.
    Found {
        /// The number of the question.
        question: u64,
        /// The pages that follow those reported before.
        pages: Vec<Page>,
        /// How far back it has searched.
        back_to: Option<DateTime<Utc>>,
        /// Whether the search continues.
        goes_on: bool,
        /// Whether it has reached the oldest entry.
        ended: bool,
    },
    /// The entries of a page that pass; `None` if the page has been rotated out.
    Loaded {
        /// The number of the question.
        question: u64,
        /// The page.
        page: PageId,
        /// The entries, newest first.
        rows: Option<Vec<LogEntry>>,
    },
    /// The disk cannot be read.
    Failed {
        /// The cause in plain words.
        why: String,
    },
}
