//! The trait of a place that keeps secrets: the keyring, encrypted files, or memory.
//!
//! Its calls may block for as long as they like; [`Secrets`](crate::secrets::worker::Secrets) bounds them.

use std::sync::Arc;

use crate::domain::Secret;
use crate::secrets::error::StoreError;

/// An item in another place than where new ones are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The item.
    pub item: String,
    /// The place's name.
    pub place: String,
    /// Whether it is locked, so that the item is neither read nor removed.
    pub is_locked: bool,
}

/// A place that keeps secrets by name. It lives on one thread, which owns it.
///
/// Items are single-line ASCII: newlines have destroyed keyrings.
pub trait SecretStore {
    /// Succeeds if the store is reachable and unlocked; raises no prompt.
    ///
    /// # Errors
    /// `Locked`, `PassphraseNeeded`, `WrongPassphrase`, `Unavailable`.
    fn probe(&mut self) -> Result<(), StoreError>;

    /// The item, if there is one. An item that exists but is empty is missing: a keyring daemon
    /// killed while creating one leaves it so.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`, `Corrupt`.
    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError>;

    /// All items of that name, the one that [`SecretStore::get`] returns first; most stores have one.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn get_all(&mut self, item: &str) -> Result<Vec<Secret>, StoreError> {
        Ok(self.get(item)?.into_iter().collect())
    }

    /// Where else there are items of that name than where new ones are made.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`.
    fn elsewhere(&mut self, _item: &str) -> Result<Vec<Elsewhere>, StoreError> {
        Ok(Vec::new())
    }

    /// Creates the item or replaces it; others of that name are removed, as far as they can be reached.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`, `TooLarge`, `Refused`.
    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError>;

    /// Removes all items of that name that can be reached; a missing one is fine.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`.
    fn delete(&mut self, item: &str) -> Result<(), StoreError>;

    /// Unlocks a store that waits for a passphrase; succeeds on one that needs none.
    ///
    /// # Errors
    /// `WrongPassphrase`, or what keeps it from being opened.
    fn unlock(&mut self, _passphrase: &Secret) -> Result<(), StoreError> {
        Ok(())
    }

    /// The largest item it takes, in bytes; `None` where there is no practical limit.
    /// Larger secrets are split over several items.
    fn item_limit(&self) -> Option<usize> {
        None
    }
}

/// Makes a store; runs on the thread that will own it, when first needed and again after the
/// store's session broke.
pub type StoreFactory = Arc<dyn Fn() -> Result<Box<dyn SecretStore>, StoreError> + Send + Sync>;
