//! Reads the request log from its oldest entry to its newest, and follows what is appended.
//!
//! Invariants: what another process appends is read exactly once, even if files are rotated meanwhile: an open file is
//! read to its end whatever its name is by then. Memory holds one line at a time. Nothing is created or changed on disk
//! except the rotation lock.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::{fs, io};

use same_file::Handle;

use crate::domain::LogEntry;
use crate::request_log::segments::files::{SegmentFiles, SegmentNumber};
use crate::request_log::segments::lines::LONGEST_LINE;

/// A position in the request log. Blocks on the disk: not for the drawing thread.
pub struct SegmentReader {
    files: SegmentFiles,
    /// A finished file that has been read to its end. A process that opened it before it was rotated may still append.
    done: Option<Tail>,
    /// The finished segments to read before `ahead`, oldest first. They are opened one at a time: there may be hundreds.
    finished: VecDeque<SegmentNumber>,
    /// The open files to read, oldest first; the last is the current one.
    ahead: VecDeque<Tail>,
}

impl SegmentReader {
    /// Starts with the oldest entry of the log in a data directory, which need not exist yet.
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

    /// Starts with this segment, or the first after it if it is gone.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub fn open_at(data_dir: &Path, segment: SegmentNumber) -> io::Result<Self> {
        let mut reader = Self::open(data_dir)?;
        reader.finished.retain(|number| *number >= segment);
        Ok(reader)
    }

    /// The next entry; `None` if there is none yet, and a later call may return one. Damaged lines are skipped.
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
                // It may have been rotated out.
                self.done = open(&self.files.finished(number))?.map(Tail::new).or(self.done.take());
            } else if self.ahead.len() > 1 {
                self.done = self.ahead.pop_front();
            } else if !self.open_newer()? {
                return Ok(None);
            }
        }
    }

    /// Opens files newer than the last one opened. Returns whether there are any.
    fn open_newer(&mut self) -> io::Result<bool> {
        // The usual case, which needs no lock: nothing has been rotated.
        if open(&self.files.current())?.is_none_or(|current| self.knows(&current)) && !self.ahead.is_empty() {
            return Ok(false);
        }
        let _lock = self.files.hold_still();
        let mut newer = VecDeque::new();
        let finished = self.files.numbers()?.into_iter().map(|number| self.files.finished(number));
        for path in std::iter::once(self.files.current()).chain(finished) {
            match open(&path)? {
                Some(handle) if self.knows(&handle) => break,
                Some(handle) => newer.push_front(Tail::new(handle)),
                None => {}
            }
        }
        let found = !newer.is_empty();
        self.ahead.extend(newer);
        Ok(found)
    }

    /// Whether it is the last file opened, or the one before if the last has been removed.
    fn knows(&self, handle: &Handle) -> bool {
        self.ahead.back().into_iter().chain(&self.done).any(|tail| tail.is(handle))
    }
}

/// Opens a file of the log if it exists.
fn open(path: &Path) -> io::Result<Option<Handle>> {
    // Opening anything but a regular file could block for ever.
    let opened =
        fs::metadata(path).and_then(|metadata| metadata.is_file().then(|| Handle::from_path(path)).transpose());
    match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened,
    }
}

/// One file, and how far it has been read.
struct Tail {
    file: BufReader<IdentifiedFile>,
    /// The line being read, as far as it has arrived.
    line: Vec<u8>,
    /// Whether that line is too long to be an entry.
    is_too_long: bool,
}

/// A file that can be compared with others.
struct IdentifiedFile(Handle);

impl io::Read for IdentifiedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.as_file_mut().read(bytes)
    }
}

impl Tail {
    fn new(handle: Handle) -> Self {
        Self { file: BufReader::new(IdentifiedFile(handle)), line: Vec::new(), is_too_long: false }
    }

    fn is(&self, handle: &Handle) -> bool {
        self.file.get_ref().0 == *handle
    }

    /// The next entry. A line without a line break is completed by a later call, unless it is an entry already.
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
