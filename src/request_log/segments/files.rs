//! The files of the request log: `requests.jsonl`, which is written, and finished segments, whose
//! numbers count up: `requests-000001.jsonl`. A number is never given twice while any later one is
//! there, so it says what is meant whatever is rotated meanwhile. `requests.jsonl.1` to `.4` are
//! what older versions left; they count as older than all others, and go as room is needed.
//!
//! Invariants: only the holder of a file lock rotates, and looks again once it holds it, so that
//! two processes never rotate twice; files are readable by their owner only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::request_log::segments::lines::LinesBackwards;
use crate::request_log::segments::summary;

/// The largest size of one file, in bytes.
pub(crate) const SEGMENT: u64 = 2 * 1024 * 1024;
/// How much of that is kept free for the summary of a finished one.
pub(crate) const SUMMARY_ROOM: u64 = 32 * 1024;
/// How many files older versions kept beside the one that is written.
const OF_OLD: i64 = 4;
/// How long rotating waits for another process that rotates.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// Which file of the log: the greater, the younger. Those of older versions are negative.
pub type Number = i64;

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

    /// Where a finished segment is.
    pub(crate) fn finished(&self, number: Number) -> PathBuf {
        self.directory.join(match number {
            ..0 => format!("requests.jsonl.{}", -number),
            _ => format!("requests-{number:06}.jsonl"),
        })
    }

    /// The finished segments there are, the youngest first.
    pub(crate) fn numbers(&self) -> io::Result<Vec<Number>> {
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

    /// The number that the file which is written will have, given the finished ones.
    pub(crate) fn next(numbers: &[Number]) -> Number {
        numbers.first().copied().unwrap_or(0).max(0) + 1
    }

    /// Keeps others from rotating, where there is something to rotate. While somebody rotates, a
    /// file could be met twice or not at all. Without the lock the worst is exactly that, so it is
    /// not worth an error.
    pub(crate) fn hold_still(&self) -> Option<File> {
        if self.current().exists() { self.lock().ok().flatten() } else { None }
    }

    /// Opens the file that is written.
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

    /// Makes room for `size` bytes in the file that is written, and keeps all of them together
    /// within `limit`. When the lock cannot be had in time the file grows beyond its limit for a
    /// while, which loses nothing.
    pub(crate) fn rotate(&self, size: u64, limit: u64) -> io::Result<()> {
        let Some(_lock) = self.lock()? else { return Ok(()) };
        // Another process may have rotated between our look and our lock.
        if fs::metadata(self.current()).map_or(0, |file| file.len()) + size <= SEGMENT - SUMMARY_ROOM {
            return Ok(());
        }
        let mut numbers = self.numbers()?;
        let number = Self::next(&numbers);
        let finished = self.finished(number);
        fs::rename(self.current(), &finished)?;
        numbers.insert(0, number);
        self.make_room(&numbers, limit)?;
        // Without it the segment is read where it could have been passed over: nothing worse.
        let _ = conclude(&finished);
        Ok(())
    }

    /// Removes the oldest, so that there is room for one more file.
    fn make_room(&self, numbers: &[Number], limit: u64) -> io::Result<()> {
        let mut room = limit.saturating_sub(SEGMENT);
        for (&number, at) in numbers.iter().zip(0..) {
            let path = self.finished(number);
            let size = fs::metadata(&path).map_or(0, |file| file.len());
            // The youngest stays whatever its size: the next number is counted from it.
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

    /// The lock on rotating, held until the file is dropped; `None` when another process keeps it.
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
fn number_of(name: &str) -> Option<Number> {
    if let Some(age) = name.strip_prefix("requests.jsonl.") {
        return age.parse().ok().filter(|age| (1..=OF_OLD).contains(age)).map(|age: Number| -age);
    }
    let digits = name.strip_prefix("requests-")?.strip_suffix(".jsonl")?;
    let all_digits = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits)
}

/// Ends a finished segment with its summary.
fn conclude(path: &Path) -> io::Result<()> {
    let Some(line) = LinesBackwards::open(path)?.map(summary::line_of).transpose()?.flatten() else { return Ok(()) };
    if line.len() as u64 <= SUMMARY_ROOM {
        private(OpenOptions::new().append(true)).open(path)?.write_all(&line)?;
    }
    Ok(())
}

/// Files made with these options are readable by their owner only.
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
