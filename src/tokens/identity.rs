//! The identity that journals seal to. A keyring may hold several: one in a collection that was locked for a while, and
//! another that was made in the default collection meanwhile.
//!
//! Invariant: everything sealed to an identity that the store still holds can be opened.

use std::sync::{Arc, PoisonError};

use crate::domain::{ConnectionName, Secret};
use crate::secrets::age_identity::Identity;
use crate::secrets::error::StoreError;
use crate::tokens::binding::SealBinding;
use crate::tokens::items::IDENTITY;
use crate::tokens::lock;
use crate::tokens::lock::HeldLock;
use crate::tokens::vault::Vault;

impl Vault {
    pub(crate) fn cached_identity(&self) -> Option<Arc<Identity>> {
        self.identity_in_memory().lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_identity(&self, identity: Arc<Identity>) -> Arc<Identity> {
        *self.identity_in_memory().lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&identity));
        identity
    }

    /// Opens what a connection's journal holds sealed, with the identity in memory or any in
    /// the store. None is made here: a new one opens nothing.
    ///
    /// # Errors
    /// `LockedElsewhere` if an identity is in a locked keyring and no other opens it, `Corrupt` if there is none left
    /// to try, `Misplaced` if the seal belongs elsewhere, or what keeps the store from being read.
    pub(crate) async fn open_sealed(&self, binding: SealBinding<'_>, sealed: &str) -> Result<Secret, StoreError> {
        let opened = self.opened(binding.connection, sealed).await?;
        binding.content(&self.data_dir().journal(binding.connection).display().to_string(), &opened)
    }

    async fn opened(&self, name: &ConnectionName, sealed: &str) -> Result<Secret, StoreError> {
        let cached = self.cached_identity();
        if let Some(opened) = cached.as_ref().and_then(|identity| identity.open(sealed)) {
            return Ok(opened);
        }
        for identity in self.stored_identities().await? {
            let Some(opened) = identity.open(sealed) else { continue };
            if cached.is_none() {
                self.keep_identity(Arc::new(identity));
            }
            return Ok(opened);
        }
        let elsewhere = self.secrets().elsewhere(IDENTITY).await?;
        Err(match elsewhere.into_iter().find(|found| found.is_locked) {
            Some(locked) => StoreError::LockedElsewhere { item: locked.item, keyring: locked.place },
            None => StoreError::Corrupt {
                item: self.data_dir().journal(name).display().to_string(),
                why: "its record is sealed to an identity that the secret store no longer holds".into(),
            },
        })
    }

    /// All that the store holds, the default collection's first. A damaged one opens nothing, and counts as missing.
    async fn stored_identities(&self) -> Result<Vec<Identity>, StoreError> {
        match self.secrets().get_all(IDENTITY).await {
            Err(StoreError::Corrupt { .. }) => Ok(Vec::new()),
            texts => Ok(texts?.iter().filter_map(Identity::parse).collect()),
        }
    }

    /// The one for sealing. One in a locked keyring is of no use; a login must not have to wait for a keyring that
    /// may never be unlocked.
    async fn usable_identity(&self) -> Result<Option<Identity>, StoreError> {
        match self.stored_identities().await {
            Err(StoreError::LockedElsewhere { .. }) => Ok(None),
            identities => Ok(identities?.into_iter().next()),
        }
    }

    /// The identity for sealing, as the store holds it now: what is sealed must be possible to
    /// open after a restart. Generated if there is none; put back if it went missing while manutop runs.
    pub(crate) async fn identity(&self) -> Result<Arc<Identity>, StoreError> {
        if let Some(stored) = self.usable_identity().await? {
            return Ok(self.keep_identity(Arc::new(stored)));
        }
        let _held = self.hold_identity().await?;
        if let Some(stored) = self.usable_identity().await? {
            return Ok(self.keep_identity(Arc::new(stored)));
        }
        let identity = self.cached_identity().unwrap_or_else(|| Arc::new(Identity::generate()));
        self.secrets().set(IDENTITY, &identity.text()).await?;
        Ok(self.keep_identity(identity))
    }

    /// Keeps every other process and task from making an identity.
    pub(crate) async fn hold_identity(&self) -> Result<HeldLock, StoreError> {
        lock::wait_briefly(self.data_dir().identity_lock(), "the lock on the identity").await
    }
}
