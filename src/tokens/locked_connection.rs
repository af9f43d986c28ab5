//! A lease: the right to change one connection's tokens, while its OS lock is held.
//!
//! Invariants, whatever dies in between:
//!
//! - a received record is in the journal, sealed and durable, before anything else happens to it;
//! - the journal never goes back to an older generation, and a record that waits in it is only
//!   replaced by a newer one or a logout;
//! - the lock outlives every file write begun under it, even if the lease is dropped meanwhile.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    ConnectionName, Fingerprint, LastRefusal, LostAnswer, Obtained, Program, Reason, Rotation, Secret, TokenRecord,
};
use crate::fault_point;
use crate::fault_point::Step;
use crate::secrets::error::{SaveError, StoreError};
use crate::secrets::private_files;
use crate::tokens::binding::SealBinding;
use crate::tokens::journal::{Journal, JournalFile, Spending};
use crate::tokens::lock::Held;
use crate::tokens::reconcile::{Repair, TokenState};
use crate::tokens::record::{fingerprint, to_line};
use crate::tokens::reserve::Room;
use crate::tokens::vault::{Vault, on_disk, token_item};
use crate::tokens::{damage, history, journal, reserve};

/// How long remembering a generation may keep whoever waits for its tokens.
const REMEMBERING: Duration = Duration::from_millis(500);

/// The right to change one connection's tokens. Dropping it frees the lock.
pub struct LockedConnection {
    pub(crate) vault: Vault,
    pub(crate) name: ConnectionName,
    lock: Arc<Held>,
    /// The journal as it was before [`LockedConnection::spending`].
    before: Option<Journal>,
    /// The lost answer after which this lease sends the refresh token again.
    lost: Option<LostAnswer>,
    /// Disk space for the answer, from [`LockedConnection::preflight`] on.
    room: Room,
    /// The pasted refresh token that the next record is obtained for, for the history.
    pasted: Option<Fingerprint>,
    /// What is there and cannot be read makes way; see [`LockedConnection::recover_or_replace`].
    pub(crate) replaces: bool,
}

impl LockedConnection {
    pub(crate) fn new(vault: Vault, name: ConnectionName, lock: Held) -> Self {
        Self::with(vault, name, Arc::new(lock))
    }

    fn with(vault: Vault, name: ConnectionName, lock: Arc<Held>) -> Self {
        Self { vault, name, lock, before: None, lost: None, room: Room::default(), pasted: None, replaces: false }
    }

    /// Whose lease it is.
    #[must_use]
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// The same right over the same data directory's connection, with another secret store.
    pub(crate) fn in_vault(&self, vault: Vault) -> Self {
        Self::with(vault, self.name.clone(), Arc::clone(&self.lock))
    }

    /// Reads store and journal again and makes good what a crash left undone: the newest
    /// generation wins; a record that waits in the journal is saved now if it can be, else the
    /// standing is not `saved` and says why. Between [`LockedConnection::spending`] and [`LockedConnection::refused`] or
    /// [`LockedConnection::receive`] it finds this lease's own token uncertain. Where the history knows a newer
    /// generation than both, they were rolled back.
    ///
    /// # Errors
    /// `Corrupt`, `NewerFormat`, or whatever keeps journal or store from being read.
    pub async fn recover(&mut self) -> Result<TokenState, StoreError> {
        let found = self.weigh().await?;
        let found = self.held_to_history(found).await;
        self.make_good(found).await
    }

    /// The same without a look at the history, which may be another name's copy.
    pub(crate) async fn recover_by_journal(&mut self) -> Result<TokenState, StoreError> {
        let found = self.weigh().await?;
        self.make_good(found).await
    }

    async fn weigh(&self) -> Result<(TokenState, Repair), StoreError> {
        let file = self.vault.journal_file(&self.name).await?;
        self.vault.weigh(&self.name, file.as_ref()).await
    }

    async fn make_good(&mut self, (mut standing, owed): (TokenState, Repair)) -> Result<TokenState, StoreError> {
        match (owed, &standing.record) {
            (Repair::Save, Some(record)) => match self.save(record).await {
                Ok(()) => {
                    standing.saved = true;
                    self.settle_if_possible(record, standing.recovered).await;
                    self.remember(record, Obtained::Recovered, None).await;
                }
                Err(why) => standing.unsaved_because = Some(why),
            },
            (Repair::Settle, Some(record)) => {
                self.before = None; // taking `spending` back now would lower the mark
                self.settle_if_possible(record, standing.recovered).await;
            }
            (Repair::Erase, _) => self.vault.secrets().delete(&token_item(&self.name)).await?,
            (Repair::Nothing | Repair::Save | Repair::Settle, _) => {}
        }
        Ok(standing)
    }

    /// Makes sure that an answer can be kept, before anything is sent: disk space for it is reserved until it is in
    /// the journal or the lease ends, the store is reachable and unlocked, the identity for sealing in hand.
    ///
    /// # Errors
    /// Whatever is not so; then nothing must be sent.
    pub async fn preflight(&self) -> Result<(), StoreError> {
        self.reserve(journal::ROOM).await?;
        self.vault.probe().await?;
        self.vault.identity().await.map(|_| ())
    }

    /// Notes durably that the record's refresh token is about to be sent. A record without one
    /// has nothing to lose, and nothing is noted.
    ///
    /// # Errors
    /// `Outdated` if the journal knows a newer generation, `Repair` if a record waits in it to be
    /// saved, `Renaming`, or a failure to write. On any error nothing must be sent.
    pub async fn spending(&mut self, record: &TokenRecord) -> Result<(), StoreError> {
        let Some(refresh) = &record.refresh_token else { return Ok(()) };
        let journal = self.vault.journal(&self.name).await?;
        if let Some(journal) = &journal {
            refuse_to_lose(&self.name, journal, record)?;
        }
        let earlier = match &journal {
            Some(Journal::Spending(earlier)) if earlier.generation == record.generation => Some(earlier.clone()),
            _ => None,
        };
        self.reserve(journal::room_for(to_line(record).expose().len())).await?;
        let spending = Spending {
            generation: record.generation,
            fingerprint: Fingerprint::of(&refresh.token),
            pid: std::process::id(),
            at: self.vault.clock().now(),
            sends: earlier.as_ref().map_or(1, |earlier| earlier.sends.saturating_add(1)),
            first_at: earlier.as_ref().map(|earlier| earlier.lost().at),
            lost_at: None,
            why: None,
            public: None,
            unread: earlier.as_ref().and_then(|earlier| self.bound(earlier)),
        };
        self.write(Journal::Spending(spending)).await?;
        fault_point::pass_with(Step::SpendingDurable, &self.name, record);
        self.lost = earlier.map(|earlier| earlier.lost());
        self.before = journal.or(Some(settled(record)));
        Ok(())
    }

    /// What is received next is owed to an answer that was lost before.
    pub fn sends_again_after(&mut self, lost: LostAnswer) {
        self.lost = Some(lost);
    }

    /// The lost answer before the present [`LockedConnection::spending`]: its refresh token is being sent again.
    #[must_use]
    pub fn lost_before(&self) -> Option<LostAnswer> {
        self.lost
    }

    /// Notes how the answer to what was sent has been lost, and seals what came of it and could not
    /// be read. The journal says `Spending` already: nothing is at stake if this fails.
    ///
    /// # Errors
    /// A failure to write.
    pub async fn answer_lost(&mut self, why: &Reason, unread: Option<&Secret>) -> Result<(), StoreError> {
        let Some(Journal::Spending(mut spending)) = self.vault.journal(&self.name).await? else { return Ok(()) };
        if let (Some(unread), Some(identity)) = (unread, self.vault.cached_identity()) {
            let binding = SealBinding::unread(&self.name, spending.generation);
            spending.unread = binding.seal(&identity, unread).or(spending.unread);
        }
        spending.lost_at = Some(self.vault.clock().now());
        (spending.why, spending.public) = (Some(why.to_string()), Some(why.to_disk()));
        self.before = None;
        self.write(Journal::Spending(spending)).await
    }

    /// Takes [`LockedConnection::spending`] back: nothing left this machine, or a complete answer proved that
    /// the refresh token was not replaced. The journal is as it was before; where an answer had been
    /// lost earlier, that stays so.
    ///
    /// # Errors
    /// A failure to write; the connection is then shown with a lost answer after a restart.
    pub async fn unspent(&mut self) -> Result<(), StoreError> {
        let Some(before) = self.before.clone() else { return Ok(()) };
        self.write(before).await?;
        (self.before, self.lost) = (None, None);
        Ok(())
    }

    /// The same after a refusal, which is kept beside the journal. Also after an exchange that spends
    /// nothing.
    ///
    /// # Errors
    /// A failure to write; the connection is then shown with a lost answer after a restart.
    pub async fn refused(&mut self, refusal: LastRefusal) -> Result<(), StoreError> {
        let journal = match self.before.clone() {
            Some(before) => before,
            None => self.vault.journal(&self.name).await?.unwrap_or_else(Journal::of_nothing),
        };
        self.write_file(JournalFile { journal, refusal: Some(refusal), recovered: None }).await?;
        (self.before, self.lost) = (None, None);
        Ok(())
    }

    /// Keeps a received record: in the journal, durably, before anything else; then in the store,
    /// read back and compared; then the journal is settled. On `Ok` it is in the store.
    ///
    /// Its generation should be [`TokenState::next_generation`]; one that is not newer than the
    /// journal's is raised above it, lest the record look old. Handing the same record in again
    /// after an error is right.
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

    /// Says that the next record is obtained for a pasted refresh token. The history remembers its
    /// fingerprint, so that the same copy is not sent a second time.
    pub fn imports(&mut self, pasted: &Secret) {
        self.pasted = Some(Fingerprint::of(pasted));
    }

    /// Adds a record that is durable to the connection's history. Nothing depends on that, so a
    /// failure is no error, and a disk that hangs is waited for half a second at most.
    pub async fn remember(&self, record: &TokenRecord, how: Obtained, by: Option<Program>) {
        let rotation = Rotation { pasted: self.pasted.clone(), ..Rotation::of(record, how, self.lost, by) };
        let path = self.vault.history_path(&self.name);
        let remembering = self.on_disk(move || history::append(&path, &rotation));
        let _ = tokio::time::timeout(REMEMBERING, remembering).await;
    }

    /// Makes sure that [`LockedConnection::forget`] can write the journal: its disk space is reserved until then.
    ///
    /// # Errors
    /// The disk is full or the directory is read-only; then nothing should be revoked.
    pub async fn prepare_to_forget(&self) -> Result<(), StoreError> {
        self.reserve(journal::ROOM).await
    }

    /// Logs out: the tokens go from journal and store. The generation mark stays, so that an old
    /// record restored later is never sent. The journal goes first: killed in between, the record
    /// left in the store counts as forgotten already and is erased at the next chance.
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

    /// Forgets all there is of a connection: its tokens as [`LockedConnection::forget`] does, then its client
    /// secret and the history of its tokens, at last the journal, and with it the generation mark. Killed in between, the
    /// connection is at worst one that has no tokens.
    ///
    /// # Errors
    /// As [`LockedConnection::forget`]; what was not reached yet is still there.
    pub async fn erase(&mut self) -> Result<(), StoreError> {
        self.forget().await?;
        self.vault.remove_client_secret(&self.name).await?;
        self.vault.remove_history(&self.name).await?;
        let path = self.vault.journal_path(&self.name);
        self.on_disk(move || {
            damage::remove_asides(&path);
            reserve::remove_leftover(&path).and_then(|()| private_files::remove(&path))
        })
        .await
    }

    /// Reserves disk space for what is journaled when the answer comes.
    async fn reserve(&self, bytes: u64) -> Result<(), StoreError> {
        let (room, path) = (self.room.clone(), self.vault.journal_path(&self.name));
        self.on_disk(move || room.reserve(&path, bytes)).await
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

    async fn save(&self, record: &TokenRecord) -> Result<(), StoreError> {
        self.vault.secrets().set(&token_item(&self.name), &to_line(record)).await?;
        fault_point::pass(Step::Saved);
        Ok(())
    }

    /// The record is in the store, newer than whatever the journal says: a journal that cannot be
    /// written now is brought up to date by the next [`LockedConnection::recover`].
    async fn settle_if_possible(&self, record: &TokenRecord, recovered: Option<LostAnswer>) {
        let _ = self.write_file(JournalFile { recovered, ..settled(record).into() }).await;
        fault_point::pass(Step::Settled);
    }

    pub(crate) async fn write(&self, journal: Journal) -> Result<(), StoreError> {
        self.write_file(journal.into()).await
    }

    pub(crate) async fn write_file(&self, file: JournalFile) -> Result<(), StoreError> {
        let (room, path) = (self.room.clone(), self.vault.journal_path(&self.name));
        self.on_disk(move || match &file.journal {
            // The room is for what comes after the request.
            Journal::Spending(_) => file.write(&path),
            _ => room.replace(&path, &file.text(&path)),
        })
        .await
    }

    /// Runs file work that keeps the lock until it is done, whatever becomes of the lease.
    pub(crate) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lock = Arc::clone(&self.lock);
        on_disk(move || {
            let outcome = work();
            drop(lock);
            outcome
        })
        .await
    }
}

pub(crate) fn settled(record: &TokenRecord) -> Journal {
    Journal::Settled { generation: record.generation, fingerprint: fingerprint(record), forgotten: false }
}

/// Lets a record be spent only if it is the newest known and no other waits in the journal.
fn refuse_to_lose(name: &ConnectionName, journal: &Journal, record: &TokenRecord) -> Result<(), StoreError> {
    let mark = journal.generation();
    let is_same = mark == record.generation && *journal.fingerprint() == fingerprint(record);
    match journal {
        Journal::Moving { to, .. } => Err(StoreError::Renaming { name: name.clone(), to: to.clone() }),
        _ if mark < record.generation => Ok(()),
        Journal::Received { generation, .. } if !is_same => Err(StoreError::Owed { generation: *generation }),
        Journal::Settled { forgotten: true, .. } => Err(StoreError::Outdated { given: record.generation, mark }),
        _ if !is_same => Err(StoreError::Outdated { given: record.generation, mark }),
        _ => Ok(()),
    }
}
