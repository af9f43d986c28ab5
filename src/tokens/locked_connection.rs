//! The right to change one connection's tokens, while its OS lock is held.
//!
//! This file takes the lock and writes the journal. What is done under the lock is in files of its own:
//! [`recover`](super::recover), [`spending`](super::spending), [`receive`](super::receive), [`logout`](super::logout).
//!
//! Invariants, wherever the process dies:
//!
//! - a received record is in the journal, sealed and durable, before anything else happens to it;
//! - the journal never goes back to an older generation, and a record that waits in it is only
//!   replaced by a newer one or a logout;
//! - the lock outlives every file write begun under it, even if the [`LockedConnection`] is dropped meanwhile.

use std::sync::Arc;

use crate::domain::{ConnectionName, Fingerprint, LostAnswer};
use crate::secrets::error::StoreError;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::lock::HeldLock;
use crate::tokens::reserve::ReservedSpace;
use crate::tokens::vault::Vault;
use crate::tokens::{lock, on_disk};

/// The right to change one connection's tokens. Dropping it frees the lock.
pub struct LockedConnection {
    pub(super) vault: Vault,
    pub(super) name: ConnectionName,
    lock: Arc<HeldLock>,
    /// The journal as it was before [`LockedConnection::spending`].
    pub(super) before: Option<Journal>,
    /// The lost answer after which the refresh token is sent again.
    pub(super) lost: Option<LostAnswer>,
    /// Disk space for the answer, from [`LockedConnection::preflight`] on.
    space: ReservedSpace,
    /// The pasted refresh token that the next record is obtained for, for the history.
    pub(super) pasted: Option<Fingerprint>,
    /// Whether the next record replaces what cannot be read; see [`LockedConnection::recover_or_replace`].
    pub(super) replaces: bool,
}

impl Vault {
    /// Takes a connection's lock, waiting for its holder: another process, or another
    /// [`LockedConnection`] in this one. `on_wait` is called with the holder's process ID when it has to wait, and again
    /// whenever the holder changes. Waits without limit; dropping the future gives up cleanly.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub async fn lock(
        &self,
        name: &ConnectionName,
        on_wait: impl FnMut(Option<u32>),
    ) -> Result<LockedConnection, StoreError> {
        let held = lock::wait(self.data_dir().connection_lock(name), on_wait).await?;
        Ok(LockedConnection::new(self.clone(), name.clone(), Arc::new(held)))
    }
}

impl LockedConnection {
    fn new(vault: Vault, name: ConnectionName, lock: Arc<HeldLock>) -> Self {
        let space = ReservedSpace::default();
        Self { vault, name, lock, before: None, lost: None, space, pasted: None, replaces: false }
    }

    /// The connection's name.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// The same right over the same data directory's connection, with another secret store.
    pub(crate) fn in_vault(&self, vault: Vault) -> Self {
        Self::new(vault, self.name.clone(), Arc::clone(&self.lock))
    }

    /// Reserves disk space for what is journaled when the answer comes.
    pub(super) async fn reserve(&self, bytes: u64) -> Result<(), StoreError> {
        let (space, path) = (self.space.clone(), self.vault.data_dir().journal(&self.name));
        self.on_disk(move || space.reserve(&path, bytes)).await
    }

    /// Replaces the journal, and leaves nothing of what was beside the old state.
    pub(crate) async fn write(&self, journal: Journal) -> Result<(), StoreError> {
        self.write_file(journal.into()).await
    }

    /// Replaces the journal with what is kept beside its state.
    pub(crate) async fn write_file(&self, file: JournalFile) -> Result<(), StoreError> {
        let (space, path) = (self.space.clone(), self.vault.data_dir().journal(&self.name));
        self.on_disk(move || match &file.journal {
            // The reserved space is for what comes after the request.
            Journal::Spending(_) => file.write(&path),
            _ => space.replace(&path, &file.text(&path)),
        })
        .await
    }

    /// Runs file work that keeps the lock until it is done, even if this is dropped meanwhile.
    pub(crate) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lock = Arc::clone(&self.lock);
        on_disk::on_disk(move || {
            let outcome = work();
            drop(lock);
            outcome
        })
        .await
    }
}
