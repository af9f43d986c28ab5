//! How a journal looks from outside: enough to tell whether it was written since, without reading
//! it. A look at thousands of journals costs a `stat` each, and reads those that changed.

use std::path::Path;
use std::time::SystemTime;

use super::journal::Journal;
use super::vault::Vault;
use crate::domain::ConnectionName;

/// How a journal looked. It is replaced as a whole, so that another one is another file: also
/// within the grain of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    changed: SystemTime,
    size: u64,
    inode: u64,
}

impl Stamp {
    /// How the file looks now; `None` where there is none. Blocks on the disk.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { changed: metadata.modified().ok()?, size: metadata.len(), inode })
    }
}

/// What is known of a connection's journal.
#[derive(Debug, Clone)]
pub struct Known {
    /// The connection.
    pub name: ConnectionName,
    /// How its journal looked when it was read last.
    pub journal: Option<Stamp>,
    /// The newest generation known of; 0 if there is none.
    pub generation: u64,
}

/// A journal that was written since it was known.
#[derive(Debug, Clone)]
pub struct Change {
    /// As it was known.
    pub known: Known,
    /// How it looks now.
    pub journal: Option<Stamp>,
    /// The newest generation it knows of; 0 if there is none.
    pub generation: u64,
    /// Whether a logout has given that up.
    pub forgotten: bool,
}

impl Known {
    /// Compares, and reads the journal if it is another. One that cannot be read has not changed.
    pub(super) fn change(self, vault: &Vault) -> Option<Change> {
        let path = vault.journal_path(&self.name);
        let journal = Stamp::of(&path);
        if journal == self.journal {
            return None;
        }
        let content = Journal::read(&path).ok()?;
        let generation = content.as_ref().map_or(0, Journal::generation);
        let forgotten = content.as_ref().is_some_and(Journal::is_forgotten);
        Some(Change { known: self, journal, generation, forgotten })
    }
}
