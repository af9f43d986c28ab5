//! The platform's keyring: Secret Service, macOS Keychain, or Windows Credential Manager.
//!
//! Items have service `manutop` and a user such as `factory/token`. Before every call the keyring
//! is asked whether it is locked, because a locked one raises a prompt that may wait for
//! ever. A new session is made after a failure: one stays broken once its daemon was restarted.

#[cfg(any(target_os = "macos", target_os = "windows"))]
mod native;
#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
mod secret_service;

use std::sync::Arc;

#[cfg(any(target_os = "macos", target_os = "windows"))]
use native::Keyring;
#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
use secret_service::Keyring;

use crate::secrets::namespace::Namespace;
use crate::secrets::secret_store::StoreFactory;

const SERVICE: &str = "manutop";

/// Makes handles on the platform's keyring for one data directory's items. Touches nothing until
/// the first handle is made.
#[must_use]
pub fn factory(namespace: Namespace) -> StoreFactory {
    Arc::new(move || Ok(Box::new(Keyring::connect(namespace.clone())?)))
}

/// What a keyring's own window shows for an item: `manutop: factory (token)`.
#[cfg(all(unix, not(target_os = "macos")))]
fn label(item: &str) -> String {
    match item.split_once('/') {
        Some((name, kind)) => format!("{SERVICE}: {name} ({kind})"),
        None => format!("{SERVICE}: {item}"),
    }
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::label;

    #[test]
    fn labels_name_the_connection_and_the_kind_of_item() {
        assert_eq!(label("factory/token"), "manutop: factory (token)");
        assert_eq!(label("identity"), "manutop: identity");
    }
}
