//! Which journals were written since they were known. A look at thousands of them costs a `stat`
//! each, and reads those that changed. They are always replaced as a whole.

use super::journal::Journal;
use super::vault::Vault;
use crate::domain::ConnectionName;
use crate::stamp::Stamp;

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
