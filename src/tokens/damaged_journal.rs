//! Journal files that cannot be read, kept aside before they are replaced: they may hold a sealed record.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::secrets::error::StoreError;

/// What follows the journal's name in that of a damaged one kept aside, before its number.
const ASIDE: &str = ".damaged-";
/// How many are kept of each connection.
const KEPT: u64 = 3;
/// How much of a damaged journal is searched, in bytes.
const MOST: u64 = 1024 * 1024;
/// A number with more digits than this is damage too.
const MOST_DIGITS: usize = 15;

/// The error for a journal that could not be read: is it the file, or the disk?
pub(crate) fn read_failed(path: &Path, error: io::Error) -> StoreError {
    let item = path.display().to_string();
    match error.kind() {
        ErrorKind::InvalidData => StoreError::Corrupt { item, why: "it is no text".into() },
        ErrorKind::IsADirectory => StoreError::Corrupt { item, why: "a directory is in its place".into() },
        _ if is_about_the_file(&error) && fs::symlink_metadata(path).is_ok() => {
            StoreError::Unreadable { item, why: error.to_string() }
        }
        _ => StoreError::io("read", path, error),
    }
}

#[cfg(unix)]
fn is_about_the_file(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::ACCESS, Errno::PERM, Errno::IO, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_about_the_file(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

/// The largest generation that the text of a damaged journal still shows; 0 without one.
pub(super) fn generation_in(path: &Path) -> u64 {
    let mut bytes = Vec::new();
    // What cannot be read shows none.
    let _ = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let number = |rest: &str| -> Option<u64> {
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        let digits = &rest[..rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len())];
        digits.parse().ok().filter(|_| digits.len() <= MOST_DIGITS)
    };
    text.split("\"generation\"").skip(1).filter_map(number).max().unwrap_or(0)
}

/// The damaged journals kept aside, with their numbers.
pub(super) fn asides(journal: &Path) -> Vec<(u64, PathBuf)> {
    let (Some(dir), Some(name)) = (journal.parent(), journal.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}{ASIDE}");
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> = entries.filter_map(|entry| Some((number(&entry)?, entry.path()))).collect();
    found.sort();
    found
}

/// Keeps a journal that is about to be replaced, with its mode; of several the newest. The journal
/// itself stays in place, unless it is no file or the system allows nothing else.
pub(super) fn keep_aside(journal: &Path) -> Result<(), StoreError> {
    let Ok(found) = fs::symlink_metadata(journal) else { return Ok(()) };
    let before = asides(journal);
    if before.last().is_some_and(|(_, newest)| is_kept(journal, &found, newest)) {
        return Ok(());
    }
    let number = before.last().map_or(0, |(number, _)| *number) + 1;
    let mut name = journal.file_name().expect("a journal has a file name").to_owned();
    name.push(format!("{ASIDE}{number}"));
    let aside = journal.with_file_name(name);
    let linked =
        found.is_file() && fs::hard_link(journal, &aside).or_else(|_| fs::copy(journal, &aside).map(drop)).is_ok();
    if !linked {
        fs::rename(journal, &aside).map_err(|error| StoreError::io("keep aside", journal, error))?;
    }
    for (old, path) in before {
        if old + KEPT <= number {
            remove_any(&path);
        }
    }
    Ok(())
}

/// Whether the newest one kept is this very journal: a save that is retried must not push the others out.
fn is_kept(journal: &Path, found: &fs::Metadata, newest: &Path) -> bool {
    let Ok(kept) = fs::symlink_metadata(newest) else { return false };
    if !(found.is_file() && kept.is_file() && found.len() == kept.len()) {
        return false;
    }
    is_same_file(found, &kept) || matches!((fs::read(journal), fs::read(newest)), (Ok(now), Ok(then)) if now == then)
}

#[cfg(unix)]
fn is_same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}

/// Removes all that is kept aside of a connection.
pub(crate) fn remove_asides(journal: &Path) {
    for (_, path) in asides(journal) {
        remove_any(&path);
    }
}

/// Renames all that is kept aside to another connection's name.
pub(crate) fn move_asides(from: &Path, to: &Path) {
    let Some(name) = to.file_name() else { return };
    for (number, path) in asides(from) {
        let mut name = name.to_owned();
        name.push(format!("{ASIDE}{number}"));
        let _ = fs::rename(path, to.with_file_name(name));
    }
}

fn remove_any(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{asides, generation_in, keep_aside};

    #[test]
    fn the_generation_that_a_damaged_text_still_shows_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        for (text, generation) in [
            ("", 0),
            ("{\"version\":1,\"state\":\"settled\",\"generation\":41,\"finger", 41),
            ("\0\0\"generation\" : 7, \"generation\":12}", 12),
            ("{\"generation\":\"x\"}", 0),
            ("{\"generation\":18446744073709551615}", 0),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(generation_in(&path), generation, "{text:?}");
        }
        fs::write(&path, b"\xff\xfe\"generation\":9").unwrap();
        assert_eq!(generation_in(&path), 9);
        assert_eq!(generation_in(dir.path()), 0);
    }

    #[test]
    fn a_journal_that_is_kept_already_is_not_kept_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        let kept = || asides(&path).into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        for (text, expected) in [("a sealed record", vec![1]), ("damage", vec![1, 2])] {
            fs::remove_file(&path).ok();
            fs::write(&path, text).unwrap();
            for _ in 0..5 {
                keep_aside(&path).unwrap();
            }
            assert_eq!(kept(), expected, "the same file");
            fs::remove_file(&path).unwrap();
            fs::write(&path, text).unwrap();
            keep_aside(&path).unwrap();
            assert_eq!(kept(), expected, "another file of the same text");
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "egamad").unwrap();
        keep_aside(&path).unwrap();
        assert_eq!(kept(), [1, 2, 3], "as long, and not the same");
    }

    #[test]
    fn the_newest_three_are_kept_with_their_modes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        for round in 1..=5 {
            fs::write(&path, format!("damage {round}")).unwrap();
            keep_aside(&path).unwrap();
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        keep_aside(&path).unwrap();
        assert!(!path.exists(), "a directory is moved away");
        let kept: Vec<_> = asides(&path).into_iter().map(|(number, _)| number).collect();
        assert_eq!(kept, [4, 5, 6]);
        assert_eq!(fs::read_to_string(dir.path().join("factory.json.damaged-4")).unwrap(), "damage 4");
    }
}
