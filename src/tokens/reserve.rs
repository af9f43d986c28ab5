//! Disk space for an answer, reserved before the request goes out.
//!
//! A full disk must be found before a refresh token is spent, not after. So the journal entry of the answer gets its
//! space on the disk first: a private file beside the journal, `.NAME.json.room`, whose blocks are allocated. The
//! entry is written *into* that file and renamed over the journal, which needs neither a new block nor a new
//! directory entry; nor a new file descriptor, for the file and its directory stay open.
//!
//! What holds where:
//!
//! - ext4, XFS, tmpfs, F2FS: `fallocate` allocates the blocks and charges the quota; writing into them cannot fail
//!   for lack of either.
//! - btrfs: the first write into a preallocated extent goes in place, so the data has its space. The little metadata
//!   comes from a reserve of the file system's own.
//! - File systems without `fallocate` (NFS before 4.2, some FUSE, other systems than Linux): bytes that do not
//!   compress are written and synced, which allocates blocks and charges the quota as well.
//! - ZFS and other file systems that write every block to a new place: a full disk is found before the request, but
//!   one that fills up before the answer can still refuse it. So does a snapshot taken in between on btrfs.
//!
//! Invariants: there is at most one such file per connection, made and used under the connection's lock. It is
//! removed if it is not needed; one that a killed process left behind is replaced by the next reservation. Without a
//! reservation, or if it cannot be used, a journal is replaced the ordinary way (`replace`).

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use crate::fault_point;
use crate::fault_point::Step;
use crate::secrets::error::StoreError;
use crate::secrets::private_files;

/// The disk space reserved for one locked connection, if it has reserved any. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ReservedSpace(Arc<Mutex<Option<Reserved>>>);

/// The file that holds the space. Dropping it removes the file where a slow disk stalls nothing.
struct Reserved {
    file: File,
    /// The directory of file and journal.
    #[cfg(unix)]
    dir: File,
    bytes: u64,
    /// `None` once the file has become the journal.
    path: Option<PathBuf>,
}

/// Where the space for a journal is reserved. The name does not end like a journal's.
fn space_path(journal: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(journal.file_name().expect("a journal has a file name"));
    name.push(".room");
    journal.with_file_name(name)
}

/// Removes what a killed process may have reserved. Blocks on the disk.
pub(crate) fn remove_leftover(journal: &Path) -> Result<(), StoreError> {
    private_files::remove(&space_path(journal))
}

impl ReservedSpace {
    /// Reserves `bytes` bytes for the journal at this path; one that is as large and still in place is
    /// kept. Blocks on the disk.
    ///
    /// # Errors
    /// The disk or the quota is full, the directory is read-only or gone.
    pub(crate) fn reserve(&self, journal: &Path, bytes: u64) -> Result<(), StoreError> {
        let mut reserved = self.reserved();
        if reserved.as_ref().is_some_and(|reserved| reserved.bytes >= bytes && reserved.is_in_place()) {
            return Ok(());
        }
        if let Some(mut smaller) = reserved.take() {
            smaller.remove();
        }
        let made = Reserved::new(journal, bytes);
        let dir = journal.parent().expect("a journal lies in a directory");
        *reserved = Some(made.map_err(|error| StoreError::io("write to", dir, error))?);
        Ok(())
    }

    /// Replaces the journal by this text, in the space reserved. On an error the reservation stays, to be used by the
    /// next try. Blocks on the disk.
    ///
    /// # Errors
    /// A failure to write; the journal is as it was, or has the new text.
    pub(crate) fn replace(&self, journal: &Path, text: &str) -> Result<(), StoreError> {
        let mut reserved = self.reserved();
        if let Some(held) = &mut *reserved
            && held.become_journal(journal, text.as_bytes()).is_ok()
        {
            *reserved = None;
            return Ok(());
        }
        // The reserved file may have been taken away by hand.
        private_files::replace(journal, text)?;
        *reserved = None;
        Ok(())
    }

    fn reserved(&self) -> MutexGuard<'_, Option<Reserved>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    fn new(journal: &Path, bytes: u64) -> io::Result<Self> {
        let path = space_path(journal);
        // A new file: on a copy-on-write file system, blocks written before would be written to a new place.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        #[cfg(unix)]
        let dir = File::open(path.parent().expect("a journal lies in a directory"))?;
        let file = private_files::private_file().write(true).create_new(true).open(&path)?;
        let reserved = Self {
            file,
            #[cfg(unix)]
            dir,
            bytes,
            path: Some(path),
        };
        // On failure the file goes with `reserved`.
        allocate(&reserved.file, bytes)?;
        Ok(reserved)
    }

    fn become_journal(&mut self, journal: &Path, content: &[u8]) -> io::Result<()> {
        let Some(path) = &self.path else { return Err(io::ErrorKind::NotFound.into()) };
        self.file.rewind()?;
        self.file.write_all(content)?;
        self.file.set_len(content.len() as u64)?;
        self.file.sync_all()?;
        fault_point::pass(Step::JournalWritten);
        fs::rename(path, journal)?;
        self.path = None;
        #[cfg(unix)]
        self.dir.sync_all()?;
        Ok(())
    }

    /// Whether its file, and with it the directory, is where it was.
    fn is_in_place(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.exists())
    }

    fn remove(&mut self) {
        if let Some(path) = self.path.take() {
            // What cannot be removed is replaced by the next reservation.
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        let file = self.file.try_clone();
        // By then another process may hold the lock, and the file may be its.
        let remove = move || {
            if file.is_ok_and(|file| is_at(&file, &path)) {
                let _ = fs::remove_file(path);
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Whether the file still is the one at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (ours, there) = (file.metadata().map(identity), fs::symlink_metadata(path).map(identity));
    ours.ok().zip(there.ok()).is_some_and(|(ours, there)| ours == there)
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Makes the file system allocate blocks for so many bytes.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match rustix::io::retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, bytes)) {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODEV | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fill(file, bytes)
}

/// The same where it has no call for that. The bytes do not compress, so that a compressing file system allocates
/// as much as was asked for.
fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    let mut piece = [0; 4096];
    let mut left = bytes;
    while left > 0 {
        fastrand::fill(&mut piece);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        file.write_all(&piece[..length])?;
        left -= length as u64;
    }
    // Many file systems allocate late.
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{ReservedSpace, fill, space_path};

    fn files(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn the_reserved_file_becomes_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("factory.json");
        fs::write(&journal, "spending").unwrap();
        let space = ReservedSpace::default();
        space.reserve(&journal, 10_000).unwrap();
        assert_eq!(fs::metadata(space_path(&journal)).unwrap().len(), 10_000);
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::MetadataExt as _;
            let (held, written) = (fs::metadata(space_path(&journal)).unwrap(), "received".repeat(100));
            assert!(held.blocks() * 512 >= 10_000, "allocated, not a hole");
            space.replace(&journal, &written).unwrap();
            assert_eq!(fs::metadata(&journal).unwrap().ino(), held.ino(), "nothing new was needed");
        }
        space.replace(&journal, "settled").unwrap();
        assert_eq!(
            (fs::read_to_string(&journal).unwrap().as_str(), files(dir.path())),
            ("settled", vec!["factory.json".to_owned()])
        );
    }

    #[tokio::test]
    async fn a_text_that_is_longer_than_what_was_reserved_is_written_whole() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("factory.json");
        let space = ReservedSpace::default();
        space.reserve(&journal, 100).unwrap();
        space.replace(&journal, &"x".repeat(5000)).unwrap();
        assert_eq!(fs::metadata(&journal).unwrap().len(), 5000);
        assert_eq!(files(dir.path()), ["factory.json"]);
    }

    #[tokio::test]
    async fn a_reservation_that_was_taken_away_is_not_needed() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("factory.json");
        let space = ReservedSpace::default();
        space.reserve(&journal, 100).unwrap();
        fs::remove_file(space_path(&journal)).unwrap();
        space.replace(&journal, "received").unwrap();
        assert_eq!(fs::read_to_string(&journal).unwrap(), "received");
        assert_eq!(files(dir.path()), ["factory.json"]);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_replaced_and_what_is_not_used_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("factory.json");
        fs::write(space_path(&journal), vec![b'x'; 1 << 20]).unwrap();
        let space = ReservedSpace::default();
        for (bytes, reserved) in [(100, 100), (50, 100), (200, 200)] {
            space.reserve(&journal, bytes).unwrap();
            assert_eq!(fs::metadata(space_path(&journal)).unwrap().len(), reserved);
        }
        drop(space);
        for _ in 0..2000 {
            if files(dir.path()).is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("left behind: {:?}", files(dir.path()));
    }

    #[test]
    fn without_a_call_for_it_the_bytes_are_written() {
        let file = tempfile::tempfile().unwrap();
        fill(&file, 10_001).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 10_001);
    }
}
