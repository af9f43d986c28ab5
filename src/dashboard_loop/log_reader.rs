//! Reads the request log on disk for the dashboard, on a thread of its own: the newest entries once
//! the first frame is drawn, and then what is asked for ([`LogAsk`]).
//!
//! Invariants: nothing is read before [`LogReader::begin`]; the thread sleeps until it is asked; a
//! question that is overtaken by another is given up within a segment; a search that goes on tells
//! what it has found after a few segments.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, Sender};
use std::{io, thread};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::dashboard::request_log::history::{LogAsk, LogNews, LogPosition, LogRest, Page, PageId, ReadFrom};
use crate::domain::{Brief, BriefLine, LogEntry};
use crate::request_log::filter::LogFilter;
use crate::request_log::segments::archive::Archive;

/// How many of the newest entries are read at the start.
const NEWEST: usize = 500;
/// How many segments a search reads before it tells how far it is.
const TOLD_AFTER: usize = 4;
/// The most rows that a search makes: what is seen of more is asked for.
const MOST_ROWS: usize = 5000;

/// The reader of a data directory's log.
pub struct LogReader {
    data_dir: PathBuf,
    /// Where questions go, once it has begun.
    asks: Option<Sender<LogAsk>>,
    teller: UnboundedSender<LogNews>,
    news: UnboundedReceiver<LogNews>,
}

impl LogReader {
    /// A reader that has not begun.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        let (teller, news) = unbounded_channel();
        Self { data_dir: data_dir.to_owned(), asks: None, teller, news }
    }

    /// Begins with the newest entries, unless it has begun already. Returns at once.
    pub fn begin(&mut self) {
        if self.asks.is_some() {
            return;
        }
        let (asks, asked) = mpsc::channel();
        self.asks = Some(asks);
        let (searcher, teller) = (self.searcher(), self.teller.clone());
        let started = thread::Builder::new().name("log-reader".into()).spawn(move || serve(searcher, &asked, &teller));
        if let Err(error) = started {
            let _ = self.teller.send(LogNews::Failed { why: error.to_string() });
        }
    }

    /// Somebody else to look through the same log, on another thread.
    #[must_use]
    pub fn searcher(&self) -> Searcher {
        Searcher::new(&self.data_dir)
    }

    /// Asks for something. Returns at once; [`Self::next`] tells the answer.
    pub fn ask(&self, ask: LogAsk) {
        if let Some(asks) = &self.asks {
            // A thread that could not be started was told of.
            let _ = asks.send(ask);
        }
    }

    /// The next answer. Can be given up without losing anything.
    pub async fn next(&mut self) -> LogNews {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

fn serve(mut searcher: Searcher, asked: &Receiver<LogAsk>, teller: &UnboundedSender<LogNews>) {
    let told = |result: io::Result<Option<LogNews>>| {
        let news = result.unwrap_or_else(|error| Some(LogNews::Failed { why: error.to_string() }));
        news.is_none_or(|news| teller.send(news).is_ok())
    };
    if !told(searcher.newest().map(Some)) {
        return;
    }
    let mut waiting = None;
    while let Some(ask) = waiting.take().or_else(|| asked.recv().ok()) {
        let goes_on = |news| {
            let heard = teller.send(news).is_ok();
            // Of several questions only the last is still asked.
            while let Ok(newer) = asked.try_recv() {
                waiting = Some(newer);
            }
            heard && waiting.is_none()
        };
        if !told(searcher.answer(ask, goes_on)) {
            return;
        }
    }
}

/// What the thread owns.
pub struct Searcher {
    archive: Archive,
}

impl Searcher {
    /// Looks through the log of a data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { archive: Archive::new(data_dir) }
    }

    /// How many bytes were read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.archive.bytes_read()
    }

    /// The newest entries.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn newest(&mut self) -> io::Result<LogNews> {
        let mut rows = Vec::with_capacity(NEWEST);
        let segments = self.archive.segments()?;
        // Where nothing is read, what is to come begins with the file that is written.
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
        Ok(LogNews::Opened { rows, place })
    }

    /// Answers a question; `told` gets what is found on the way, and says whether to go on. The
    /// last answer is returned, unless it was given up.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn answer(&mut self, ask: LogAsk, told: impl FnMut(LogNews) -> bool) -> io::Result<Option<LogNews>> {
        match ask {
            LogAsk::Search { question, filter, since, enough } => self.search(question, &filter, &since, enough, told),
            LogAsk::Load { question, filter, page } => {
                let rows = self.read(page, &filter, true)?.and_then(|page| page.rows);
                Ok(Some(LogNews::Loaded { question, page, rows }))
            }
        }
    }

    /// The newest entries of those, newest first, and whether these are all.
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
        mut told: impl FnMut(LogNews) -> bool,
    ) -> io::Result<Option<LogNews>> {
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
                // What takes reading can wait until somebody wants to see it.
                None if found >= enough && has_begun => {
                    return Ok(Some(LogNews::Found { question, pages, back_to, goes_on: false, ended: false }));
                }
                None => {
                    read += 1;
                    self.read(id, filter, found < enough.min(MOST_ROWS))?
                }
            };
            // What is gone has made room, and so has all that is older.
            let Some(page) = page else { continue };
            let is_first = found == 0 && page.count > 0;
            found += page.count;
            has_begun = true;
            pages.push(page);
            if (is_first || read == TOLD_AFTER) && known.is_none() {
                read = 0;
                let pages = std::mem::take(&mut pages);
                if !told(LogNews::Found { question, pages, back_to, goes_on: true, ended: false }) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(LogNews::Found { question, pages, back_to, goes_on: false, ended: true }))
    }

    /// The pages from there on, youngest first.
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

    /// Where an entry is; where it is not, the first place after all that was sent before it.
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
                    // Requests are logged when they end, and none takes that long.
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

    /// Reads a page; `None` where it is gone.
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
        // The beginning of nothing is nothing.
        if !is_there && id.end != Some(0) {
            return Ok(None);
        }
        let count = if with_rows { rows.len() } else { count };
        rows.shrink_to_fit();
        Ok(Some(Page { id, entries, count, rows: with_rows.then_some(rows) }))
    }
}

/// The entry of a line; `None` where it is damaged, or does not pass. Only those that pass are read whole.
fn read_line(line: &[u8], passes: impl FnOnce(Brief<'_>) -> bool) -> Option<LogEntry> {
    let brief = BriefLine::read(line)?;
    passes(brief.brief()).then(|| serde_json::from_slice(line).ok()).flatten()
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
