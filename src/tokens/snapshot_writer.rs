//! Writing the status snapshot: one process at a time, and only while no other does.

use crate::tokens::on_disk::on_disk;
use crate::tokens::vault::Vault;
use crate::tokens::{lock, status_snapshot};

impl Vault {
    /// Merges changes into the status snapshot of the data directory; see [`status_snapshot`]. Returns whether that
    /// was possible: it is not while another process does so, or if the disk is full.
    pub async fn write_status_snapshot(&self, changes: status_snapshot::SnapshotChanges) -> bool {
        let vault = self.clone();
        let written = on_disk(move || {
            let dir = vault.data_dir();
            let Some(_held) = lock::take(&dir.status_snapshot_lock())? else { return Ok(false) };
            status_snapshot::merge(&dir.status_snapshot(), &changes, &dir.journal_names()?).map(|()| true)
        });
        written.await.unwrap_or(false)
    }
}
