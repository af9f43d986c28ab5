//! Under the lock: giving up a connection's tokens, and erasing everything a connection has.
//!
//! Invariant: a logout leaves the newest generation known in the journal, so that an old record restored later
//! is never sent.

use std::fs;

use crate::domain::{Fingerprint, Secret};
use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::tokens::items::token_item;
use crate::tokens::journal::Journal;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::{damaged_journal, journal, record, reserve};

impl LockedConnection {
    /// Makes sure that [`LockedConnection::forget`] can write the journal: its disk space is reserved until then.
    ///
    /// # Errors
    /// The disk is full or the directory is read-only; then nothing should be revoked.
    pub async fn prepare_to_forget(&self) -> Result<(), StoreError> {
        self.reserve(journal::SPACE).await
    }

    /// Logs out: removes the tokens from journal and store. The generation mark stays. The journal goes first:
    /// killed in between, the record left in the store counts as forgotten already and is erased at the next chance.
    ///
    /// # Errors
    /// `Renaming`, or a failure to write the journal (nothing is forgotten), or of the store (the
    /// tokens count as forgotten, but are still there).
    pub async fn forget(&mut self) -> Result<(), StoreError> {
        let is_damaged = match self.vault.journal(&self.name).await {
            Ok(Some(Journal::Moving { to, .. })) => return Err(StoreError::Renaming { name: self.name.clone(), to }),
            Ok(_) => false,
            Err(why) if why.is_replaceable() => true,
            Err(why) => return Err(why),
        };
        if let Some(given_up) = self.given_up().await? {
            if is_damaged {
                self.set_aside().await?;
            }
            self.write(given_up).await?;
        }
        self.before = None;
        self.vault.secrets().delete(&token_item(&self.name)).await
    }

    /// Erases everything a connection has: its tokens as [`LockedConnection::forget`] does, then its client
    /// secret and the history of its tokens, finally the journal, and with it the generation mark. Killed in between,
    /// the connection is at worst one that has no tokens.
    ///
    /// # Errors
    /// As [`LockedConnection::forget`]; what was not reached yet is still there.
    pub async fn erase(&mut self) -> Result<(), StoreError> {
        self.forget().await?;
        self.vault.remove_client_secret(&self.name).await?;
        self.vault.remove_history(&self.name).await?;
        let path = self.vault.data_dir().journal(&self.name);
        self.on_disk(move || {
            damaged_journal::remove_asides(&path);
            reserve::remove_leftover(&path).and_then(|()| private_files::remove(&path))
        })
        .await
    }

    /// What a logout leaves in the journal: the newest generation known, given up. `None` where
    /// there never was one, and no journal.
    async fn given_up(&self) -> Result<Option<Journal>, StoreError> {
        let journal = match self.vault.journal(&self.name).await {
            Err(why) if why.is_replaceable() => None,
            journal => journal?,
        };
        let path = self.vault.data_dir().journal(&self.name);
        let is_there = self.on_disk(move || Ok(fs::symlink_metadata(path).is_ok())).await?;
        let (generation, stored) = self.newest_known().await?;
        let stored = stored.map(|record| (record.generation, record::fingerprint(&record)));
        let marked = journal.map(|journal| (journal.generation(), journal.fingerprint().clone()));
        let known = marked.into_iter().chain(stored).filter(|(known, _)| *known == generation);
        let fingerprint = known.map(|(_, fingerprint)| fingerprint).next();
        if fingerprint.is_none() && generation == 0 && !is_there {
            return Ok(None);
        }
        // A record whose fingerprint is no longer known is never sent either.
        let fingerprint = fingerprint.unwrap_or_else(|| Fingerprint::of(&Secret::new(String::new())));
        Ok(Some(Journal::Settled { generation, fingerprint, forgotten: true }))
    }
}
