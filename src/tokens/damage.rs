//! What cannot be read of a connection: a damaged journal, a damaged record, tokens in another,
//! locked keyring. It is that connection's trouble alone; a login replaces it, a logout gives it up.
//!
//! Invariants: a damaged journal is replaced, never merely removed, so that the store's record is
//! not taken for the newest meanwhile; what takes its place is newer than whatever store, history or
//! the damaged text know of; the damaged file is kept aside, for it may hold a sealed record.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::domain::{ConnectionName, Fingerprint, Secret, TokenRecord};
use crate::secrets::error::StoreError;
use crate::tokens::journal::Journal;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::{Hazard, Repair, TokenState};
use crate::tokens::vault::{Vault, on_disk, token_item};
use crate::tokens::{history, record};

/// What the name of a damaged journal that is kept goes on with, before its number.
const ASIDE: &str = ".damaged-";
/// How many are kept of one connection.
const KEPT: u64 = 3;
/// The most that is looked through of a damaged journal, in bytes.
const MOST: u64 = 1024 * 1024;
/// A number of more digits than this is damage, too.
const MOST_DIGITS: usize = 15;

/// A journal could not be read: is it the file, or the disk?
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
fn generation_in(path: &Path) -> u64 {
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
fn asides(journal: &Path) -> Vec<(u64, PathBuf)> {
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
/// itself stays where it is, unless it is no file or the system allows nothing else.
fn keep_aside(journal: &Path) -> Result<(), StoreError> {
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

/// Whether the newest that is kept is this very journal: a save that is tried again must not push the others out.
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

/// Gives all that is kept aside another connection's name.
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

impl Vault {
    /// The damaged journals kept of a connection.
    pub async fn kept_aside(&self, name: &ConnectionName) -> Vec<PathBuf> {
        let path = self.journal_path(name);
        let look = move || Ok(asides(&path).into_iter().map(|(_, path)| path).collect());
        on_disk(look).await.unwrap_or_default()
    }

    /// The newest generation in the history; 0 without one. Where it is newer than what journal and
    /// store know, both were rolled back, as by a backup that was restored.
    ///
    /// # Errors
    /// The disk does not answer.
    pub async fn newest_in_history(&self, name: &ConnectionName) -> Result<u64, StoreError> {
        let path = self.history_path(name);
        on_disk(move || Ok(history::newest(&path))).await
    }
}

impl LockedConnection {
    /// As [`LockedConnection::recover`], for a caller that obtains new tokens, such as a login: old ones that
    /// cannot be read do not block it. Nothing is changed; [`LockedConnection::receive`] then replaces them and
    /// keeps a damaged journal aside.
    ///
    /// # Errors
    /// `NewerFormat`, `Renaming`, or whatever keeps the store from being read.
    pub async fn recover_or_replace(&mut self) -> Result<TokenState, StoreError> {
        match self.recover().await {
            Err(why) if why.is_replaceable() => {}
            recovered => return recovered,
        }
        self.replaces = true;
        let (generation, stored) = self.newest_known().await?;
        let (stored, mark) = (stored.map_or(0, |record| record.generation), generation);
        let hazard = Some(Hazard::RolledBack { stored, mark });
        Ok(TokenState {
            record: None,
            saved: true,
            unsaved_because: None,
            hazard,
            mark,
            refusal: None,
            recovered: None,
        })
    }

    /// What a logout leaves in the journal: the newest generation known of, given up. `None` where
    /// there never was one, and no journal.
    pub(crate) async fn given_up(&self) -> Result<Option<Journal>, StoreError> {
        let journal = match self.vault.journal(&self.name).await {
            Err(why) if why.is_replaceable() => None,
            journal => journal?,
        };
        let path = self.vault.journal_path(&self.name);
        let is_there = self.on_disk(move || Ok(fs::symlink_metadata(path).is_ok())).await?;
        let (generation, stored) = self.newest_known().await?;
        let stored = stored.map(|record| (record.generation, record::fingerprint(&record)));
        let marked = journal.map(|journal| (journal.generation(), journal.fingerprint().clone()));
        let known = marked.into_iter().chain(stored).filter(|(known, _)| *known == generation);
        let fingerprint = known.map(|(_, fingerprint)| fingerprint).next();
        if fingerprint.is_none() && generation == 0 && !is_there {
            return Ok(None);
        }
        // Whose fingerprint is not known any more is never sent either.
        let fingerprint = fingerprint.unwrap_or_else(|| Fingerprint::of(&Secret::new(String::new())));
        Ok(Some(Journal::Settled { generation, fingerprint, forgotten: true }))
    }

    /// The newest generation that anything knows of, and the record in the store where it can be read.
    async fn newest_known(&self) -> Result<(u64, Option<TokenRecord>), StoreError> {
        let journal = match self.vault.journal(&self.name).await {
            Err(why) if why.is_replaceable() => None,
            journal => journal?,
        };
        let item = token_item(&self.name);
        let line = match self.vault.token_line(&self.name, journal.as_ref()).await {
            Err(why) if why.is_replaceable() => None,
            line => line?,
        };
        let stored = match line.map(|line| record::from_line(&item, &line)).transpose() {
            Err(why) if why.is_replaceable() => None,
            stored => stored?,
        };
        let shown = match &journal {
            Some(journal) => journal.generation(),
            None => self.shown_in_journal().await?,
        };
        let newest = self.vault.newest_in_history(&self.name).await.unwrap_or(0);
        Ok((shown.max(newest).max(stored.as_ref().map_or(0, |record| record.generation)), stored))
    }

    async fn shown_in_journal(&self) -> Result<u64, StoreError> {
        let path = self.vault.journal_path(&self.name);
        self.on_disk(move || Ok(generation_in(&path))).await
    }

    /// Keeps the journal aside, which is about to be replaced; gives the newest generation it shows.
    pub(crate) async fn set_aside(&self) -> Result<u64, StoreError> {
        let path = self.vault.journal_path(&self.name);
        self.on_disk(move || {
            let shown = generation_in(&path);
            keep_aside(&path).map(|()| shown)
        })
        .await
    }

    /// Where the history knows a newer generation than journal and store, neither is believed.
    pub(crate) async fn held_to_history(&self, found: (TokenState, Repair)) -> (TokenState, Repair) {
        let (standing, owed) = found;
        let newest = self.vault.newest_in_history(&self.name).await.unwrap_or(0);
        if newest <= standing.mark {
            return (standing, owed);
        }
        let stored = standing.record.map_or(0, |record| record.generation);
        let hazard = Some(Hazard::RolledBack { stored, mark: newest });
        (
            TokenState {
                record: None,
                saved: true,
                unsaved_because: None,
                hazard,
                mark: newest,
                refusal: None,
                recovered: None,
            },
            Repair::Nothing,
        )
    }
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
        assert!(!path.exists(), "a directory makes way");
        let kept: Vec<_> = asides(&path).into_iter().map(|(number, _)| number).collect();
        assert_eq!(kept, [4, 5, 6]);
        assert_eq!(fs::read_to_string(dir.path().join("factory.json.damaged-4")).unwrap(), "damage 4");
    }
}
