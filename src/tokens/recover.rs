//! Under the lock: which record is the newest, and finishing what a crash left undone.

use crate::domain::Obtained;
use crate::secrets::error::StoreError;
use crate::tokens::items::token_item;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::{Repair, TokenState};

impl LockedConnection {
    /// Reads store and journal again and finishes what a crash left undone: the newest
    /// generation wins; a record that waits in the journal is saved now if possible, else the
    /// state is not `saved` and says why. Between [`LockedConnection::spending`] and [`LockedConnection::refused`] or
    /// [`LockedConnection::receive`] it finds the token that was just sent uncertain. Where the history knows a newer
    /// generation than both, they were rolled back.
    ///
    /// # Errors
    /// `Corrupt`, `NewerFormat`, or what keeps journal or store from being read.
    pub async fn recover(&mut self) -> Result<TokenState, StoreError> {
        let found = self.load_state().await?;
        let found = self.compared_with_history(found).await;
        self.repair(found).await
    }

    /// The same without reading the history, which may be another name's copy.
    pub(crate) async fn recover_by_journal(&mut self) -> Result<TokenState, StoreError> {
        let found = self.load_state().await?;
        self.repair(found).await
    }

    /// As [`LockedConnection::recover`], for a caller that obtains new tokens, such as a login: old ones that
    /// cannot be read do not block it. Nothing is changed; [`LockedConnection::receive`] then replaces them and
    /// keeps a damaged journal aside.
    ///
    /// # Errors
    /// `NewerFormat`, `Renaming`, or what keeps the store from being read.
    pub async fn recover_or_replace(&mut self) -> Result<TokenState, StoreError> {
        match self.recover().await {
            Err(why) if why.is_replaceable() => {}
            recovered => return recovered,
        }
        self.replaces = true;
        let (mark, stored) = self.newest_known().await?;
        Ok(TokenState::rolled_back(stored.map_or(0, |record| record.generation), mark))
    }

    async fn load_state(&self) -> Result<(TokenState, Repair), StoreError> {
        let file = self.vault.journal_file(&self.name).await?;
        self.vault.load_state(&self.name, file.as_ref()).await
    }

    /// Where the history knows a newer generation than journal and store, neither is believed.
    async fn compared_with_history(&self, found: (TokenState, Repair)) -> (TokenState, Repair) {
        let (state, repair) = found;
        let newest = self.vault.newest_in_history(&self.name).await.unwrap_or(0);
        if newest <= state.mark {
            return (state, repair);
        }
        let stored = state.record.map_or(0, |record| record.generation);
        (TokenState::rolled_back(stored, newest), Repair::Nothing)
    }

    async fn repair(&mut self, (mut state, repair): (TokenState, Repair)) -> Result<TokenState, StoreError> {
        match (repair, &state.record) {
            (Repair::Save, Some(record)) => match self.save(record).await {
                Ok(()) => {
                    state.saved = true;
                    self.settle_if_possible(record, state.recovered).await;
                    self.remember(record, Obtained::Recovered, None).await;
                }
                Err(why) => state.unsaved_because = Some(why),
            },
            (Repair::Settle, Some(record)) => {
                self.before = None; // taking `spending` back now would lower the mark
                self.settle_if_possible(record, state.recovered).await;
            }
            (Repair::Erase, _) => self.vault.secrets().delete(&token_item(&self.name)).await?,
            (Repair::Nothing | Repair::Save | Repair::Settle, _) => {}
        }
        Ok(state)
    }
}
