//! The part of the request log that is only on disk: how many entries pass the filter in each segment, as far as that
//! is known, and the entries of the segments that are being viewed.
//!
//! Nothing is read here. It queries what it needs next ([`LogQuery`]), one query at a time; an outdated answer is
//! ignored.
//!
//! Invariants: pages follow each other without a gap from where the entries in memory end, newest first; at most
//! `KEPT` entries are kept beyond the pages in view.

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::domain::LogEntry;
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogPosition, LogQuery, LogRest, Page, PageId, ReadFrom};

/// How many entries are kept beyond those in view.
const KEPT: usize = 5000;
/// How many matches a search finds before it pauses.
const ENOUGH: usize = 200;

/// How far the log on disk is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownMatches {
    /// To its oldest entry.
    All,
    /// There is more to search.
    Some,
    /// It is being searched, and has been back to this time.
    Searching(Option<DateTime<Utc>>),
    /// The rest cannot be read.
    Unreadable,
}

/// The log on disk, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogHistory {
    /// The position on disk of the oldest entry in memory; `None` once entries have been dropped from memory since.
    begin: Option<LogPosition>,
    /// How many matches have been dropped from memory since.
    gap: usize,
    pages: Vec<Page>,
    /// How many of the pages' entries pass, and how many of those have been read.
    count: usize,
    held: usize,
    known: KnownMatches,
    /// How many entries there are, whether they pass or not, as far as that is known.
    entries: usize,
    /// The number of the current query.
    question: u64,
    asked: bool,
    /// Whether the next answer replaces what is known.
    renews: bool,
}

impl LogHistory {
    /// Everything before a position.
    pub(crate) fn before(place: LogPosition) -> Self {
        Self {
            begin: Some(place),
            gap: 0,
            pages: Vec::new(),
            count: 0,
            held: 0,
            known: KnownMatches::Some,
            entries: 0,
            question: 0,
            asked: false,
            renews: false,
        }
    }

    /// How many matches are known.
    pub(crate) fn shown(&self) -> usize {
        self.gap + self.count
    }

    /// How many entries there are, as far as that is known.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn known(&self) -> KnownMatches {
        self.known
    }

    /// The matches in `range`, newest first; `None` for those that have not been read.
    pub(crate) fn rows(&self, range: Range<usize>) -> Vec<Option<&LogEntry>> {
        let mut rows = vec![None; self.gap.min(range.end).saturating_sub(range.start)];
        for (begin, page) in self.starts().take_while(|(begin, _)| *begin < range.end) {
            let part = part(&range, begin, page.count);
            match &page.rows {
                Some(there) => rows.extend(part.map(|at| there.get(at))),
                None => rows.resize(rows.len() + part.len(), None),
            }
        }
        rows
    }

    /// Forgets all matches: the filter has changed.
    pub(crate) fn forget(&mut self) {
        if std::mem::take(&mut self.gap) > 0 {
            self.begin = None;
        }
        self.pages.clear();
        self.recount();
        self.known = if self.known == KnownMatches::Unreadable { KnownMatches::Unreadable } else { KnownMatches::Some };
        self.question += 1;
        self.asked = false;
        self.renews = false;
    }

    /// The oldest entry in memory has been dropped.
    pub(crate) fn take_over(&mut self, passes: bool) {
        self.begin = None;
        self.entries += 1;
        self.gap += usize::from(passes);
    }

    /// The next query for viewing the matches in `range`, if one is needed. `oldest` is the oldest entry in memory;
    /// `to_end` searches to the end of the log.
    pub(crate) fn ask(
        &mut self,
        range: &Range<usize>,
        to_end: bool,
        filter: &LogFilter,
        oldest: Option<&LogEntry>,
    ) -> Option<LogQuery> {
        if self.asked || self.known == KnownMatches::Unreadable {
            return None;
        }
        let (shown, question) = (self.shown(), self.question);
        let enough = if to_end { usize::MAX } else { range.end.saturating_sub(shown).saturating_add(ENOUGH) };
        let is_new = self.pages.is_empty() && self.known == KnownMatches::Some;
        let is_in_gap = self.gap > 0 && range.start < self.gap && range.end > 0;
        let ask = if is_new || is_in_gap {
            let since = self.since(oldest)?;
            self.question += 1;
            self.renews = true;
            // Most often the entries in memory fill the view.
            let enough = if range.is_empty() && !to_end { 0 } else { enough.saturating_add(shown) };
            LogQuery::Search { question: self.question, filter: filter.clone(), since, enough }
        } else if let Some(page) = self.wanted(range) {
            LogQuery::Load { question, filter: filter.clone(), page }
        } else if self.known == KnownMatches::Some && (range.end > shown || to_end) {
            let since = ReadFrom::Segment(self.pages.last()?.id.segment);
            LogQuery::Search { question, filter: filter.clone(), since, enough }
        } else {
            return None;
        };
        if matches!(ask, LogQuery::Search { .. }) {
            self.known = KnownMatches::Searching(None);
        }
        self.asked = true;
        Some(ask)
    }

    /// What may be on disk below the oldest entry in memory.
    pub(crate) fn rest(&self, filter: &LogFilter, oldest: Option<&LogEntry>) -> Option<LogRest> {
        let is_there = self.known != KnownMatches::All || self.shown() > 0;
        self.since(oldest).filter(|_| is_there).map(|since| LogRest { filter: filter.clone(), since })
    }

    fn since(&self, oldest: Option<&LogEntry>) -> Option<ReadFrom> {
        let entry = |entry: &LogEntry| ReadFrom::Entry(entry.connection.clone(), entry.at);
        self.begin.map(ReadFrom::Position).or_else(|| oldest.map(entry))
    }

    /// Adds the next pages that were found. False if the answer is outdated.
    pub(crate) fn found(
        &mut self,
        question: u64,
        pages: Vec<Page>,
        back_to: Option<DateTime<Utc>>,
        goes_on: bool,
        ended: bool,
    ) -> bool {
        if question != self.question {
            return false;
        }
        if std::mem::take(&mut self.renews) {
            self.pages.clear();
            self.gap = 0;
            self.begin = pages.first().and_then(|page| {
                page.id.end.map(|offset| LogPosition { segment: page.id.segment, offset }).or(self.begin)
            });
        }
        self.pages.extend(pages);
        self.recount();
        self.entries = self.entries.max(self.pages.iter().map(|page| page.entries).sum());
        self.asked = goes_on;
        self.known = match (goes_on, ended) {
            (true, _) => KnownMatches::Searching(back_to),
            (false, true) => KnownMatches::All,
            (false, false) => KnownMatches::Some,
        };
        true
    }

    /// Adds the entries of a page. False if it has been rotated out, and with it everything older.
    pub(crate) fn loaded(&mut self, question: u64, id: PageId, rows: Option<Vec<LogEntry>>) -> bool {
        if question != self.question {
            return true;
        }
        self.asked = false;
        let Some(at) = self.pages.iter().position(|page| page.id == id) else { return true };
        let is_there = rows.is_some();
        if let Some(rows) = rows {
            let page = &mut self.pages[at];
            page.count = rows.len();
            page.rows = Some(rows);
        } else {
            let gone: usize = self.pages.drain(at..).map(|page| page.entries).sum();
            self.entries = self.entries.saturating_sub(gone);
            self.known = KnownMatches::All;
        }
        self.recount();
        is_there
    }

    /// The disk cannot be read.
    pub(crate) fn failed(&mut self) {
        self.known = KnownMatches::Unreadable;
        self.asked = false;
    }

    /// Drops entries far from those in view.
    pub(crate) fn keep_near(&mut self, seen: &Range<usize>) {
        if self.held <= KEPT {
            return;
        }
        let mut held: Vec<_> = (0..)
            .zip(self.starts())
            .filter_map(|(at, (begin, page))| {
                let far = begin.saturating_sub(seen.end).max(seen.start.saturating_sub(begin + page.count));
                page.rows.as_ref().map(|rows| (far, at, rows.len()))
            })
            .collect();
        held.sort_unstable();
        let mut kept = 0;
        for (far, at, rows) in held {
            kept += rows;
            if far > 0 && kept > KEPT {
                self.pages[at].rows = None;
            }
        }
        self.recount();
    }

    fn recount(&mut self) {
        self.count = self.pages.iter().map(|page| page.count).sum();
        self.held = self.pages.iter().filter_map(|page| page.rows.as_ref()).map(Vec::len).sum();
    }

    /// The first page in the range that has not been read.
    fn wanted(&self, range: &Range<usize>) -> Option<PageId> {
        let is_wanted =
            |(begin, page): &(usize, &Page)| page.rows.is_none() && !part(range, *begin, page.count).is_empty();
        self.starts().find(is_wanted).map(|(_, page)| page.id)
    }

    /// The pages, each with the index of its first match.
    fn starts(&self) -> impl Iterator<Item = (usize, &Page)> {
        self.pages.iter().scan(self.gap, |next, page| {
            let begin = *next;
            *next += page.count;
            Some((begin, page))
        })
    }
}

/// Which of `count` matches starting at index `begin` are in a range.
fn part(range: &Range<usize>, begin: usize, count: usize) -> Range<usize> {
    let last = range.end.saturating_sub(begin).min(count);
    range.start.saturating_sub(begin).min(last)..last
}
