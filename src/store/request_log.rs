//! The request log on disk: one JSON line per HTTP exchange, five files of 2 MiB at most.
//!
//! Invariants: appending never waits for the disk (one plain thread writes; what it cannot keep
//! up with is dropped and counted); each line is one `O_APPEND` write, so that several processes
//! share the files; only the holder of a file lock rotates, and looks again once it holds it, so
//! that two processes never rotate twice; files are readable by their owner only. Entries hold
//! no secret before they come here, see [`LogEntry`].

mod reader;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use reader::Reader;

use crate::domain::LogEntry;

/// The largest size of one file, in bytes.
const MAX_FILE_SIZE: u64 = 2 * 1024 * 1024;
/// How much is read of one file, in bytes. Two writers that look at once both find room, and a
/// file whose lock cannot be had grows on: what went beyond the limit is read all the same.
const MAX_READ: u64 = 2 * MAX_FILE_SIZE;
/// How many old files are kept beside the one that is written.
const OLD_FILES: u32 = 4;
/// How many entries may wait for the disk.
const WAITING: usize = 1024;
/// How long rotating waits for another process that rotates.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// How long dropping the log waits for the disk.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// Appends to the request log. Dropping it waits, for half a second at most, until what was
/// appended is written.
pub struct RequestLog {
    lines: Option<SyncSender<Vec<u8>>>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
    trouble: Arc<Trouble>,
}

#[derive(Default)]
struct Trouble {
    dropped: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl RequestLog {
    /// Starts the thread that writes to `<data_dir>/requests.jsonl`. Nothing is touched on the
    /// disk before the first entry.
    #[must_use]
    pub fn start(data_dir: &Path) -> Self {
        let (lines, received) = mpsc::sync_channel(WAITING);
        let (running, ended) = mpsc::channel();
        let trouble = Arc::new(Trouble::default());
        let writer = Writer { files: Files::new(data_dir), torn: false, trouble: Arc::clone(&trouble) };
        let started = thread::Builder::new().name("request-log".into()).spawn(move || {
            writer.run(&received);
            drop(running);
        });
        if let Err(error) = &started {
            trouble.failed(error);
        }
        Self { lines: started.is_ok().then_some(lines), ended, trouble }
    }

    /// Appends an entry. Returns at once; the disk follows.
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

    /// What is wrong with the log, in plain words: entries that were dropped because the disk
    /// does not keep up, or why it cannot be written.
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

    /// The newest `count` entries of the log in a data directory, oldest first. Lines that
    /// cannot be read are left out. Reads 20 MiB at most, from the disk: not for the drawing thread.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub fn tail(data_dir: &Path, count: usize) -> io::Result<Vec<LogEntry>> {
        let files = Files::new(data_dir);
        let _lock = files.hold_still();
        let mut newest_first = Vec::new();
        for path in files.paths() {
            let bytes = read_end(&path)?;
            let entries = bytes.rsplit(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
            newest_first.extend(entries.take(count - newest_first.len()));
            if newest_first.len() == count {
                break;
            }
        }
        newest_first.reverse();
        Ok(newest_first)
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        self.lines = None; // the thread ends when it has written what waits
        let _ = self.ended.recv_timeout(CLOSE_WAIT);
    }
}

impl Trouble {
    fn failed(&self, error: &io::Error) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }
}

/// What the thread owns.
struct Writer {
    files: Files,
    /// Whether the last write stopped in the middle of a line.
    torn: bool,
    trouble: Arc<Trouble>,
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
        // Opened anew each time: another process may have rotated, and requests are rare.
        let mut file = self.files.open()?;
        let size = line.len() as u64;
        if file.metadata()?.len() + size > MAX_FILE_SIZE {
            self.files.rotate(size)?;
            file = self.files.open()?;
        }
        let written = file.write(&line)?;
        self.torn = written < line.len();
        if self.torn { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }
}

/// The files of a data directory.
struct Files {
    directory: PathBuf,
}

impl Files {
    fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn current(&self) -> PathBuf {
        self.aged(0)
    }

    /// The files there are, the youngest first.
    fn paths(&self) -> impl DoubleEndedIterator<Item = PathBuf> {
        (0..=OLD_FILES).map(|age| self.aged(age))
    }

    /// Keeps others from rotating, where there is something to rotate. While somebody rotates, a
    /// file could be met twice or not at all. Without the lock the worst is exactly that, so it is
    /// not worth an error.
    fn hold_still(&self) -> Option<File> {
        if self.current().exists() { self.lock().ok().flatten() } else { None }
    }

    /// `requests.jsonl`, then `requests.jsonl.1` (the youngest) to `.4`.
    fn aged(&self, age: u32) -> PathBuf {
        let name = if age == 0 { "requests.jsonl".to_owned() } else { format!("requests.jsonl.{age}") };
        self.directory.join(name)
    }

    fn open(&self) -> io::Result<File> {
        let path = self.current();
        match private(OpenOptions::new().append(true).create(true)).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_private_directory(&self.directory)?;
                private(OpenOptions::new().append(true).create(true)).open(&path)
            }
            result => result,
        }
    }

    /// Makes room for `size` bytes. When the lock cannot be had in time the file grows beyond
    /// its limit for a while, which loses nothing.
    fn rotate(&self, size: u64) -> io::Result<()> {
        let Some(_lock) = self.lock()? else { return Ok(()) };
        // Another process may have rotated between our look and our lock.
        if fs::metadata(self.current()).map_or(0, |file| file.len()) + size <= MAX_FILE_SIZE {
            return Ok(());
        }
        for age in (0..OLD_FILES).rev() {
            match fs::rename(self.aged(age), self.aged(age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
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

/// The last [`MAX_READ`] bytes of a file; nothing when there is none.
fn read_end(path: &Path) -> io::Result<Vec<u8>> {
    // Something else than a file could make reading wait for ever.
    let size = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(Vec::new()),
    };
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result?,
    };
    file.seek(SeekFrom::Start(size.saturating_sub(MAX_READ)))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
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
