//! Looks through the request log on disk.
//!
//! Invariants: a segment whose summary rules the filter out is not read; a search reports what it has found after a few
//! segments, and ends as soon as its answer is no longer wanted.

use std::io;
use std::path::Path;

use crate::domain::{Brief, BriefLine, LogEntry};
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogPosition, LogQuery, LogRest, Page, PageId, ReadFrom};
use crate::request_log::segments::archive::LogSegments;

/// How many of the newest entries are read at the start.
const NEWEST: usize = 500;
/// How many segments a search reads before it reports its progress.
const REPORT_AFTER: usize = 4;
/// The most entries that a search keeps. More are only counted, and loaded when they are shown.
const MOST_ROWS: usize = 5000;

/// Reads the log of a data directory.
pub struct LogSearcher {
    archive: LogSegments,
}

impl LogSearcher {
    /// A searcher of this directory. Nothing is read yet.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { archive: LogSegments::new(data_dir) }
    }

    /// How many bytes it has read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.archive.bytes_read()
    }

    /// The newest entries.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn newest(&mut self) -> io::Result<LogAnswer> {
        let mut rows = Vec::with_capacity(NEWEST);
        let segments = self.archive.segments()?;
        // In an empty log, new entries will start in the current file.
        let mut place = LogPosition { segment: segments.first().copied().unwrap_or(1), offset: 0 };
        for segment in segments {
            if rows.len() == NEWEST {
                break;
            }
            self.archive.lines(segment, None, |offset, line| {
                rows.extend(read_line(line, |_| true));
                place = LogPosition { segment, offset };
                rows.len() < NEWEST
            })?;
        }
        Ok(LogAnswer::Opened { rows, place })
    }

    /// Answers a query. `report` receives what is found meanwhile and says whether to continue. Returns the last
    /// answer, or `None` if `report` stopped it.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn answer(&mut self, ask: LogQuery, report: impl FnMut(LogAnswer) -> bool) -> io::Result<Option<LogAnswer>> {
        match ask {
            LogQuery::Search { question, filter, since, enough } => {
                self.search(question, &filter, &since, enough, report)
            }
            LogQuery::Load { question, filter, page } => {
                let rows = self.read(page, &filter, true)?.and_then(|page| page.rows);
                Ok(Some(LogAnswer::Loaded { question, page, rows }))
            }
        }
    }

    /// The newest `most` entries of the rest, newest first, and whether these are all.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn entries(&self, rest: &LogRest, most: usize) -> io::Result<(Vec<LogEntry>, bool)> {
        let (mut entries, mut all) = (Vec::new(), true);
        for id in self.pages_since(&rest.since)? {
            let summary = if id.end.is_none() { self.archive.summary(id.segment)? } else { None };
            if summary.is_some_and(|summary| !rest.filter.may_pass(&summary)) {
                continue;
            }
            self.archive.lines(id.segment, id.end, |_, line| {
                let entry = read_line(line, |entry| rest.filter.passes(entry));
                all &= entry.is_none() || entries.len() < most;
                entries.extend(entry.filter(|_| all));
                all
            })?;
            if !all {
                break;
            }
        }
        Ok((entries, all))
    }

    fn search(
        &mut self,
        question: u64,
        filter: &LogFilter,
        since: &ReadFrom,
        enough: usize,
        mut report: impl FnMut(LogAnswer) -> bool,
    ) -> io::Result<Option<LogAnswer>> {
        let mut pages: Vec<Page> = Vec::new();
        let (mut found, mut read, mut has_begun, mut back_to) = (0, 0, false, None);
        for id in self.pages_since(since)? {
            let summary = if id.end.is_none() { self.archive.summary(id.segment)? } else { None };
            if let Some(summary) = &summary {
                back_to = Some(summary.from);
            }
            let known = summary.and_then(|summary| Some((summary.entries, filter.count(&summary)?)));
            let page = match known {
                Some((entries, count)) => Some(Page { id, entries: size(entries), count: size(count), rows: None }),
                // The rest would have to be read; that waits until it is shown.
                None if found >= enough && has_begun => {
                    return Ok(Some(LogAnswer::Found { question, pages, back_to, goes_on: false, ended: false }));
                }
                None => {
                    read += 1;
                    self.read(id, filter, found < enough.min(MOST_ROWS))?
                }
            };
            // Rotated out, and everything older with it.
            let Some(page) = page else { continue };
            let is_first = found == 0 && page.count > 0;
            found += page.count;
            has_begun = true;
            pages.push(page);
            if (is_first || read == REPORT_AFTER) && known.is_none() {
                read = 0;
                let pages = std::mem::take(&mut pages);
                if !report(LogAnswer::Found { question, pages, back_to, goes_on: true, ended: false }) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(LogAnswer::Found { question, pages, back_to, goes_on: false, ended: true }))
    }

    /// The pages from there on, newest first.
    fn pages_since(&self, since: &ReadFrom) -> io::Result<Vec<PageId>> {
        let begin = match since {
            ReadFrom::Position(place) => Some(*place),
            ReadFrom::Entry(connection, at) => self.place_of(connection.as_str(), *at)?,
            ReadFrom::Segment(_) => None,
        };
        let segments = self.archive.segments()?;
        let older = |than: i64| segments.into_iter().filter(move |segment| *segment < than);
        let rest = |than| older(than).map(|segment| PageId { segment, end: None });
        Ok(match (begin, since) {
            (Some(place), _) => {
                let first = PageId { segment: place.segment, end: Some(place.offset) };
                std::iter::once(first).chain(rest(place.segment)).collect()
            }
            (None, ReadFrom::Segment(segment)) => rest(*segment).collect(),
            (None, _) => Vec::new(),
        })
    }

    /// The position of an entry; if it was never written, that of the first entry after all those sent before it.
    fn place_of(&self, connection: &str, at: chrono::DateTime<chrono::Utc>) -> io::Result<Option<LogPosition>> {
        for segment in self.archive.segments()? {
            if self.archive.summary(segment)?.is_some_and(|summary| summary.from > at) {
                continue;
            }
            let mut place = None;
            let mut end = None;
            self.archive.lines(segment, None, |offset, line| {
                let Some(read) = BriefLine::read(line) else { return true };
                let entry = read.brief();
                if entry.at == at && entry.connection == connection {
                    place = Some(LogPosition { segment, offset });
                } else if entry.at < at - chrono::TimeDelta::hours(1) {
                    // Requests are logged when they end, and none takes an hour.
                    place = Some(LogPosition { segment, offset: end.unwrap_or(u64::MAX) });
                }
                end = Some(offset);
                place.is_none()
            })?;
            if place.is_some() {
                return Ok(place);
            }
        }
        Ok(None)
    }

    /// Reads a page; `None` if it has been rotated out.
    fn read(&mut self, id: PageId, filter: &LogFilter, with_rows: bool) -> io::Result<Option<Page>> {
        let (mut entries, mut count) = (0, 0);
        let mut rows: Vec<LogEntry> = Vec::new();
        let is_there = self.archive.lines(id.segment, id.end, |_, line| {
            if with_rows {
                rows.extend(read_line(line, |entry| {
                    entries += 1;
                    filter.passes(entry)
                }));
            } else if let Some(read) = BriefLine::read(line) {
                entries += 1;
                count += usize::from(filter.passes(read.brief()));
            }
            true
        })?;
        // The empty beginning of a file that does not exist yet is an empty page.
        if !is_there && id.end != Some(0) {
            return Ok(None);
        }
        let count = if with_rows { rows.len() } else { count };
        rows.shrink_to_fit();
        Ok(Some(Page { id, entries, count, rows: with_rows.then_some(rows) }))
    }
}

/// The entry in a line; `None` if it is damaged or does not pass. Only entries that pass are parsed completely.
fn read_line(line: &[u8], passes: impl FnOnce(Brief<'_>) -> bool) -> Option<LogEntry> {
    let brief = BriefLine::read(line)?;
    passes(brief.brief()).then(|| serde_json::from_slice(line).ok()).flatten()
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
