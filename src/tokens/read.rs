//! Reading a connection's tokens: journal and secret store together, with or without the connection's lock.
//! Changes nothing.

use crate::domain::{ConnectionName, Secret, TokenRecord};
use crate::platform::file_stamp::Stamp;
use crate::secrets::error::StoreError;
use crate::tokens::binding::SealBinding;
use crate::tokens::items::token_item;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::on_disk::on_disk;
use crate::tokens::reconcile::{Hazard, ReceivedTokens, Repair, TokenState, needs_opening, received, reconcile};
use crate::tokens::vault::Vault;
use crate::tokens::{binding, lock, record};

impl Vault {
    /// The state of a connection's tokens, without its lock: changes nothing and waits for no other
    /// process. A token that another process is sending at this moment is not a hazard yet.
    ///
    /// # Errors
    /// `Corrupt`, `NewerFormat`, or what keeps journal or store from being read.
    pub async fn read(&self, name: &ConnectionName) -> Result<TokenState, StoreError> {
        self.read_stamped(name).await.map(|(state, _)| state)
    }

    /// The same, with the journal's stamp from before it was read; see [`Vault::changes`].
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub async fn read_stamped(&self, name: &ConnectionName) -> Result<(TokenState, Option<Stamp>), StoreError> {
        let path = self.data_dir().journal(name);
        let (stamp, mut before) = on_disk(move || Ok((Stamp::of(&path), JournalFile::read(&path)?))).await?;
        loop {
            let (mut state, _) = self.load_state(name, before.as_ref()).await?;
            let Some(hazard) = &state.hazard else { return Ok((state, stamp)) };
            let (is_uncertain, path) =
                (matches!(hazard, Hazard::Uncertain { .. }), self.data_dir().connection_lock(name));
            let is_under_way = on_disk(move || Ok(lock::is_held(&path))).await?;
            let after = self.journal_file(name).await?;
            if after == before {
                if is_uncertain && is_under_way {
                    state.hazard = None;
                }
                return Ok((state, stamp));
            }
            // Another process saved between our two reads: the hazard may be of our own making.
            before = after;
        }
    }

    /// Whether a record is still the newest and has not been given up: the journal is settled on this
    /// very one. The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn is_newest(&self, name: &ConnectionName, record: &TokenRecord) -> Result<bool, StoreError> {
        Ok(matches!(
            self.journal(name).await?,
            Some(Journal::Settled { generation, fingerprint, forgotten: false })
                if generation == record.generation && fingerprint == record::fingerprint(record)
        ))
    }

    /// The generation up to which a logout has given up the tokens, where that is the journal's
    /// last entry. The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn forgotten(&self, name: &ConnectionName) -> Result<Option<u64>, StoreError> {
        Ok(match self.journal(name).await? {
            Some(Journal::Settled { generation, forgotten: true, .. }) => Some(generation),
            _ => None,
        })
    }

    /// The name that a connection's tokens are being moved to, during a rename or after one that was interrupted.
    /// The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn moving_to(&self, name: &ConnectionName) -> Result<Option<ConnectionName>, StoreError> {
        Ok(match self.journal(name).await? {
            Some(Journal::Moving { to, .. }) => Some(to),
            _ => None,
        })
    }

    /// The connections that have a journal, configured or not.
    pub(crate) async fn names_in_journals(&self) -> Result<Vec<ConnectionName>, StoreError> {
        let vault = self.clone();
        on_disk(move || {
            let names = vault.data_dir().journal_names()?;
            Ok(names.iter().filter_map(|name| ConnectionName::new(name).ok()).collect())
        })
        .await
    }

    pub(crate) async fn journal(&self, name: &ConnectionName) -> Result<Option<Journal>, StoreError> {
        Ok(self.journal_file(name).await?.map(|file| file.journal))
    }

    pub(crate) async fn journal_file(&self, name: &ConnectionName) -> Result<Option<JournalFile>, StoreError> {
        let path = self.data_dir().journal(name);
        on_disk(move || JournalFile::read(&path)).await
    }

    /// Reads the store and reconciles it with a journal, opening what that holds sealed if need be.
    /// Tokens that are being moved to another name are refused.
    pub(crate) async fn load_state(
        &self,
        name: &ConnectionName,
        file: Option<&JournalFile>,
    ) -> Result<(TokenState, Repair), StoreError> {
        let journal = file.map(|file| &file.journal);
        if let Some(Journal::Moving { to, .. }) = journal {
            return Err(StoreError::Renaming { name: name.clone(), to: to.clone() });
        }
        let item = token_item(name);
        let stored = match self.token_line(name, journal).await {
            Ok(line) => line.map(|line| record::from_line(&item, &line)).transpose()?,
            Err(why) => return self.load_without_store(name, journal, why),
        };
        let received = match needs_opening(journal, stored.as_ref()) {
            Some(received) => {
                let binding = SealBinding::record(name, received.generation);
                Some(self.opened_record(name, received, &self.open_sealed(binding, received.sealed).await?)?)
            }
            None => None,
        };
        let (mut state, repair) = reconcile(journal, stored, received);
        state.refusal = file.and_then(|file| file.refusal.clone());
        state.recovered = file.and_then(|file| file.recovered);
        Ok((state, repair))
    }

    /// The store is out of reach: a record that waits in the journal is the newest all the same.
    fn load_without_store(
        &self,
        name: &ConnectionName,
        journal: Option<&Journal>,
        why: StoreError,
    ) -> Result<(TokenState, Repair), StoreError> {
        let Some(received) = journal.and_then(received) else { return Err(why) };
        // Another identity may open it; only the store knows.
        let opened = self.cached_identity().and_then(|identity| identity.open(received.sealed));
        let Some(opened) = opened else { return Err(why) };
        let item = self.data_dir().journal(name).display().to_string();
        let line = SealBinding::record(name, received.generation).content(&item, &opened)?;
        let (state, _) = reconcile(journal, None, Some(self.opened_record(name, received, &line)?));
        Ok((TokenState { unsaved_because: Some(why), ..state }, Repair::Nothing))
    }

    /// The record in an opened seal, if it is the one that the journal names.
    fn opened_record(
        &self,
        name: &ConnectionName,
        received: ReceivedTokens<'_>,
        line: &Secret,
    ) -> Result<TokenRecord, StoreError> {
        let item = self.data_dir().journal(name).display().to_string();
        let record = record::from_line(&item, line)?;
        if record.generation == received.generation && record::fingerprint(&record) == *received.fingerprint {
            return Ok(record);
        }
        Err(binding::misplaced(&item, "its sealed record is not the one that it names"))
    }
}
