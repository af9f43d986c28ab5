//! The client secrets of connections. A rotation never touches them.

use crate::domain::{ConnectionName, Secret};
use crate::secrets::error::StoreError;
use crate::tokens::items::client_secret_item;
use crate::tokens::lock;
use crate::tokens::lock::HeldLock;
use crate::tokens::vault::Vault;

impl Vault {
    /// A connection's client secret.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn client_secret(&self, name: &ConnectionName) -> Result<Option<Secret>, StoreError> {
        self.secrets().get(&client_secret_item(name)).await
    }

    /// Sets a connection's client secret, reads it back and compares.
    ///
    /// # Errors
    /// `Refused` if it is empty or not printable ASCII (RFC 6749 Appendix A.2); else any of
    /// [`StoreError`] but those of files.
    pub async fn set_client_secret(&self, name: &ConnectionName, secret: &Secret) -> Result<(), StoreError> {
        let _held = self.hold_client_secrets().await?;
        self.secrets().set(&client_secret_item(name), secret).await
    }

    /// Removes a connection's client secret; returns whether there was one.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn remove_client_secret(&self, name: &ConnectionName) -> Result<bool, StoreError> {
        let _held = self.hold_client_secrets().await?;
        let item = client_secret_item(name);
        let existed = match self.secrets().get(&item).await {
            // What cannot be read can be removed.
            Err(StoreError::Corrupt { .. } | StoreError::LockedElsewhere { .. }) => true,
            found => found?.is_some(),
        };
        self.secrets().delete(&item).await?;
        Ok(existed)
    }

    /// Keeps every other process and task from changing client secrets.
    pub(crate) async fn hold_client_secrets(&self) -> Result<HeldLock, StoreError> {
        lock::wait_briefly(self.data_dir().client_secrets_lock(), "the lock on the client secrets").await
    }
}
