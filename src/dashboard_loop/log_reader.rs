//! Reads the request log on disk for the dashboard on its own thread: first the newest entries, then whatever is
//! queried.
//!
//! Invariants: nothing is read before [`LogReader::begin`], which comes after the first frame; the thread sleeps until
//! it is queried; a query that a newer one replaces is abandoned within a segment.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, Sender};
use std::{io, thread};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::request_log::query::{LogAnswer, LogQuery};
use crate::request_log::search::LogSearcher;

/// The reader of a data directory's log.
pub struct LogReader {
    data_dir: PathBuf,
    /// `None` until it has begun.
    queries: Option<Sender<LogQuery>>,
    answers: (UnboundedSender<LogAnswer>, UnboundedReceiver<LogAnswer>),
}

impl LogReader {
    /// A reader that has not begun.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), queries: None, answers: unbounded_channel() }
    }

    /// Starts with the newest entries, unless it has started already. Returns at once.
    pub fn begin(&mut self) {
        if self.queries.is_some() {
            return;
        }
        let (queries, received) = mpsc::channel();
        self.queries = Some(queries);
        let (searcher, answers) = (self.searcher(), self.answers.0.clone());
        let started =
            thread::Builder::new().name("log-reader".into()).spawn(move || serve(searcher, &received, &answers));
        if let Err(error) = started {
            let _ = self.answers.0.send(LogAnswer::Failed { why: error.to_string() });
        }
    }

    /// A searcher of the same log for another thread.
    #[must_use]
    pub fn searcher(&self) -> LogSearcher {
        LogSearcher::new(&self.data_dir)
    }

    /// Sends a query. Returns at once; [`Self::next`] gives the answer.
    pub fn ask(&self, query: LogQuery) {
        if let Some(queries) = &self.queries {
            // It fails only if the thread could not be started, which has been reported.
            let _ = queries.send(query);
        }
    }

    /// The next answer. Cancel safe.
    pub async fn next(&mut self) -> LogAnswer {
        match self.answers.1.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

fn serve(mut searcher: LogSearcher, queries: &Receiver<LogQuery>, answers: &UnboundedSender<LogAnswer>) {
    let send = |result: io::Result<Option<LogAnswer>>| {
        let answer = result.unwrap_or_else(|error| Some(LogAnswer::Failed { why: error.to_string() }));
        answer.is_none_or(|answer| answers.send(answer).is_ok())
    };
    if !send(searcher.newest().map(Some)) {
        return;
    }
    let mut next = None;
    while let Some(query) = next.take().or_else(|| queries.recv().ok()) {
        let wants_more = |answer| {
            let is_open = answers.send(answer).is_ok();
            // Only the newest query matters.
            while let Ok(newer) = queries.try_recv() {
                next = Some(newer);
            }
            is_open && next.is_none()
        };
        if !send(searcher.answer(query, wants_more)) {
            return;
        }
    }
}
