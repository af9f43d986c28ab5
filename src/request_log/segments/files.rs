//! The files of the request log: the current `requests.jsonl`, and finished segments with ascending numbers:
//! `requests-000001.jsonl`. A number is never reused while a later one exists, so it stays valid whatever is rotated
//! meanwhile. `requests.jsonl.1` to `.4` are from older versions; they count as the oldest and are removed as room is
//! needed.
//!
//! Invariants: only the holder of a file lock rotates, and checks again once it holds the lock, so that two processes
//! never rotate twice; files are readable by their owner only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::request_log::segments::lines::LinesBackwards;
use crate::request_log::segments::summary;

/// The largest size of one file, in bytes.
pub(crate) const SEGMENT: u64 = 2 * 1024 * 1024;
/// How much of that is reserved for the summary.
pub(crate) const SUMMARY_ROOM: u64 = 32 * 1024;
/// How many files older versions kept besides the current one.
const OF_OLD: i64 = 4;
/// How long to wait for another process that rotates.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// The number of a segment; newer ones have higher numbers. Files of older versions are negative.
pub type SegmentNumber = i64;

/// The files of a data directory.
#[derive(Debug, Clone)]
pub(crate) struct SegmentFiles {
    directory: PathBuf,
}

impl SegmentFiles {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub(crate) fn current(&self) -> PathBuf {
        self.directory.join("requests.jsonl")
    }

    /// The path of a finished segment.
    pub(crate) fn finished(&self, number: SegmentNumber) -> PathBuf {
        self.directory.join(match number {
            ..0 => format!("requests.jsonl.{}", -number),
            _ => format!("requests-{number:06}.jsonl"),
        })
    }

    /// The existing finished segments, newest first.
    pub(crate) fn numbers(&self) -> io::Result<Vec<SegmentNumber>> {
        let mut numbers = Vec::new();
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(numbers),
            entries => entries?,
        };
        for entry in entries {
            numbers.extend(entry?.file_name().to_str().and_then(number_of));
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// The number that the current file will get, given the finished ones.
    pub(crate) fn next(numbers: &[SegmentNumber]) -> SegmentNumber {
        numbers.first().copied().unwrap_or(0).max(0) + 1
    }

    /// Keeps other processes from rotating, if there is anything to rotate. During a rotation a file could be seen twice
    /// or not at all. Nothing worse happens without the lock, so failing to get it is no error.
    pub(crate) fn hold_still(&self) -> Option<File> {
        if self.current().exists() { self.lock().ok().flatten() } else { None }
    }

    /// Opens the current file.
    pub(crate) fn open(&self) -> io::Result<File> {
        let path = self.current();
        match private(OpenOptions::new().append(true).create(true)).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create_private_directory(&self.directory)?;
                private(OpenOptions::new().append(true).create(true)).open(&path)
            }
            result => result,
        }
    }

    /// Makes room for `size` bytes in the current file, and keeps all files together within `limit`. If the lock is not
    /// free in time, the file grows beyond its limit for a while, which loses nothing.
    pub(crate) fn rotate(&self, size: u64, limit: u64) -> io::Result<()> {
        let Some(_lock) = self.lock()? else { return Ok(()) };
        // Another process may have rotated before we had the lock.
        if fs::metadata(self.current()).map_or(0, |file| file.len()) + size <= SEGMENT - SUMMARY_ROOM {
            return Ok(());
        }
        let mut numbers = self.numbers()?;
        let number = Self::next(&numbers);
        let finished = self.finished(number);
        fs::rename(self.current(), &finished)?;
        numbers.insert(0, number);
        self.make_room(&numbers, limit)?;
        // Without a summary the segment is read where it could have been skipped.
        let _ = append_summary(&finished);
        Ok(())
    }

    /// Removes the oldest files so that there is room for one more.
    fn make_room(&self, numbers: &[SegmentNumber], limit: u64) -> io::Result<()> {
        let mut room = limit.saturating_sub(SEGMENT);
        for (&number, at) in numbers.iter().zip(0..) {
            let path = self.finished(number);
            let size = fs::metadata(&path).map_or(0, |file| file.len());
            // The newest stays whatever its size: the next number follows from it.
            if size <= room || at == 0 {
                room = room.saturating_sub(size);
                continue;
            }
            room = 0;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The rotation lock, held until the file is dropped; `None` if another process keeps it.
    fn lock(&self) -> io::Result<Option<File>> {
        let path = self.directory.join("requests.lock");
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(None),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

/// The number of the finished segment with this name.
fn number_of(name: &str) -> Option<SegmentNumber> {
    if let Some(age) = name.strip_prefix("requests.jsonl.") {
        return age.parse().ok().filter(|age| (1..=OF_OLD).contains(age)).map(|age: SegmentNumber| -age);
    }
    let digits = name.strip_prefix("requests-")?.strip_suffix(".jsonl")?;
    let all_digits = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits)
}

/// Appends its summary to a finished segment.
fn append_summary(path: &Path) -> io::Result<()> {
    let Some(line) = LinesBackwards::open(path)?.map(summary::line_of).transpose()?.flatten() else { return Ok(()) };
    if line.len() as u64 <= SUMMARY_ROOM {
        private(OpenOptions::new().append(true)).open(path)?.write_all(&line)?;
    }
    Ok(())
}

/// Makes the options create files that only their owner can read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn only_the_log_s_own_names_have_a_number() {
        for (name, number) in [
            ("requests-000001.jsonl", Some(1)),
            ("requests-1234567.jsonl", Some(1_234_567)),
            ("requests.jsonl.4", Some(-4)),
            ("requests.jsonl", None),
            ("requests.jsonl.5", None),
            ("requests-20260310-140231.jsonl", None),
            ("requests-+00001.jsonl", None),
            ("requests-000001.har", None),
        ] {
            assert_eq!(number_of(name), number, "{name}");
        }
    }
}
