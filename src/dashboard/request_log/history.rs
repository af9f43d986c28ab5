//! What the disk holds of the request log beyond what is in memory: how many entries pass the
//! filter in each segment, as far as that is known, and the rows of the segments that are looked at.
//!
//! Nothing is read here. What is needed next is asked for ([`LogQuery`]), one thing at a time, and
//! comes back as [`crate::request_log::query::LogAnswer`]; an answer to a question that is no longer asked is ignored.
//!
//! Invariants: pages follow each other without a gap from where the rows in memory end, the newest
//! first; rows are kept of the pages that are seen, and of others only up to [`KEPT`].

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::domain::LogEntry;
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogPosition, LogQuery, LogRest, Page, PageId, ReadFrom};

/// How many rows are kept beyond those that are seen.
const KEPT: usize = 5000;
/// How many entries a search finds at least before it rests.
const ENOUGH: usize = 200;

/// How far the log on disk is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownMatches {
    /// To its oldest entry.
    All,
    /// There is more to look through.
    Some,
    /// It is being looked through; back to when.
    Searching(Option<DateTime<Utc>>),
    /// The rest cannot be read.
    Unreadable,
}

/// The log on disk, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogHistory {
    /// Where the rows in memory end on the disk; `None` once some of them have made room since it
    /// was looked up.
    begin: Option<LogPosition>,
    /// How many that pass have made room in memory since.
    gap: usize,
    pages: Vec<Page>,
    /// How many of the pages' entries pass, and how many rows are at hand.
    count: usize,
    held: usize,
    known: KnownMatches,
    /// How many entries there are, whether they pass or not, as far as that is known.
    entries: usize,
    /// The number of the present question.
    question: u64,
    asked: bool,
    /// Whether the first answer takes the place of what is known.
    renews: bool,
}

impl LogHistory {
    /// All that is before a place.
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

    /// How many that pass are known.
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

    /// The rows `range` of those that pass, newest first; `None` for what is not at hand.
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

    /// Another filter: nothing is known of what passes it.
    pub(crate) fn forget(&mut self) {
        if std::mem::take(&mut self.gap) > 0 {
            self.begin = None;
        }
        self.pages.clear();
        self.tally();
        self.known = if self.known == KnownMatches::Unreadable { KnownMatches::Unreadable } else { KnownMatches::Some };
        self.question += 1;
        self.asked = false;
        self.renews = false;
    }

    /// The oldest row in memory has made room.
    pub(crate) fn take_over(&mut self, passes: bool) {
        self.begin = None;
        self.entries += 1;
        self.gap += usize::from(passes);
    }

    /// What is to be read so that the rows `range` can be seen, if anything: the oldest entry in
    /// memory is `oldest`, and `to_end` asks for everything.
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
            // What is in memory is most often enough to be seen.
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

    /// What there may be below the oldest entry in memory.
    pub(crate) fn rest(&self, filter: &LogFilter, oldest: Option<&LogEntry>) -> Option<LogRest> {
        let is_there = self.known != KnownMatches::All || self.shown() > 0;
        self.since(oldest).filter(|_| is_there).map(|since| LogRest { filter: filter.clone(), since })
    }

    fn since(&self, oldest: Option<&LogEntry>) -> Option<ReadFrom> {
        let entry = |entry: &LogEntry| ReadFrom::Entry(entry.connection.clone(), entry.at);
        self.begin.map(ReadFrom::Position).or_else(|| oldest.map(entry))
    }

    /// Takes in what was found of the pages that follow; true where it answers the present question.
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
        self.tally();
        self.entries = self.entries.max(self.pages.iter().map(|page| page.entries).sum());
        self.asked = goes_on;
        self.known = match (goes_on, ended) {
            (true, _) => KnownMatches::Searching(back_to),
            (false, true) => KnownMatches::All,
            (false, false) => KnownMatches::Some,
        };
        true
    }

    /// Takes in the rows of a page. False where it is gone, and so are all before it.
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
        self.tally();
        is_there
    }

    /// The rest cannot be read.
    pub(crate) fn failed(&mut self) {
        self.known = KnownMatches::Unreadable;
        self.asked = false;
    }

    /// Lets go of rows that are far from those seen.
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
        self.tally();
    }

    fn tally(&mut self) {
        self.count = self.pages.iter().map(|page| page.count).sum();
        self.held = self.pages.iter().filter_map(|page| page.rows.as_ref()).map(Vec::len).sum();
    }

    /// The first page that is to be seen and not at hand.
    fn wanted(&self, range: &Range<usize>) -> Option<PageId> {
        let is_wanted =
            |(begin, page): &(usize, &Page)| page.rows.is_none() && !part(range, *begin, page.count).is_empty();
        self.starts().find(is_wanted).map(|(_, page)| page.id)
    }

    /// The pages, each with the place of its first row among those that pass.
    fn starts(&self) -> impl Iterator<Item = (usize, &Page)> {
        self.pages.iter().scan(self.gap, |next, page| {
            let begin = *next;
            *next += page.count;
            Some((begin, page))
        })
    }
}

/// Which of `count` rows that begin at `begin` are in a range.
fn part(range: &Range<usize>, begin: usize, count: usize) -> Range<usize> {
    let last = range.end.saturating_sub(begin).min(count);
    range.start.saturating_sub(begin).min(last)..last
}
