//! Reads the request log from its oldest entry to its newest, and on from there.
//!
//! Invariants: what another process appends is read once, also where the files are rotated
//! meanwhile: a file that was opened is read to its end under whatever name it has by then. In
//! memory is one line at a time. Nothing is made or changed on the disk but the lock on rotating.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::{fs, io};

use same_file::Handle;

use crate::domain::LogEntry;
use crate::request_log::segments::files::{Number, SegmentFiles};
use crate::request_log::segments::lines::LONGEST_LINE;

/// A place in the request log. Blocks on the disk: not for a thread that anything waits for.
pub struct SegmentReader {
    files: SegmentFiles,
    /// A file that was read to its end and is not written any more; but whoever had opened it
    /// before it was rotated may write once more.
    done: Option<Tail>,
    /// The finished segments to read before `ahead`, the oldest first. Each is opened in its turn:
    /// they may be hundreds.
    finished: VecDeque<Number>,
    /// The files to read, the oldest first; the last is the one that is written.
    ahead: VecDeque<Tail>,
}

impl SegmentReader {
    /// Begins with the oldest entry of the log in a data directory, which need not be there yet.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let files = SegmentFiles::new(data_dir);
        let still = files.hold_still();
        let finished = files.numbers()?.into_iter().rev().collect();
        let ahead = open(&files.current())?.map(Tail::new).into_iter().collect();
        drop(still);
        Ok(Self { files, done: None, finished, ahead })
    }

    /// Begins with this segment, or where it is gone with the first after it.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub fn open_at(data_dir: &Path, segment: Number) -> io::Result<Self> {
        let mut reader = Self::open(data_dir)?;
        reader.finished.retain(|number| *number >= segment);
        Ok(reader)
    }

    /// The next entry; `None` where there is none yet: asking again is fine. LinesBackwards that cannot be
    /// read are left out.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn next_entry(&mut self) -> io::Result<Option<LogEntry>> {
        loop {
            for tail in self.done.iter_mut().chain(self.ahead.front_mut().filter(|_| self.finished.is_empty())) {
                if let Some(entry) = tail.next_entry()? {
                    return Ok(Some(entry));
                }
            }
            if let Some(number) = self.finished.pop_front() {
                // One that is gone has made room.
                self.done = open(&self.files.finished(number))?.map(Tail::new).or(self.done.take());
            } else if self.ahead.len() > 1 {
                self.done = self.ahead.pop_front();
            } else if !self.look_for_files()? {
                return Ok(None);
            }
        }
    }

    /// Opens the files that are younger than the last one opened; says whether there is any.
    fn look_for_files(&mut self) -> io::Result<bool> {
        // The usual case, without the lock: nobody has rotated.
        if open(&self.files.current())?.is_none_or(|current| self.knows(&current)) && !self.ahead.is_empty() {
            return Ok(false);
        }
        let _lock = self.files.hold_still();
        let mut younger = VecDeque::new();
        let finished = self.files.numbers()?.into_iter().map(|number| self.files.finished(number));
        for path in std::iter::once(self.files.current()).chain(finished) {
            match open(&path)? {
                Some(handle) if self.knows(&handle) => break,
                Some(handle) => younger.push_front(Tail::new(handle)),
                None => {}
            }
        }
        let found = !younger.is_empty();
        self.ahead.extend(younger);
        Ok(found)
    }

    /// Whether it is the last file opened, or, where somebody took that away, the one before.
    fn knows(&self, handle: &Handle) -> bool {
        self.ahead.back().into_iter().chain(&self.done).any(|tail| tail.is(handle))
    }
}

/// Opens a file of the log, where there is one.
fn open(path: &Path) -> io::Result<Option<Handle>> {
    // Something else than a file could make opening wait for ever.
    let opened =
        fs::metadata(path).and_then(|metadata| metadata.is_file().then(|| Handle::from_path(path)).transpose());
    match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened,
    }
}

/// One file, and how far it was read.
struct Tail {
    file: BufReader<Whole>,
    /// What there is of the line that is being read.
    line: Vec<u8>,
    /// Whether that line is too long to be one of ours.
    is_too_long: bool,
}

/// A file that knows whether it is another one's.
struct Whole(Handle);

impl io::Read for Whole {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.as_file_mut().read(bytes)
    }
}

impl Tail {
    fn new(handle: Handle) -> Self {
        Self { file: BufReader::new(Whole(handle)), line: Vec::new(), is_too_long: false }
    }

    fn is(&self, handle: &Handle) -> bool {
        self.file.get_ref().0 == *handle
    }

    /// The next line that is an entry. One without its end is read on next time, unless it is
    /// whole already.
    fn next_entry(&mut self) -> io::Result<Option<LogEntry>> {
        loop {
            let room = (LONGEST_LINE as u64).saturating_sub(self.line.len() as u64);
            let read = self.file.by_ref().take(room).read_until(b'\n', &mut self.line)?;
            let is_whole = self.line.ends_with(b"\n");
            if room == 0 {
                self.is_too_long = true;
                self.line.clear();
                continue;
            }
            let entry = if self.is_too_long { None } else { serde_json::from_slice(&self.line).ok() };
            if is_whole || entry.is_some() {
                self.line.clear();
                self.is_too_long &= !is_whole;
            }
            if entry.is_some() || read == 0 {
                return Ok(entry);
            }
        }
    }
}
