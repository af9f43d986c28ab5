//! Reads the request log backwards from its newest entry, segment by segment, and no more than needed.
//!
//! Invariants: a segment's number keeps meaning the same entries while others append and rotate; a segment that has been
//! rotated out is reported as gone; nothing is created or changed on disk except the rotation lock.

use std::cell::Cell;
use std::io;
use std::path::Path;

use crate::domain::LogSummary;
use crate::request_log::segments::files::{SegmentFiles, SegmentNumber};
use crate::request_log::segments::lines::LinesBackwards;
use crate::request_log::segments::summary;

/// The log of a data directory. Blocks on the disk: not for the drawing thread.
#[derive(Debug)]
pub struct LogSegments {
    files: SegmentFiles,
    bytes_read: Cell<u64>,
}

impl LogSegments {
    /// The log of a data directory, which need not exist yet. Nothing is read.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { files: SegmentFiles::new(data_dir), bytes_read: Cell::new(0) }
    }

    /// How many bytes of the log's files have been read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// The existing segments, newest first. The first is the current one, even if nothing has been written to it yet.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn segments(&self) -> io::Result<Vec<SegmentNumber>> {
        let _lock = self.files.hold_still();
        let mut numbers = self.files.numbers()?;
        numbers.insert(0, SegmentFiles::next(&numbers));
        Ok(numbers)
    }

    /// The summary of a segment, if it has one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn summary(&self, segment: SegmentNumber) -> io::Result<Option<LogSummary>> {
        let Some(mut lines) = LinesBackwards::open(&self.files.finished(segment))? else { return Ok(None) };
        let summary = summary::read(&mut lines);
        self.count(&lines);
        summary
    }

    /// Passes the lines of a segment to `take`, last one first, each with its offset; with `end`, only those that end
    /// before it. `take` returns whether it wants more. False if the segment is gone or does not exist yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lines(
        &self,
        segment: SegmentNumber,
        end: Option<u64>,
        mut take: impl FnMut(u64, &[u8]) -> bool,
    ) -> io::Result<bool> {
        let Some(lines) = self.open(segment)? else { return Ok(false) };
        let mut lines = match end {
            Some(end) => lines.before(end),
            None => lines,
        };
        let outcome = loop {
            match lines.previous() {
                Ok(Some((at, line))) => {
                    if !take(at, line) {
                        break Ok(true);
                    }
                }
                Ok(None) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.count(&lines);
        outcome
    }

    fn open(&self, segment: SegmentNumber) -> io::Result<Option<LinesBackwards>> {
        let finished = || LinesBackwards::open(&self.files.finished(segment));
        if let Some(lines) = finished()? {
            return Ok(Some(lines));
        }
        // It is the current one, has just been finished, or is gone.
        let _lock = self.files.hold_still();
        if SegmentFiles::next(&self.files.numbers()?) == segment {
            LinesBackwards::open(&self.files.current())
        } else {
            finished()
        }
    }

    fn count(&self, lines: &LinesBackwards) {
        self.bytes_read.set(self.bytes_read.get() + lines.bytes_read());
    }
}
