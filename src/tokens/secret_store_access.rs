//! The secret store as a whole: is it reachable, does it keep what it is given, and unlocking it.

use std::time::{Duration, Instant};

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::tokens::vault::Vault;

impl Vault {
    /// Succeeds if the secret store is reachable and unlocked; raises no prompt.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`, `TimedOut`.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.secrets().probe().await
    }

    /// Writes an item of its own to the secret store, reads it back and removes it; returns how long
    /// that took.
    ///
    /// # Errors
    /// The store cannot be reached, is locked, or does not keep what it is given.
    pub async fn rehearse(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        let secrets = self.secrets();
        secrets.probe().await?;
        // One per process, so that two rehearsals never meet.
        let item = format!("rehearsal-{}", std::process::id());
        secrets.set(&item, &Secret::new("rehearsal")).await?;
        secrets.delete(&item).await?;
        Ok(started.elapsed())
    }

    /// Whether encrypted files can take the place of the keyring.
    #[must_use]
    pub fn can_use_files(&self) -> bool {
        self.secrets().has_alternative()
    }

    /// Keeps secrets in encrypted files from now on; false where that is not possible.
    #[must_use]
    pub fn use_files(&self) -> bool {
        self.secrets().use_alternative()
    }

    /// Unlocks a secret store that waits for a passphrase; succeeds on one that needs none. On first
    /// use this sets the passphrase. May take many seconds.
    ///
    /// # Errors
    /// `WrongPassphrase`, `Refused` if it is empty, or what keeps the store from being opened.
    pub async fn unlock(&self, passphrase: Secret) -> Result<(), StoreError> {
        self.secrets().unlock(passphrase).await
    }
}
