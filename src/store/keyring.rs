//! The platform's keyring: Secret Service, macOS Keychain, or Windows Credential Manager.
//!
//! Items have service `manutop` and a user such as `factory/token`. Before every call the keyring
//! is asked whether it is locked, because a locked one answers with a prompt that may wait for
//! ever. Each store is made by hand: the default one of `keyring-core` is made once per process
//! and stays broken once its daemon was restarted.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::Entry;
use keyring_core::api::CredentialStore;

use super::error::StoreError;
use super::namespace::Namespace;
use super::secret_store::{SecretStore, StoreFactory};
use crate::domain::Secret;

const SERVICE: &str = "manutop";

/// Makes handles on the platform's keyring for one data directory's items. Touches nothing until
/// the first handle is made.
#[must_use]
pub fn factory(namespace: Namespace) -> StoreFactory {
    Arc::new(move || {
        let guard = platform::Guard::connect()?;
        let store = platform::store().map_err(|error| platform::told("the keyring", &error))?;
        Ok(Box::new(Keyring { guard, store, namespace: namespace.clone() }))
    })
}

struct Keyring {
    guard: platform::Guard,
    store: Arc<CredentialStore>,
    namespace: Namespace,
}

impl Keyring {
    fn entry(&self, item: &str) -> Result<Entry, StoreError> {
        let label = label(item);
        let modifiers = platform::HAS_LABELS.then(|| HashMap::from([("label", label.as_str())]));
        self.store
            .build(SERVICE, &self.namespace.user(item), modifiers.as_ref())
            .map_err(|error| platform::told(item, &error))
    }
}

impl SecretStore for Keyring {
    fn probe(&mut self) -> Result<(), StoreError> {
        self.guard.ask_without_prompt()
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        self.probe()?;
        let bytes = match self.entry(item)?.get_secret() {
            Ok(bytes) => bytes,
            Err(keyring_core::Error::NoEntry) => return Ok(None),
            Err(error) => return Err(platform::told(item, &error)),
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| StoreError::Corrupt { item: item.to_owned(), why: "it is no text".into() })?;
        Ok(Some(Secret::new(text)).filter(|secret| !secret.is_empty()))
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        self.probe()?;
        let entry = self.entry(item)?;
        entry.set_secret(secret.expose().as_bytes()).map_err(|error| platform::told(item, &error))
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        self.probe()?;
        match self.entry(item)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(platform::told(item, &error)),
        }
    }

    fn item_limit(&self) -> Option<usize> {
        platform::ITEM_LIMIT
    }
}

/// What a keyring's own window shows for an item: `manutop: factory (token)`.
fn label(item: &str) -> String {
    match item.split_once('/') {
        Some((name, kind)) => format!("{SERVICE}: {name} ({kind})"),
        None => format!("{SERVICE}: {item}"),
    }
}

/// The errors every platform's store has in common; none of their texts quotes a secret.
fn common(item: &str, error: &keyring_core::Error) -> StoreError {
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

#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
mod platform {
    //! Secret Service over D-Bus.

    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;

    use super::{Arc, CredentialStore, StoreError};

    pub(super) const ITEM_LIMIT: Option<usize> = None;
    pub(super) const HAS_LABELS: bool = true;

    /// A session of its own that carries no secret: it only asks whether the keyring is locked.
    pub(super) struct Guard(SecretService<'static>);

    impl Guard {
        pub(super) fn connect() -> Result<Self, StoreError> {
            SecretService::connect(EncryptionType::Plain).map(Self).map_err(|error| service_error(&error))
        }

        pub(super) fn ask_without_prompt(&self) -> Result<(), StoreError> {
            let default = self.0.get_default_collection().map_err(|error| service_error(&error))?;
            match default.is_locked() {
                Ok(false) => Ok(()),
                Ok(true) => Err(StoreError::Locked),
                Err(error) => Err(service_error(&error)),
            }
        }
    }

    pub(super) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        zbus_secret_service_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
    }

    pub(super) fn told(item: &str, error: &keyring_core::Error) -> StoreError {
        match error {
            keyring_core::Error::NoStorageAccess(cause) | keyring_core::Error::PlatformFailure(cause) => {
                match cause.downcast_ref::<secret_service::Error>() {
                    Some(cause) => service_error(cause),
                    None => super::common(item, error),
                }
            }
            _ => super::common(item, error),
        }
    }

    fn service_error(error: &secret_service::Error) -> StoreError {
        use secret_service::Error;
        match error {
            Error::Locked | Error::Prompt | Error::PromptDisconnected => StoreError::Locked,
            Error::NoResult => {
                StoreError::unavailable("the secret service has no default keyring; create one in its password manager")
            }
            Error::Unavailable => {
                StoreError::unavailable("there is no secret service, or no D-Bus session, in this session")
            }
            other => StoreError::unavailable(&other.to_string()),
        }
    }
}

#[cfg(target_os = "macos")]
mod platform {
    //! The login keychain. Whether it is locked cannot be asked without the risk of a prompt; the
    //! timeout around every call bounds that.

    use super::{Arc, CredentialStore, StoreError};

    pub(super) const ITEM_LIMIT: Option<usize> = None;
    pub(super) const HAS_LABELS: bool = false;

    pub(super) struct Guard;

    impl Guard {
        #[expect(clippy::unnecessary_wraps, reason = "fails where there is a service to reach")]
        pub(super) fn connect() -> Result<Self, StoreError> {
            Ok(Self)
        }

        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "fails where there is a service to ask")]
        pub(super) fn ask_without_prompt(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    pub(super) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        apple_native_keyring_store::keychain::Store::new().map(|store| store as Arc<CredentialStore>)
    }

    pub(super) fn told(item: &str, error: &keyring_core::Error) -> StoreError {
        super::common(item, error)
    }
}

#[cfg(target_os = "windows")]
mod platform {
    //! The Credential Manager: open while its user is logged in, 2,560 bytes an item.

    use super::{Arc, CredentialStore, StoreError};

    pub(super) const ITEM_LIMIT: Option<usize> = Some(2560);
    pub(super) const HAS_LABELS: bool = false;

    pub(super) struct Guard;

    impl Guard {
        #[expect(clippy::unnecessary_wraps, reason = "fails where there is a service to reach")]
        pub(super) fn connect() -> Result<Self, StoreError> {
            Ok(Self)
        }

        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "fails where there is a service to ask")]
        pub(super) fn ask_without_prompt(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    pub(super) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        windows_native_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
    }

    pub(super) fn told(item: &str, error: &keyring_core::Error) -> StoreError {
        super::common(item, error)
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_say_whose_item_it_is() {
        assert_eq!(label("factory/token"), "manutop: factory (token)");
        assert_eq!(label("identity"), "manutop: identity");
    }
}
