//! Writing the configuration file in place, and reading one whose writer was killed.
//!
//! Two copies are kept while the file is written: its text before and its new text. They lie beside
//! it, or in the data directory where there is no room beside it. Invariants: both are durable
//! before the first byte of the file changes, and they go only once the file is durable; a file
//! that was torn is read as its new text, which was checked before; what a person has edited since
//! is never taken for torn; copies that another user can have written are ignored.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use crate::config::MAX_FILE_SIZE;
use crate::config::replace_place::{ReplacePlace, sync_dir};

/// The longest time between the copies and the end of a write: more than a slow disk takes.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

/// The data directory that goes with each configuration file of this process.
static DATA_DIRS: Mutex<Option<HashMap<PathBuf, PathBuf>>> = Mutex::new(None);

/// Remembers where copies may lie if there is no room beside the file.
pub(super) fn remember_data_dir(file: &Path, data_dir: &Path) {
    let mut known = DATA_DIRS.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(file.to_owned(), data_dir.to_owned());
}

/// The copies of one file, in one of the places they may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// What the file held before.
    pub before: PathBuf,
    /// What it was to hold.
    pub after: PathBuf,
}

impl Copies {
    fn beside(target: &Path) -> Option<Self> {
        Some(Self::called(target.parent()?, target.file_name()?))
    }

    /// Files of one name do not meet in a data directory: it makes their paths distinct.
    fn in_data_dir(file: &Path, target: &Path) -> Option<Self> {
        let known = DATA_DIRS.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = known.as_ref()?.get(file)?;
        let digest = Sha256::digest(target.as_os_str().as_encoded_bytes());
        let mut name = target.file_name()?.to_owned();
        name.push(format!("-{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])));
        Some(Self::called(dir, &name))
    }

    fn called(dir: &Path, name: &OsStr) -> Self {
        let called = |ending: &str| {
            let mut whole = OsString::from(".");
            whole.push(name);
            whole.push(ending);
            dir.join(whole)
        };
        Self { before: called(".manutop-before"), after: called(".manutop-after") }
    }

    fn all(file: &Path, target: &Path) -> impl Iterator<Item = Self> {
        [Self::beside(target), Self::in_data_dir(file, target)].into_iter().flatten()
    }

    fn dir(&self) -> &Path {
        self.before.parent().expect("a copy lies in a directory")
    }

    /// Writes both, durably; the one that a reader looks for comes last.
    fn keep(&self, before: &[u8], after: &[u8]) -> io::Result<()> {
        for (path, text) in [(&self.after, after), (&self.before, before)] {
            // Made for its owner alone, and whole or not there.
            let mut file = tempfile::Builder::new().prefix(".manutop-").tempfile_in(self.dir())?;
            file.write_all(text)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            sync_dir(self.dir())?;
        }
        Ok(())
    }

    fn check_room(&self, bytes: usize) -> io::Result<()> {
        tempfile::Builder::new().prefix(".manutop-").tempfile_in(self.dir())?.write_all(&vec![b'#'; bytes])
    }

    /// Both, where both are there, can be trusted, and are not older than an edit.
    fn read(&self, target: &Metadata) -> Option<(Vec<u8>, Vec<u8>)> {
        let read = |path: &Path| {
            let mut bytes = Vec::new();
            let file = open_trusted(path, target)?;
            let is_edit = is_edited_since(target, &file.metadata().ok()?);
            file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).ok()?;
            (!is_edit && bytes.len() as u64 <= MAX_FILE_SIZE).then_some(bytes)
        };
        Some((read(&self.before)?, read(&self.after)?))
    }

    fn discard(&self) {
        let _ = fs::remove_file(&self.before);
        let _ = fs::remove_file(&self.after);
    }
}

/// Opens a copy that only this user or the owner of the configuration can have written; `None` for anything else,
/// such as a link or a FIFO that another user has put into a shared directory.
#[cfg(unix)]
fn open_trusted(path: &Path, target: &Metadata) -> Option<File> {
    use std::os::unix::fs::MetadataExt as _;

    use rustix::fs::{Mode, OFlags};

    const OTHERS_WRITE: u32 = 0o022;
    // A FIFO is opened without a wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let found = file.metadata().ok()?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw() || found.uid() == target.uid();
    (found.is_file() && is_ours && found.mode() & OTHERS_WRITE == 0).then_some(file)
}

#[cfg(not(unix))]
fn open_trusted(path: &Path, _: &Metadata) -> Option<File> {
    fs::symlink_metadata(path).ok()?.is_file().then(|| File::open(path).ok())?
}

/// Whether the file can be written, and its copies kept.
pub(super) fn check(place: &ReplacePlace<'_>, bytes: usize) -> io::Result<()> {
    let size = open(place.target)?.metadata()?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(bytes);
    first_that_works(place, |copies| copies.check_room(size.saturating_mul(2))).map(drop)
}

/// Writes the file in place, durably. Where that fails in the middle, its text before is put back.
pub(super) fn write(place: &ReplacePlace<'_>, after: &[u8]) -> io::Result<()> {
    let mut file = open(place.target)?;
    let mut before = Vec::new();
    (&mut file).take(MAX_FILE_SIZE + 1).read_to_end(&mut before)?;
    if before.len() as u64 > MAX_FILE_SIZE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let copies = first_that_works(place, |copies| copies.keep(&before, after))?;
    let written = overwrite(&mut file, before.len(), after);
    if written.is_ok() || put_back(&mut file, &before).is_ok() {
        copies.discard();
    }
    written
}

/// Removes the copies of an earlier write, once the file is replaced.
pub(super) fn discard_copies(place: &ReplacePlace<'_>) {
    Copies::all(place.file, place.target).for_each(|copies| copies.discard());
}

/// The text of a file: what its bytes are, or its new text where its writer was killed.
pub(super) fn whole(file: &Path, bytes: Vec<u8>) -> Vec<u8> {
    match torn(file, &bytes) {
        Some((_, after)) => after,
        None => bytes,
    }
}

/// The copies of a file whose writer was killed in the middle, unless a person has edited it since.
#[must_use]
pub fn interrupted(file: &Path) -> Option<Copies> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).ok()?;
    torn(file, &bytes).map(|(copies, _)| copies)
}

fn torn(file: &Path, bytes: &[u8]) -> Option<(Copies, Vec<u8>)> {
    let target = fs::canonicalize(file).ok()?;
    let found = fs::metadata(&target).ok()?;
    Copies::all(file, &target).find_map(|copies| {
        let (before, after) = copies.read(&found)?;
        is_torn(bytes, &before, &after).then_some((copies, after))
    })
}

/// Whether the file was written so long after a copy that the writer of the copy did not do it. The writer changes the
/// file as soon as both copies are durable.
fn is_edited_since(file: &Metadata, copy: &Metadata) -> bool {
    let (Ok(file), Ok(copy)) = (file.modified(), copy.modified()) else { return false };
    file.duration_since(copy).is_ok_and(|later| later > LONGEST_WRITE)
}

/// Whether it is neither of the two texts, and each of its bytes is from one of them, or was never written.
///
/// A killed writer leaves the length of one of the texts, in a single step where the file becomes shorter. Only while the
/// file grows is its length between the two, and then its start is still the text before. Any other file is an edit, such
/// as one that puts back a part of what was removed. An edit that looks like a torn file is known by its time, see
/// [`is_edited_since`]; only one made within [`LONGEST_WRITE`] is not.
fn is_torn(bytes: &[u8], before: &[u8], after: &[u8]) -> bool {
    let is_of_one =
        |(at, byte): (usize, &u8)| before.get(at) == Some(byte) || after.get(at) == Some(byte) || *byte == 0;
    let is_growing = before.len() < bytes.len() && bytes.len() < after.len() && bytes.starts_with(before);
    bytes != before
        && bytes != after
        && (bytes.len() == before.len() || bytes.len() == after.len() || is_growing)
        && bytes.iter().enumerate().all(is_of_one)
}

fn first_that_works(place: &ReplacePlace<'_>, work: impl Fn(&Copies) -> io::Result<()>) -> io::Result<Copies> {
    let mut failure = io::Error::from(ErrorKind::NotFound);
    for copies in Copies::all(place.file, place.target) {
        match work(&copies) {
            Ok(()) => return Ok(copies),
            Err(error) => failure = error,
        }
    }
    Err(io::Error::new(failure.kind(), format!("no place for a backup copy: {failure}")))
}

fn open(target: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(target)
}

/// What is longer than before comes first: where there is no room for it, nothing else has changed.
fn overwrite(file: &mut File, before: usize, after: &[u8]) -> io::Result<()> {
    let (start, rest) = after.split_at(after.len().min(before));
    if !rest.is_empty() {
        file.seek(SeekFrom::Start(before as u64))?;
        file.write_all(rest)?;
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(start)?;
    file.set_len(after.len() as u64)?;
    file.sync_all()
}

/// Puts the text before back. The file has its length first, so that it is known for torn until all of it is there.
fn put_back(file: &mut File, before: &[u8]) -> io::Result<()> {
    if file.metadata()?.len() < before.len() as u64 {
        file.set_len(before.len() as u64)?;
    }
    overwrite(file, before.len(), before)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Copies, discard_copies, interrupted, is_torn, whole, write};
    use crate::config::replace_place::ReplacePlace;

    #[test]
    fn each_state_a_killed_writer_can_leave_is_read_as_the_new_text() {
        let texts: [(&[u8], &[u8]); 3] = [
            (b"store = 'a'\nx = 1\n", b"y = 2\n"),
            (b"y = 2\n", b"store = 'a'\nx = 1\n"),
            (b"one = 1\n", b"two = 2\n"),
        ];
        for (before, after) in texts {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("config.toml");
            fs::write(&file, before).unwrap();
            Copies::beside(&fs::canonicalize(&file).unwrap()).unwrap().keep(before, after).unwrap();
            // The longer end first, then the common start, then the length.
            let mut states = Vec::new();
            let mut now = before.to_vec();
            for at in (before.len()..after.len()).chain(0..after.len().min(before.len())) {
                if at == now.len() {
                    now.push(after[at]);
                } else {
                    now[at] = after[at];
                }
                states.push(now.clone());
            }
            states.push(after.to_vec());
            for state in states {
                fs::write(&file, &state).unwrap();
                let read = whole(&file, state.clone());
                assert!(read == after || (read == before && state == before), "{state:?}");
                assert_eq!(interrupted(&file).is_some(), state != after && state != before);
            }
        }
    }

    #[test]
    fn a_file_edited_meanwhile_is_read_as_it_is() {
        assert!(!is_torn(b"mine = 1\n", b"old = 1\n", b"new = 1\n"));
        assert!(!is_torn(b"", b"old = 1\n", b"new = 1\n"), "no write leaves it empty");
        assert!(!is_torn(b"old = 1\n# more\n", b"old = 1\n", b"new = 1\n"));
    }

    /// A torn file with both copies, as this user writes them.
    #[cfg(unix)]
    fn torn_file() -> (tempfile::TempDir, std::path::PathBuf, Copies) {
        let dir = tempfile::tempdir().unwrap();
        let file = fs::canonicalize(dir.path()).unwrap().join("config.toml");
        fs::write(&file, "two = 1\n").unwrap();
        let copies = Copies::beside(&file).unwrap();
        copies.keep(b"one = 1\n", b"two = 2\n").unwrap();
        (dir, file, copies)
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_that_another_user_can_have_written_is_ignored() {
        use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
        use std::path::Path;

        type Plant<'a> = (&'static str, &'a dyn Fn(&Path));

        let by_another = |path: &Path| chown(path, Some(12_345), None).unwrap();
        let writable = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o620)).unwrap();
        let linked = |path: &Path| {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            symlink(&elsewhere, path).unwrap();
        };
        let fifo = |path: &Path| {
            fs::remove_file(path).unwrap();
            assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(path).status().unwrap().success());
        };
        let mut plants: Vec<Plant> = vec![("writable", &writable), ("a link", &linked), ("a FIFO", &fifo)];
        if rustix::process::geteuid().is_root() {
            plants.push(("of another user", &by_another));
        } else {
            eprintln!("not root: no file is given to another user");
        }
        for (what, plant) in plants {
            for is_before in [true, false] {
                let (_dir, file, copies) = torn_file();
                assert!(interrupted(&file).is_some());
                plant(if is_before { &copies.before } else { &copies.after });
                assert_eq!(interrupted(&file), None, "{what}");
                assert_eq!(whole(&file, b"two = 1\n".to_vec()), b"two = 1\n", "{what}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_of_the_configurations_owner_is_read_by_root() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: not root");
            return;
        }
        let (_dir, file, copies) = torn_file();
        for path in [&file, &copies.before, &copies.after] {
            std::os::unix::fs::chown(path, Some(12_345), None).unwrap();
        }
        assert_eq!(interrupted(&file), Some(copies));
    }

    #[test]
    fn a_section_put_back_after_a_crash_is_an_edit() {
        let (before, after) = (&b"[a]\nx = 1\n[b]\ny = 2\n[c]\nz = 3\n"[..], &b"[a]\nx = 1\n"[..]);
        for len in after.len() + 1..before.len() {
            assert!(!is_torn(&before[..len], before, after), "{len}");
        }
        // The end of one text after the start of the other.
        let (old, new) = (&b"one = 1\n"[..], &b"two = 2\nmore = 3\n"[..]);
        assert!(!is_torn(&new[..12], old, new), "the writer has changed the start before it was done with the end");
        assert!(is_torn(b"one = 1\nmor", old, new));
    }

    #[cfg(unix)]
    #[test]
    fn what_was_written_long_after_the_copies_is_an_edit() {
        use std::time::{Duration, SystemTime};

        for (seconds, is_edit) in [(-3600, false), (0, false), (30, false), (90, true), (86_400, true)] {
            let (_dir, file, copies) = torn_file();
            let kept_at = fs::metadata(&copies.before).unwrap().modified().unwrap();
            let distance = Duration::from_secs(i64::unsigned_abs(seconds));
            let time: SystemTime = if seconds < 0 { kept_at - distance } else { kept_at + distance };
            fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
            assert_eq!(interrupted(&file).is_none(), is_edit, "{seconds}");
            assert_eq!(whole(&file, b"two = 1\n".to_vec()) == b"two = 1\n", is_edit, "{seconds}");
        }
    }

    #[test]
    fn a_write_leaves_the_file_its_inode_and_no_copy() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("config.toml");
        for text in ["a much longer text than before\n", "short\n", ""] {
            fs::write(&target, "the text before\n").unwrap();
            let mode = fs::metadata(&target).unwrap().permissions();
            let place = ReplacePlace { file: &target, target: &target, mode: Some(&mode) };
            write(&place, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
            discard_copies(&place);
        }
    }
}
