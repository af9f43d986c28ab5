//! OS file locks: no time-to-live, freed by the kernel when the holder dies.
//!
//! The file is never deleted or renamed; its text is the last holder's process ID, shown to
//! those who wait, and means something only while the lock is held.

use std::fs::{File, TryLockError};
use std::io;
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::tokens::on_disk::on_disk;

/// The first pause between two tries; it grows to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How long [`wait_briefly`] waits: the holder needs a few round trips to the store; longer is a hang.
const SHORT_WAIT: Duration = Duration::from_secs(30);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldLock {
    /// Closing it frees the lock.
    _file: File,
}

/// The process that holds a lock.
pub(crate) struct Holder {
    /// Its process ID, where it can be read.
    pub(crate) pid: Option<u32>,
}

enum Attempt {
    Got(HeldLock),
    Taken(Option<u32>),
}

/// Waits for the lock. `on_wait` is called with the holder's process ID when it has to wait, and again whenever
/// the holder changes. Dropping the future gives up; a lock taken at that moment is freed.
pub(crate) async fn wait(path: PathBuf, mut on_wait: impl FnMut(Option<u32>)) -> Result<HeldLock, StoreError> {
    let mut waited_for = None;
    let mut pause = PAUSE;
    loop {
        let tried = path.clone();
        match on_disk(move || attempt(&tried)).await? {
            Attempt::Got(held) => return Ok(held),
            Attempt::Taken(holder) => {
                if waited_for != Some(holder) {
                    waited_for = Some(holder);
                    on_wait(holder);
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Waits for a lock that is never held for long; `what` names it in the error.
///
/// # Errors
/// `TimedOut`, or `Io` if the lock file cannot be opened or locked.
pub(crate) async fn wait_briefly(path: PathBuf, what: &'static str) -> Result<HeldLock, StoreError> {
    tokio::time::timeout(SHORT_WAIT, wait(path, |_| {}))
        .await
        .map_err(|_| StoreError::TimedOut { what, after: SHORT_WAIT })?
}

/// Waits for the lock on this thread, without a pause: the kernel hands it over when the holder
/// frees it or dies. `on_wait` is called first if there is a holder.
pub(crate) fn block(path: &Path, on_wait: impl FnOnce(Option<u32>)) -> Result<HeldLock, StoreError> {
    match attempt(path)? {
        Attempt::Got(held) => return Ok(held),
        Attempt::Taken(holder) => on_wait(holder),
    }
    let failed = |error| StoreError::io("lock", path, error);
    let mut file = open(path).map_err(failed)?;
    while let Err(error) = file.lock() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(failed(error));
        }
    }
    let _ = sign(&mut file);
    Ok(HeldLock { _file: file })
}

/// The lock, if it is free at this moment. Blocks on the disk.
pub(crate) fn take(path: &Path) -> Result<Option<HeldLock>, StoreError> {
    Ok(match attempt(path)? {
        Attempt::Got(held) => Some(held),
        Attempt::Taken(_) => None,
    })
}

/// Whether the lock is held at this moment. Blocks on the disk.
pub(crate) fn is_held(path: &Path) -> bool {
    holder_of(path).is_some()
}

/// The holder of the lock at this moment. Blocks on the disk.
pub(crate) fn holder_of(path: &Path) -> Option<Holder> {
    let mut file = File::open(path).ok()?;
    // A shared lock for an instant: at worst another process's attempt comes one pause later.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| Holder { pid: holder(&mut file) })
}

fn open(path: &Path) -> io::Result<File> {
    private_files::private_file().read(true).write(true).truncate(false).open(path)
}

fn attempt(path: &Path) -> Result<Attempt, StoreError> {
    let failed = |error| StoreError::io("lock", path, error);
    let mut file = open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // Only shown to others: a full disk must not cost the lock.
            let _ = sign(&mut file);
            Ok(Attempt::Got(HeldLock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => Ok(Attempt::Taken(holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The process ID in the file; `None` if there is none, or while it is being written.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}
