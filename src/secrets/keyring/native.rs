//! The keyrings of macOS and Windows: one item of each name.
//!
//! Whether the login keychain is locked cannot be asked without the risk of a prompt; the timeout
//! around every call bounds that. The Credential Manager is open while its user is logged in, and
//! takes 2,560 bytes an item.

use std::sync::Arc;

use keyring_core::Entry;
use keyring_core::api::CredentialStore;

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::secrets::keyring::SERVICE;
use crate::secrets::namespace::Namespace;
use crate::secrets::secret_store::SecretStore;

#[cfg(target_os = "macos")]
const ITEM_LIMIT: Option<usize> = None;
#[cfg(target_os = "windows")]
const ITEM_LIMIT: Option<usize> = Some(2560);

pub(crate) struct Keyring {
    store: Arc<CredentialStore>,
    namespace: Namespace,
}

impl Keyring {
    pub(crate) fn connect(namespace: Namespace) -> Result<Self, StoreError> {
        let store = open().map_err(|error| failure("the keyring", &error))?;
        Ok(Self { store, namespace })
    }

    fn entry(&self, item: &str) -> Result<Entry, StoreError> {
        self.store.build(SERVICE, &self.namespace.user(item), None).map_err(|error| failure(item, &error))
    }
}

#[cfg(target_os = "macos")]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    apple_native_keyring_store::keychain::Store::new().map(|store| store as Arc<CredentialStore>)
}

#[cfg(target_os = "windows")]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    windows_native_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
}

impl SecretStore for Keyring {
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        let bytes = match self.entry(item)?.get_secret() {
            Ok(bytes) => bytes,
            Err(keyring_core::Error::NoEntry) => return Ok(None),
            Err(error) => return Err(failure(item, &error)),
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| StoreError::Corrupt { item: item.to_owned(), why: "it is no text".into() })?;
        Ok(Some(Secret::new(text)).filter(|secret| !secret.is_empty()))
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        let entry = self.entry(item)?;
        entry.set_secret(secret.expose().as_bytes()).map_err(|error| failure(item, &error))
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        match self.entry(item)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(item, &error)),
        }
    }

    fn item_limit(&self) -> Option<usize> {
        ITEM_LIMIT
    }
}

/// None of these texts quotes a secret.
fn failure(item: &str, error: &keyring_core::Error) -> StoreError {
    use keyring_core::Error;
    let item = item.to_owned();
    match error {
        Error::TooLong(_, limit) => StoreError::TooLarge { item, limit: usize::try_from(*limit).unwrap_or(usize::MAX) },
        Error::NoStorageAccess(_) => StoreError::Locked,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => StoreError::Corrupt { item, why: "it is no text".into() },
        Error::Ambiguous(entries) => {
            let why = format!("the keyring holds {} items of that name; remove all but the newest", entries.len());
            StoreError::Corrupt { item, why }
        }
        Error::Invalid(what, why) => StoreError::Refused { item, why: format!("{what} {why}") },
        other => StoreError::unavailable(&other.to_string()),
    }
}
