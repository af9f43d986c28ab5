//! The request log on disk: one JSON line per HTTP exchange, in segments of 2 MiB, within the size that the
//! configuration allows.
//!
//! Invariants: appending never waits for the disk (one plain thread writes; what it cannot keep up with is dropped and
//! counted); each line is one `O_APPEND` write, so that several processes can share the files and a killed one loses at
//! most its own line. Entries hold no secret before they get here, see [`LogEntry`].

pub mod archive;
pub mod files;
pub mod lines;
pub mod reader;
pub mod summary;

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

use crate::domain::{Event, LogEntry};
use crate::request_log::segments::archive::LogSegments;
use crate::request_log::segments::files::{SEGMENT, SUMMARY_ROOM, SegmentFiles};

/// How many entries may wait for the disk.
const WAITING: usize = 1024;
/// How long dropping the log waits for the disk.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// Appends to the request log. Dropping it waits, for half a second at most, until everything is written.
pub struct RequestLog {
    lines: Option<SyncSender<Vec<u8>>>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
    trouble: Arc<LogFailures>,
    limit: Arc<AtomicU64>,
}

#[derive(Default)]
struct LogFailures {
    dropped: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl RequestLog {
    /// Starts the thread that writes to `<data_dir>/requests.jsonl`. Nothing on disk is touched before the first entry.
    /// All files together may grow to `limit` bytes.
    #[must_use]
    pub fn start(data_dir: &Path, limit: u64) -> Self {
        let (lines, received) = mpsc::sync_channel(WAITING);
        let (running, ended) = mpsc::channel();
        let trouble = Arc::new(LogFailures::default());
        let limit = Arc::new(AtomicU64::new(limit));
        let files = SegmentFiles::new(data_dir);
        let writer = Writer { files, torn: false, trouble: Arc::clone(&trouble), limit: Arc::clone(&limit) };
        let started = thread::Builder::new().name("request-log".into()).spawn(move || {
            writer.run(&received);
            drop(running);
        });
        if let Err(error) = &started {
            trouble.failed(error);
        }
        Self { lines: started.is_ok().then_some(lines), ended, trouble, limit }
    }

    /// Changes how many bytes all files together may take, from the next segment on.
    pub fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// Appends the exchange that an event reports, if it reports one.
    pub fn record(&self, event: &Event) {
        if let Event::RequestLogged(entry) = event {
            self.append(entry);
        }
    }

    /// Appends an entry. Returns at once.
    pub fn append(&self, entry: &LogEntry) {
        let line = serde_json::to_vec(entry).ok().map(|mut line| {
            line.push(b'\n');
            line
        });
        let sent = self.lines.as_ref().zip(line).is_some_and(|(lines, line)| lines.try_send(line).is_ok());
        if !sent {
            self.trouble.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is wrong with the log, in plain words: why it cannot be written, or that the disk does not keep up.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let error = self.trouble.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let dropped = self.trouble.dropped.load(Ordering::Relaxed);
        match (error, dropped) {
            (None, 0) => None,
            (None, n) => Some(format!("the request log on disk lacks {n} entries: the disk does not keep up")),
            (Some(error), n) => Some(format!("the request log on disk lacks {n} entries: {error}")),
        }
    }

    /// Closes the log like dropping it, and returns what is wrong with it.
    #[must_use]
    pub fn close(mut self) -> Option<String> {
        self.finish();
        self.trouble()
    }

    fn finish(&mut self) {
        self.lines = None; // the thread ends once it has written everything
        let _ = self.ended.recv_timeout(CLOSE_WAIT);
    }

    /// The newest `count` entries of the log in a data directory, oldest first. Damaged lines are skipped. Blocks on the
    /// disk: not for the drawing thread.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub fn tail(data_dir: &Path, count: usize) -> io::Result<Vec<LogEntry>> {
        let archive = LogSegments::new(data_dir);
        let mut newest_first = Vec::new();
        for segment in archive.segments()? {
            if newest_first.len() == count {
                break;
            }
            archive.lines(segment, None, |_, line| {
                newest_first.extend(serde_json::from_slice::<LogEntry>(line));
                newest_first.len() < count
            })?;
        }
        newest_first.reverse();
        Ok(newest_first)
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        self.finish();
    }
}

impl LogFailures {
    fn failed(&self, error: &io::Error) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }
}

/// What the thread owns.
struct Writer {
    files: SegmentFiles,
    /// Whether the last write stopped in the middle of a line.
    torn: bool,
    trouble: Arc<LogFailures>,
    limit: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, lines: &Receiver<Vec<u8>>) {
        while let Ok(line) = lines.recv() {
            if let Err(error) = self.write(line) {
                self.trouble.dropped.fetch_add(1, Ordering::Relaxed);
                self.trouble.failed(&error);
            }
        }
    }

    fn write(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        if self.torn {
            line.insert(0, b'\n');
        }
        // Opened each time: another process may have rotated, and requests are rare.
        let mut file = self.files.open()?;
        let size = line.len() as u64;
        if file.metadata()?.len() + size > SEGMENT - SUMMARY_ROOM {
            self.files.rotate(size, self.limit.load(Ordering::Relaxed))?;
            file = self.files.open()?;
        }
        let written = file.write(&line)?;
        self.torn = written < line.len();
        if self.torn { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }
}
