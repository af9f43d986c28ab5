//! The history of a connection's generations: a file of JSON lines beside its journal.
//!
//! Nothing depends on it: it is written after a record is safe, and lines that cannot be read are
//! left out. It is only written under the connection's lock, so that lines are whole and one process at a time
//! shortens the file.

use std::fs;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::domain::{ConnectionName, Rotation};
use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::tokens::on_disk::on_disk;
use crate::tokens::vault::Vault;

/// The most generations that are kept and returned.
const KEPT: usize = 50;
/// From this size on, in bytes, the file is shortened to that many.
const MAX_SIZE: u64 = 64 * 1024;

impl Vault {
    /// How a connection's newest generations were obtained, at most fifty, newest first. A logout
    /// keeps it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn history(&self, name: &ConnectionName) -> Result<Vec<Rotation>, StoreError> {
        let path = self.data_dir().history(name);
        on_disk(move || read(&path)).await
    }

    /// Removes that history, with the connection.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub async fn remove_history(&self, name: &ConnectionName) -> Result<(), StoreError> {
        let path = self.data_dir().history(name);
        on_disk(move || remove(&path)).await
    }

    /// The newest generation in the history; 0 without one. If it is newer than what journal and
    /// store know, both were rolled back, as by a backup that was restored.
    ///
    /// # Errors
    /// The disk does not answer.
    pub async fn newest_in_history(&self, name: &ConnectionName) -> Result<u64, StoreError> {
        let path = self.data_dir().history(name);
        on_disk(move || Ok(newest(&path))).await
    }
}

/// Appends a generation. Blocks on the disk.
pub(crate) fn append(path: &Path, rotation: &Rotation) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    private_files::private_dir(path.parent().expect("a history lies in a directory"))?;
    let text = tail(path)?;
    let mut line = serde_json::to_string(rotation).expect("strings, numbers and times always serialise") + "\n";
    if fs::metadata(path).is_ok_and(|file| file.len() >= MAX_SIZE) {
        shorten(path, &text)?;
    } else if !text.is_empty() && !text.ends_with('\n') {
        // The last writer was killed in the middle of a line.
        line.insert(0, '\n');
    }
    private_files::private_file()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(failed)
}

/// The newest generations, newest first; of two lines about one generation the earlier counts.
/// Blocks on the disk.
fn read(path: &Path) -> Result<Vec<Rotation>, StoreError> {
    let mut rotations: Vec<Rotation> = tail(path)?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    rotations.sort_by_key(|rotation| rotation.generation); // stable: the earlier line stays first
    rotations.dedup_by_key(|rotation| rotation.generation);
    rotations.reverse();
    rotations.truncate(KEPT);
    Ok(rotations)
}

/// The newest generation it knows of; 0 if there is none, or the file cannot be read. Blocks on the
/// disk.
fn newest(path: &Path) -> u64 {
    read(path).ok().and_then(|rotations| rotations.first().map(|newest| newest.generation)).unwrap_or(0)
}

/// Makes one history a copy of the other, which may be missing. Blocks on the disk.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let text = tail(from)?;
    if text.is_empty() {
        return remove(to);
    }
    private_files::replace(to, text)
}

/// Removes it; a missing one is fine. Blocks on the disk.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    private_files::remove(path)
}

/// Leaves only the newest lines. A crash leaves the old file or the new one.
fn shorten(path: &Path, text: &str) -> Result<(), StoreError> {
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines[lines.len().saturating_sub(KEPT)..].join("\n") + "\n";
    let dir = path.parent().expect("a history lies in a directory");
    // It is private to its owner.
    let file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir);
    file.and_then(|mut file| {
        file.write_all(kept.as_bytes())?;
        Ok(file.persist(path)?)
    })
    .map(drop)
    .map_err(|error| StoreError::io("write", path, error))
}

/// The end of the file, at most twice its maximum size; empty if there is none.
fn tail(path: &Path) -> Result<String, StoreError> {
    let failed = |error| StoreError::io("read", path, error);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        // Reading anything but a file could wait for ever.
        _ => return Ok(String::new()),
    }
    let mut bytes = Vec::new();
    let mut read = || {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(2 * MAX_SIZE)))?;
        file.take(2 * MAX_SIZE).read_to_end(&mut bytes)
    };
    read().map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{KEPT, MAX_SIZE, append, read, remove};
    use crate::domain::{Obtained, Program, Rotation};
    use crate::tokens::record::tests::record;

    fn rotation(generation: u64) -> Rotation {
        Rotation::of(&record(generation), Obtained::Refresh, None, Some(Program::Dashboard))
    }

    #[test]
    fn generations_come_back_newest_first_from_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history/factory.jsonl");
        assert_eq!(read(&path).unwrap(), []);
        for generation in 1..=3 {
            append(&path, &rotation(generation)).unwrap();
        }
        assert_eq!(read(&path).unwrap(), [3, 2, 1].map(rotation));
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("access-3") && !text.contains("refresh-3"), "no secret: {text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(path.as_path()), mode(path.parent().unwrap())), (0o600, 0o700));
        }
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(read(&path).unwrap(), []);
    }

    #[test]
    fn a_line_that_was_cut_off_costs_no_other_and_the_first_line_about_a_generation_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.jsonl");
        append(&path, &rotation(1)).unwrap();
        fs::write(&path, fs::read_to_string(&path).unwrap() + r#"{"generation":2,"at":"20"#).unwrap();
        append(&path, &rotation(3)).unwrap();
        append(&path, &Rotation::of(&record(3), Obtained::Recovered, None, None)).unwrap();
        assert_eq!(read(&path).unwrap(), [3, 1].map(rotation));
    }

    #[test]
    fn the_file_stays_bounded_and_keeps_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.jsonl");
        for generation in 1..=1000 {
            append(&path, &rotation(generation)).unwrap();
            assert!(fs::metadata(&path).unwrap().len() < MAX_SIZE + 1000);
        }
        let read = read(&path).unwrap();
        assert_eq!((read.len(), read[0].generation), (KEPT, 1000));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
