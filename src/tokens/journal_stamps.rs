//! Which journals were written since they were known. A look at thousands of them costs a `stat`
//! each, and reads those that changed. They are always replaced as a whole.

use crate::domain::{ConnectionName, LastRefusal};
use crate::platform::file_stamp::Stamp;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::vault::Vault;

/// What is known of a connection's journal.
#[derive(Debug, Clone)]
pub struct JournalStamp {
    /// The connection.
    pub name: ConnectionName,
    /// How its journal looked when it was read last.
    pub journal: Option<Stamp>,
    /// The newest generation known of; 0 if there is none.
    pub generation: u64,
}

/// A journal that was written since it was known.
#[derive(Debug, Clone)]
pub struct JournalChange {
    /// As it was known.
    pub known: JournalStamp,
    /// How it looks now.
    pub journal: Option<Stamp>,
    /// The newest generation it knows of; 0 if there is none.
    pub generation: u64,
    /// Whether a logout has given that up.
    pub forgotten: bool,
    /// Whether its refresh token was sent and no answer is known: it is out, or its answer was lost.
    pub spending: bool,
    /// What the provider said last, where it gave no tokens.
    pub refusal: Option<LastRefusal>,
}

impl JournalStamp {
    /// Compares, and reads the journal if it is another. One that cannot be read has not changed.
    pub(crate) fn change(self, vault: &Vault) -> Option<JournalChange> {
        let path = vault.journal_path(&self.name);
        let journal = Stamp::of(&path);
        if journal == self.journal {
            return None;
        }
        let file = JournalFile::read(&path).ok()?;
        let state = file.as_ref().map(|file| &file.journal);
        Some(JournalChange {
            known: self,
            journal,
            generation: state.map_or(0, Journal::generation),
            forgotten: state.is_some_and(Journal::is_forgotten),
            spending: matches!(state, Some(Journal::Spending(_))),
            refusal: file.and_then(|file| file.refusal),
        })
    }
}
