//! The lines of one file of the log, from its end to its beginning, a block at a time.
//!
//! Invariants: only what is needed is read, and counted; memory holds one block and the line that reaches into it; a
//! line longer than any entry is skipped in pieces.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::{fs, io};

/// How much is read at once, in bytes; less at first, because the last line is often enough.
const BLOCK: usize = 64 * 1024;
const FIRST_BLOCK: usize = 4 * 1024;
/// The longest line that is read, in bytes; headers are bounded far below.
pub(crate) const LONGEST_LINE: usize = 1024 * 1024;

/// Reads a file line by line, backwards.
#[derive(Debug)]
pub struct LinesBackwards {
    file: File,
    /// What has been read; up to `end` it has not been returned yet. It starts `start` bytes into the file.
    bytes: Vec<u8>,
    start: u64,
    end: usize,
    /// Whether `bytes` ends in a line that is too long to be an entry.
    is_too_long: bool,
    /// How many bytes were read of the file.
    read: u64,
}

impl LinesBackwards {
    /// Starts with the last line of a file; `None` if there is no such file.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        // Opening anything but a regular file could block for ever.
        let opened = fs::metadata(path).and_then(|metadata| metadata.is_file().then(|| File::open(path)).transpose());
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let Some(file) = file else { return Ok(None) };
        let start = file.metadata()?.len();
        Ok(Some(Self { file, bytes: Vec::new(), start, end: 0, is_too_long: false, read: 0 }))
    }

    /// Continues with the line that ends before this offset.
    pub(crate) fn before(mut self, offset: u64) -> Self {
        self.start = self.start.min(offset);
        self
    }

    /// The offset up to which lines have not been returned yet.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.end as u64
    }

    /// How many bytes have been read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The line before the previous result, without its line break, and its offset; `None` at the beginning of the
    /// file.
    pub(crate) fn previous(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            let whole = self.end - usize::from(self.bytes[..self.end].ends_with(b"\n"));
            let begin = memchr::memrchr(b'\n', &self.bytes[..whole]).map(|at| at + 1);
            if begin.is_none() && self.start > 0 {
                self.read_block()?;
                continue;
            }
            if self.end == 0 {
                return Ok(None);
            }
            let begin = begin.unwrap_or(0);
            self.end = begin;
            if !std::mem::take(&mut self.is_too_long) {
                return Ok(Some((self.start + begin as u64, &self.bytes[begin..whole])));
            }
        }
    }

    /// Reads the preceding block of the file.
    fn read_block(&mut self) -> io::Result<()> {
        if self.end > LONGEST_LINE {
            // Its line break is kept, so that the line before it is not taken for a part of it.
            self.is_too_long = true;
            self.bytes.drain(..self.end - 1);
            self.end = 1;
            self.bytes[0] = b'\n';
        }
        let block = if self.read == 0 { FIRST_BLOCK } else { BLOCK };
        let size = block.min(usize::try_from(self.start).unwrap_or(BLOCK));
        self.bytes.truncate(self.end);
        self.bytes.splice(0..0, std::iter::repeat_n(0, size));
        self.start -= size as u64;
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut self.bytes[..size])?;
        self.read += size as u64;
        self.end += size;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        fs::write(&path, text).unwrap();
        let mut lines = LinesBackwards::open(&path).unwrap().unwrap();
        let mut found = Vec::new();
        while let Some((at, line)) = lines.previous().unwrap() {
            found.push((at, line.to_vec()));
        }
        assert_eq!(lines.bytes_read(), text.len() as u64);
        found
    }

    #[test]
    fn lines_are_returned_from_last_to_first_with_their_offsets() {
        assert_eq!(lines_of(b""), []);
        assert_eq!(lines_of(b"one\ntwo\n"), [(4, b"two".to_vec()), (0, b"one".to_vec())]);
        assert_eq!(lines_of(b"one\n\ntorn"), [(5, b"torn".to_vec()), (4, vec![]), (0, b"one".to_vec())]);
    }

    #[test]
    fn lines_that_span_blocks_are_whole_and_overlong_ones_are_skipped() {
        let long = |length, letter| vec![letter; length];
        let mut text = b"first\n".to_vec();
        let mut expected = vec![(0, b"first".to_vec())];
        for length in [BLOCK - 1, BLOCK, 3 * BLOCK + 7, 10] {
            expected.insert(0, (text.len() as u64, long(length, b'x')));
            text.extend(long(length, b'x'));
            text.push(b'\n');
        }
        assert_eq!(lines_of(&text), expected);
        text.extend(long(3 * LONGEST_LINE, b'y'));
        text.extend(b"\nlast\n");
        expected.insert(0, (text.len() as u64 - 5, b"last".to_vec()));
        assert_eq!(lines_of(&text), expected);
    }
}
