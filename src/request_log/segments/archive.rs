//! Reads the request log from its newest entry back, segment by segment, no more than is asked.
//!
//! Invariants: a segment's number goes on meaning the same entries while others append and rotate;
//! one that made room is told as gone; nothing is made or changed on the disk but the lock on
//! rotating.

use std::cell::Cell;
use std::io;
use std::path::Path;

use crate::domain::LogSummary;
use crate::request_log::segments::files::{Number, SegmentFiles};
use crate::request_log::segments::lines::LinesBackwards;
use crate::request_log::segments::summary;

/// The log of a data directory. Blocks on the disk: not for a thread that anything waits for.
#[derive(Debug)]
pub struct LogSegments {
    files: SegmentFiles,
    bytes_read: Cell<u64>,
}

impl LogSegments {
    /// The log of a data directory, which need not be there yet. Nothing is read.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { files: SegmentFiles::new(data_dir), bytes_read: Cell::new(0) }
    }

    /// How many bytes of the log's files were read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// The segments there are, the youngest first; the first is the one that is written, whether
    /// anything was written to it yet or not.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn segments(&self) -> io::Result<Vec<Number>> {
        let _lock = self.files.hold_still();
        let mut numbers = self.files.numbers()?;
        numbers.insert(0, SegmentFiles::next(&numbers));
        Ok(numbers)
    }

    /// What is in a segment, where it says so.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn summary(&self, segment: Number) -> io::Result<Option<LogSummary>> {
        let Some(mut lines) = LinesBackwards::open(&self.files.finished(segment))? else { return Ok(None) };
        let summary = summary::read(&mut lines);
        self.count(&lines);
        summary
    }

    /// Tells the lines of a segment, from the last one back, each with its place in the file; of
    /// those only that end before `end`, where it is given. `told` answers whether it wants more.
    /// False where the segment is gone, or not there yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lines(
        &self,
        segment: Number,
        end: Option<u64>,
        mut told: impl FnMut(u64, &[u8]) -> bool,
    ) -> io::Result<bool> {
        let Some(lines) = self.open(segment)? else { return Ok(false) };
        let mut lines = match end {
            Some(end) => lines.before(end),
            None => lines,
        };
        let outcome = loop {
            match lines.previous() {
                Ok(Some((at, line))) => {
                    if !told(at, line) {
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

    fn open(&self, segment: Number) -> io::Result<Option<LinesBackwards>> {
        let finished = || LinesBackwards::open(&self.files.finished(segment));
        if let Some(lines) = finished()? {
            return Ok(Some(lines));
        }
        // It is the one that is written, was finished just now, or is gone.
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
