//! The history of a connection's generations: a file of JSON lines beside its journal.
//!
//! It is worth having and nothing depends on it: it is written after a record is safe, and what
//! cannot be read of it is left out. Whoever writes holds the connection's lock, so that lines are
//! whole and the file is shortened by one process at a time.

use std::fs;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::domain::Rotation;
use crate::secrets::error::StoreError;
use crate::secrets::private_files;

/// The most generations told.
pub(crate) const TOLD: usize = 50;
/// From this size on the file is shortened to the generations told, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// Appends a generation. Blocks on the disk.
pub(crate) fn append(path: &Path, rotation: &Rotation) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    private_files::private_dir(path.parent().expect("a history lies in a directory"))?;
    let text = tail(path)?;
    let mut line = serde_json::to_string(rotation).expect("strings, numbers and times always serialise") + "\n";
    if fs::metadata(path).is_ok_and(|file| file.len() >= MAX_SIZE) {
        shorten(path, &text)?;
    } else if !text.is_empty() && !text.ends_with('\n') {
        // Whoever wrote last was killed in the middle of a line.
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
pub(crate) fn read(path: &Path) -> Result<Vec<Rotation>, StoreError> {
    let mut told: Vec<Rotation> = tail(path)?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    told.sort_by_key(|rotation| rotation.generation); // stable: the earlier line stays first
    told.dedup_by_key(|rotation| rotation.generation);
    told.reverse();
    told.truncate(TOLD);
    Ok(told)
}

/// The newest generation it knows of; 0 if there is none, or the file cannot be read. Blocks on the
/// disk.
pub(crate) fn newest(path: &Path) -> u64 {
    read(path).ok().and_then(|rotations| rotations.first().map(|newest| newest.generation)).unwrap_or(0)
}

/// Makes the one a copy of the other, missing or not. Blocks on the disk.
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
    let kept = lines[lines.len().saturating_sub(TOLD)..].join("\n") + "\n";
    let dir = path.parent().expect("a history lies in a directory");
    // Made for its owner alone.
    let file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir);
    file.and_then(|mut file| {
        file.write_all(kept.as_bytes())?;
        Ok(file.persist(path)?)
    })
    .map(drop)
    .map_err(|error| StoreError::io("write", path, error))
}

/// The end of the file, twice as much as it may hold; nothing if there is none.
fn tail(path: &Path) -> Result<String, StoreError> {
    let failed = |error| StoreError::io("read", path, error);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        // Something else than a file could make reading wait for ever.
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

    use super::{MAX_SIZE, TOLD, append, read, remove};
    use crate::domain::{Obtained, Program, Rotation};
    use crate::tokens::record::tests::record;

    fn rotation(generation: u64) -> Rotation {
        Rotation::of(&record(generation), Obtained::Refresh, None, Some(Program::Dashboard))
    }

    #[test]
    fn generations_come_back_newest_first_from_a_file_for_its_owner_alone() {
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
    fn a_line_that_was_cut_off_costs_no_other_and_the_first_word_on_a_generation_counts() {
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
        let told = read(&path).unwrap();
        assert_eq!((told.len(), told[0].generation), (TOLD, 1000));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
