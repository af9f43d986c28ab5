//! Tokens that cannot be read: a damaged journal, a damaged record, tokens in another, locked keyring. Only that
//! connection is affected; a login replaces them, a logout gives them up.
//!
//! Invariants: a damaged journal is replaced, never merely removed, so that the store's record is
//! not taken for the newest meanwhile; what replaces it is newer than anything that store, history or
//! the damaged text know of.

use std::path::PathBuf;

use crate::domain::{ConnectionName, TokenRecord};
use crate::secrets::error::StoreError;
use crate::tokens::damaged_journal::{asides, generation_in, keep_aside};
use crate::tokens::items::token_item;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::on_disk::on_disk;
use crate::tokens::record;
use crate::tokens::vault::Vault;

impl Vault {
    /// The damaged journals kept of a connection.
    pub async fn kept_aside(&self, name: &ConnectionName) -> Vec<PathBuf> {
        let path = self.data_dir().journal(name);
        let list = move || Ok(asides(&path).into_iter().map(|(_, path)| path).collect());
        on_disk(list).await.unwrap_or_default()
    }
}

impl LockedConnection {
    /// The newest generation that anything knows of, and the record in the store where it can be read.
    pub(super) async fn newest_known(&self) -> Result<(u64, Option<TokenRecord>), StoreError> {
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
        let path = self.vault.data_dir().journal(&self.name);
        self.on_disk(move || Ok(generation_in(&path))).await
    }

    /// Keeps the journal aside, which is about to be replaced; returns the newest generation it shows.
    pub(super) async fn set_aside(&self) -> Result<u64, StoreError> {
        let path = self.vault.data_dir().journal(&self.name);
        self.on_disk(move || {
            let shown = generation_in(&path);
            keep_aside(&path).map(|()| shown)
        })
        .await
    }
}
