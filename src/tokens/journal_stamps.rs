//! Which journals were written since they were last read. Checking thousands of them costs a `stat`
//! each, and only those that changed are read. A journal is always replaced as a whole.

use std::time::SystemTime;

use crate::domain::{ConnectionName, LastRefusal};
use crate::platform::file_stamp::Stamp;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::on_disk::on_disk;
use crate::tokens::vault::Vault;

/// A directory's modification time is as coarse as the kernel's clock tick: a second change within
/// one tick would be missed, so a stamp this fresh is checked again.
const GRAIN: chrono::TimeDelta = chrono::TimeDelta::milliseconds(100);

/// A connection's journal as it was last read.
#[derive(Debug, Clone)]
pub struct JournalStamp {
    /// The connection.
    pub name: ConnectionName,
    /// How its journal looked when it was read last.
    pub journal: Option<Stamp>,
    /// The newest generation known of; 0 if there is none.
    pub generation: u64,
}

/// A journal that was written since it was last read.
#[derive(Debug, Clone)]
pub struct JournalChange {
    /// As it was last read.
    pub known: JournalStamp,
    /// How it looks now.
    pub journal: Option<Stamp>,
    /// The newest generation it knows of; 0 if there is none.
    pub generation: u64,
    /// Whether a logout has given that up.
    pub forgotten: bool,
    /// Whether its refresh token was sent and no answer is known: it is out, or its answer was lost.
    pub spending: bool,
    /// The provider's last answer, where it gave no tokens.
    pub refusal: Option<LastRefusal>,
}

/// The directory of the journals as it was last checked; see [`Vault::changed_since`].
#[derive(Debug, Clone, Copy, Default)]
pub struct JournalDirStamp(Option<SystemTime>);

impl Vault {
    /// Reads the journals that have changed since their stamps were taken. The secret store is not touched.
    pub async fn changes(&self, known: Vec<JournalStamp>) -> Vec<JournalChange> {
        let vault = self.clone();
        let read = move || Ok(known.into_iter().filter_map(|known| known.change(&vault)).collect());
        on_disk(read).await.unwrap_or_default()
    }

    /// Whether any journal changed since this stamp, by this process or another; brings the stamp up to date.
    /// Costs one `stat`; true the first time. A change a moment ago is reported twice, so that none
    /// within the file system's grain is missed.
    pub fn changed_since(&self, stamp: &mut JournalDirStamp) -> bool {
        let changed = std::fs::metadata(self.data_dir().journals()).and_then(|journals| journals.modified()).ok();
        let is_new = stamp.0.is_none() || changed != stamp.0;
        let age = changed.map(|changed| self.clock().now() - chrono::DateTime::from(changed));
        let may_change_unseen = age.is_none_or(|age| age.abs() < GRAIN);
        *stamp = JournalDirStamp(changed.filter(|_| !may_change_unseen));
        is_new
    }
}

impl JournalStamp {
    /// Compares, and reads the journal if it is another. One that cannot be read has not changed.
    fn change(self, vault: &Vault) -> Option<JournalChange> {
        let path = vault.data_dir().journal(&self.name);
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
