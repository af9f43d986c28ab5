//! Under the lock: keeping a received record. In the journal first, then in the store.

use std::time::Duration;

use crate::domain::{Fingerprint, LostAnswer, Obtained, Program, Rotation, Secret, TokenRecord};
use crate::fault_point;
use crate::fault_point::Step;
use crate::secrets::error::StoreError;
use crate::tokens::binding::SealBinding;
use crate::tokens::history;
use crate::tokens::items::token_item;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::record::{fingerprint, to_line};
use crate::tokens::save_error::SaveError;

/// How long recording a generation in the history may delay a caller that waits for its tokens.
const REMEMBERING: Duration = Duration::from_millis(500);

impl LockedConnection {
    /// Keeps a received record: in the journal, durably, before anything else; then in the store,
    /// read back and compared; then the journal is settled. On `Ok` it is in the store.
    ///
    /// Its generation should be [`TokenState::next_generation`](crate::tokens::reconcile::TokenState::next_generation);
    /// one that is not newer than the journal's is raised above it, so that the record does not look old. Handing the
    /// same record in again after an error is right.
    ///
    /// # Errors
    /// `InJournal`: safe, and [`LockedConnection::recover`] saves it once the store is back. `Nowhere`: in
    /// memory only; keep the record and hand it in again.
    pub async fn receive(&mut self, record: TokenRecord) -> Result<(), SaveError> {
        let record = self.raised_above_the_mark(record).await;
        let in_journal = self.write_received(&record).await;
        if in_journal.is_ok() {
            fault_point::pass_with(Step::ReceivedDurable, &self.name, &record);
        }
        let in_store = self.save(&record).await;
        match (in_journal, in_store) {
            (_, Ok(())) => {
                self.before = None;
                self.settle_if_possible(&record, self.lost).await;
                Ok(())
            }
            (Ok(()), Err(why)) => {
                self.before = None;
                Err(SaveError::InJournal { why })
            }
            (Err(journal), Err(store)) => {
                let why = StoreError::Both { journal: Box::new(journal), store: Box::new(store) };
                Err(SaveError::Nowhere { why, record: Box::new(record) })
            }
        }
    }

    /// The next record is obtained for a pasted refresh token. The history records its
    /// fingerprint, so that the same copy is not sent a second time.
    pub fn imports(&mut self, pasted: &Secret) {
        self.pasted = Some(Fingerprint::of(pasted));
    }

    /// Adds a record that is durable to the connection's history. Nothing depends on that, so a
    /// failure is no error, and a disk that hangs delays the caller by half a second at most.
    pub async fn remember(&self, record: &TokenRecord, how: Obtained, by: Option<Program>) {
        let rotation = Rotation { pasted: self.pasted.clone(), ..Rotation::of(record, how, self.lost, by) };
        let path = self.vault.data_dir().history(&self.name);
        let remembering = self.on_disk(move || history::append(&path, &rotation));
        let _ = tokio::time::timeout(REMEMBERING, remembering).await;
    }

    async fn raised_above_the_mark(&mut self, mut record: TokenRecord) -> TokenRecord {
        let journal = self.vault.journal(&self.name).await;
        // An unreadable journal must not cost a received token: it is written over.
        if std::mem::take(&mut self.replaces)
            || journal.as_ref().is_err_and(|why| !matches!(why, StoreError::Io { .. }))
        {
            let shown = self.set_aside().await.unwrap_or(0);
            record.generation = record.generation.max(shown.saturating_add(1));
        }
        if let Ok(Some(journal)) = journal {
            let mark = journal.generation();
            let is_known = mark == record.generation
                && matches!(journal, Journal::Received { .. })
                && *journal.fingerprint() == fingerprint(&record);
            if record.generation <= mark && !is_known {
                record.generation = mark.saturating_add(1);
            }
        }
        record
    }

    async fn write_received(&self, record: &TokenRecord) -> Result<(), StoreError> {
        let identity = match self.vault.cached_identity() {
            Some(identity) => identity,
            None => self.vault.identity().await?,
        };
        let binding = SealBinding::record(&self.name, record.generation);
        let sealed = binding.seal(&identity, &to_line(record)).ok_or_else(|| StoreError::Refused {
            item: token_item(&self.name),
            why: "it could not be sealed".into(),
        })?;
        let (generation, fingerprint) = (record.generation, fingerprint(record));
        let journal = Journal::Received { generation, fingerprint, sealed };
        self.write_file(JournalFile { recovered: self.lost, ..journal.into() }).await
    }

    /// Saves the record in the secret store.
    pub(super) async fn save(&self, record: &TokenRecord) -> Result<(), StoreError> {
        self.vault.secrets().set(&token_item(&self.name), &to_line(record)).await?;
        fault_point::pass(Step::Saved);
        Ok(())
    }

    /// The record is in the store, newer than whatever the journal says: a journal that cannot be
    /// written now is brought up to date by the next [`LockedConnection::recover`].
    pub(super) async fn settle_if_possible(&self, record: &TokenRecord, recovered: Option<LostAnswer>) {
        let _ = self.write_file(JournalFile { recovered, ..Journal::settled(record).into() }).await;
        fault_point::pass(Step::Settled);
    }
}
