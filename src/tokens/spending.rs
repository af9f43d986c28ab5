//! Under the lock: what is journaled before a refresh token is sent, and when no new tokens come back.
//!
//! Invariant: nothing is sent unless the journal says `Spending` durably, the record is the newest one known, and
//! an answer can be kept.

use crate::domain::{ConnectionName, Fingerprint, LastRefusal, LostAnswer, Reason, Secret, TokenRecord};
use crate::fault_point;
use crate::fault_point::Step;
use crate::secrets::error::StoreError;
use crate::tokens::binding::{SealBinding, is_bound};
use crate::tokens::journal;
use crate::tokens::journal::{Journal, JournalFile, Spending};
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::record::{fingerprint, to_line};

impl LockedConnection {
    /// Makes sure that an answer can be kept, before anything is sent: disk space for it is reserved until it is in
    /// the journal or the lock is freed, the store is reachable and unlocked, the identity for sealing at hand.
    ///
    /// # Errors
    /// What is missing; then nothing must be sent.
    pub async fn preflight(&self) -> Result<(), StoreError> {
        self.reserve(journal::SPACE).await?;
        self.vault.probe().await?;
        self.vault.identity().await.map(|_| ())
    }

    /// Notes durably that the record's refresh token is about to be sent. A record without one
    /// has nothing to lose, and nothing is noted.
    ///
    /// # Errors
    /// `Outdated` if the journal knows a newer generation, `Unsaved` if a record waits in it to be
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
        self.reserve(journal::space_for(to_line(record).expose().len())).await?;
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
        self.before = journal.or(Some(Journal::settled(record)));
        Ok(())
    }

    /// The record received next recovers an answer that was lost before.
    pub fn sends_again_after(&mut self, lost: LostAnswer) {
        self.lost = Some(lost);
    }

    /// The lost answer before the present [`LockedConnection::spending`]: its refresh token is being sent again.
    #[must_use]
    pub fn lost_before(&self) -> Option<LostAnswer> {
        self.lost
    }

    /// Notes how the answer to what was sent has been lost, and seals what arrived of it and could not
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
    /// the refresh token was not replaced. The journal is as it was before; an answer that was lost
    /// earlier stays lost.
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

    /// Opens an answer to this generation's refresh token that could not be read when it came; see
    /// [`Hazard::Uncertain`](crate::tokens::reconcile::Hazard).
    ///
    /// # Errors
    /// The store does not hold the identity it was sealed to, or the answer belongs to another connection or
    /// generation.
    pub async fn unread(&self, generation: u64, sealed: &str) -> Result<Secret, StoreError> {
        self.vault.open_sealed(SealBinding::unread(&self.name, generation), sealed).await
    }

    /// The answer that could not be read, bound to what it belongs to where an earlier version did not do so.
    fn bound(&self, spending: &Spending) -> Option<String> {
        let sealed = spending.unread.as_ref()?;
        let identity = self.vault.cached_identity();
        let rebound = identity.and_then(|identity| {
            let opened = identity.open(sealed).filter(|opened| !is_bound(opened))?;
            SealBinding::unread(&self.name, spending.generation).seal(&identity, &opened)
        });
        rebound.or_else(|| Some(sealed.clone()))
    }
}

/// Lets a record be spent only if it is the newest known and no other waits in the journal.
fn refuse_to_lose(name: &ConnectionName, journal: &Journal, record: &TokenRecord) -> Result<(), StoreError> {
    let mark = journal.generation();
    let is_same = mark == record.generation && *journal.fingerprint() == fingerprint(record);
    match journal {
        Journal::Moving { to, .. } => Err(StoreError::Renaming { name: name.clone(), to: to.clone() }),
        _ if mark < record.generation => Ok(()),
        Journal::Received { generation, .. } if !is_same => Err(StoreError::Unsaved { generation: *generation }),
        Journal::Settled { forgotten: true, .. } => Err(StoreError::Outdated { given: record.generation, mark }),
        _ if !is_same => Err(StoreError::Outdated { given: record.generation, mark }),
        _ => Ok(()),
    }
}
