//! Files and directories that are private to their owner and survive a crash.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::{fs, io};

use crate::fault_point::Step;
use crate::secrets::error::StoreError;
use crate::trust::Purpose;
use crate::{fault_point, trust};

/// Makes a private directory within the data directory. An existing one is left unchanged, and must be ours.
pub(crate) fn private_dir(path: &Path) -> Result<(), StoreError> {
    make(path, Purpose::Data)
}

/// Makes the data directory, private to its owner. An existing one is left unchanged: it may hold other things too.
pub(crate) fn data_dir(path: &Path) -> Result<(), StoreError> {
    make(path, Purpose::DataDirectory)
}

fn make(path: &Path, purpose: Purpose) -> Result<(), StoreError> {
    // Nothing is made in a directory of another user.
    trust::check(path, purpose)?;
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StoreError::io("make directory", path, error))?;
    // In a shared directory another user may have been faster.
    Ok(trust::check(path, purpose)?)
}

/// Options that make a new file private to its owner.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The whole text of a file, if it is a file, has no more than `most` bytes and is UTF-8. For files that are
/// useful and may be missing.
pub(crate) fn whole_text(path: &Path, most: u64) -> Option<String> {
    // Reading anything but a file could wait for ever.
    path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= most)?;
    let mut text = String::new();
    File::open(path).ok()?.take(most).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Replaces a file as a whole: after a crash it holds the old text or the new one, and once this
/// returns, the new one. Only one writer at a time (the connection's lock ensures it): the
/// temporary file's name is fixed, so that a killed writer leaves at most one behind.
pub(crate) fn replace(path: &Path, content: impl AsRef<[u8]>) -> Result<(), StoreError> {
    let name = path.file_name().expect("what is replaced has a file name");
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(".new");
    let temporary = path.with_file_name(temporary);
    let failed = |error| StoreError::io("write", path, error);
    let written = write_synced(&temporary, content.as_ref()).and_then(|()| {
        fault_point::pass(Step::JournalWritten);
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // It may hold nothing of use; the write's own failure is the one reported.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(failed)?;
    sync_dir(parent(path)).map_err(failed)
}

/// Makes a file as a whole, durably, unless there is one; returns whether it was made. Of several attempts
/// at once exactly one succeeds.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<bool, StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    // It is private to its owner.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(parent(path)).map_err(failed)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error.error)),
    }
    sync_dir(parent(path)).map_err(failed)?;
    Ok(true)
}

/// Removes a file, durably; a missing one is fine.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| sync_dir(parent(path))),
    }
    .map_err(|error| StoreError::io("remove", path, error))
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("what is kept lies in a directory")
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = private_file().write(true).truncate(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(()) // directories cannot be opened; NTFS journals the rename
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{data_dir, private_dir, replace};
    use crate::secrets::error::StoreError;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o1777
    }

    #[test]
    fn what_is_made_is_private_to_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        private_dir(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        replace(&made.join("x.json"), "text").unwrap();
        assert_eq!(mode(&made.join("x.json")), 0o600);
    }

    #[test]
    fn a_directory_that_is_there_keeps_its_mode_and_is_refused_if_others_can_write_there() {
        let dir = tempfile::tempdir().unwrap();
        for made in ["letter.txt", "journals"] {
            fs::create_dir(dir.path().join(made)).unwrap();
            for (before, allowed) in [(0o755, true), (0o711, true), (0o1777, false), (0o777, false), (0o772, false)] {
                fs::set_permissions(dir.path(), fs::Permissions::from_mode(before)).unwrap();
                for (what, outcome) in [("data", data_dir(dir.path())), ("own", private_dir(dir.path()))] {
                    assert_eq!(outcome.is_ok(), allowed, "{what} {before:o}");
                    assert!(allowed || matches!(outcome, Err(StoreError::Untrusted(_))));
                    assert_eq!(mode(dir.path()), before);
                }
            }
        }
    }

    #[test]
    fn replacing_leaves_one_file_with_the_new_text_even_after_a_killed_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        fs::write(dir.path().join(".x.json.new"), "half a wri").unwrap();
        for text in ["long old text", "new"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
