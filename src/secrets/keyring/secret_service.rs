//! Secret Service over D-Bus.
//!
//! There may be several items of one name: in one collection, made by different programs, or in
//! several collections. The default collection's come first, the newest of them first; a write
//! goes to the first and removes the others, a removal takes all. What is locked in another
//! collection is neither read nor unlocked: that would raise a prompt.

use std::collections::HashMap;

use secret_service::blocking::{Collection, Item, SecretService};
use secret_service::{EncryptionType, Error};

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::secrets::keyring::{SERVICE, label};
use crate::secrets::namespace::Namespace;
use crate::secrets::secret_store::{Elsewhere, SecretStore};

const CONTENT_TYPE: &str = "application/octet-stream";

pub(crate) struct Keyring {
    service: SecretService<'static>,
    namespace: Namespace,
}

/// The items of one name.
struct FoundItems<'a> {
    /// Those that can be read, the one that counts first.
    mine: Vec<Item<'a>>,
    /// How many of those are in the default collection.
    in_default: usize,
    /// Those in other collections that are locked.
    locked: Vec<Item<'a>>,
}

impl Keyring {
    pub(crate) fn connect(namespace: Namespace) -> Result<Self, StoreError> {
        let service = SecretService::connect(EncryptionType::Dh).map_err(|error| failure(&error))?;
        Ok(Self { service, namespace })
    }

    /// The default collection, unlocked.
    fn default(&self) -> Result<Collection<'_>, Error> {
        let default = self.service.get_default_collection()?;
        if default.is_locked()? { Err(Error::Locked) } else { Ok(default) }
    }

    fn find(&self, item: &str) -> Result<FoundItems<'_>, Error> {
        let default = self.default()?;
        let user = self.namespace.user(item);
        let found = self.service.search_items(attributes(&user))?;
        let below = format!("{}/", default.collection_path.as_str());
        let is_in_default = |item: &Item<'_>| item.item_path.as_str().starts_with(&below);
        let (mut mine, others): (Vec<_>, Vec<_>) = found.unlocked.into_iter().partition(is_in_default);
        let (guarded, locked): (Vec<_>, Vec<_>) = found.locked.into_iter().partition(is_in_default);
        if !guarded.is_empty() {
            // Its collection is open: such an item asks each time, or once.
            self.service.unlock_all(&guarded.iter().collect::<Vec<_>>())?;
            mine.extend(guarded);
        }
        newest_first(&mut mine);
        let in_default = mine.len();
        mine.extend(others);
        newest_first(&mut mine[in_default..]);
        Ok(FoundItems { mine, in_default, locked })
    }

    fn read(&self, item: &str) -> Result<Vec<Secret>, StoreError> {
        let FoundItems { mine, locked, .. } = self.find(item).map_err(|error| failure(&error))?;
        let (mut texts, mut is_damaged) = (Vec::new(), false);
        for found in &mine {
            match String::from_utf8(found.get_secret().map_err(|error| failure(&error))?) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => texts.push(Secret::new(text)),
                Err(_) => is_damaged = true,
            }
        }
        match (texts.is_empty(), is_damaged, locked.first()) {
            (true, true, _) => Err(StoreError::Corrupt { item: item.to_owned(), why: "it is no text".into() }),
            (true, false, Some(locked)) => {
                Err(StoreError::LockedElsewhere { item: item.to_owned(), keyring: self.place_of(locked) })
            }
            _ => Ok(texts),
        }
    }

    fn write(&self, item: &str, secret: &[u8]) -> Result<(), Error> {
        let FoundItems { mine, .. } = self.find(item)?;
        let Some((first, others)) = mine.split_first() else {
            let user = self.namespace.user(item);
            let made =
                self.default()?.create_item(&label(item), attributes(&user), secret, true, CONTENT_TYPE).map(drop);
            return made;
        };
        first.set_secret(secret, CONTENT_TYPE)?;
        others.iter().try_for_each(Item::delete)
    }

    /// The name of an item's collection.
    fn place_of(&self, item: &Item<'_>) -> String {
        let collections = self.service.get_all_collections().unwrap_or_default();
        let is_its = |collection: &&Collection<'_>| {
            item.item_path.as_str().starts_with(&format!("{}/", collection.collection_path.as_str()))
        };
        let label = collections.iter().find(is_its).and_then(|collection| collection.get_label().ok());
        crate::domain::text::neutralise(&label.unwrap_or_else(|| "of another name".into()), 60)
    }
}

fn attributes(user: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", user)])
}

fn newest_first(items: &mut [Item<'_>]) {
    if items.len() > 1 {
        items.sort_by_cached_key(|item| std::cmp::Reverse(item.get_modified().unwrap_or(0)));
    }
}

impl SecretStore for Keyring {
    fn probe(&mut self) -> Result<(), StoreError> {
        self.default().map(drop).map_err(|error| failure(&error))
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        Ok(self.read(item)?.into_iter().next())
    }

    fn get_all(&mut self, item: &str) -> Result<Vec<Secret>, StoreError> {
        self.read(item)
    }

    fn elsewhere(&mut self, item: &str) -> Result<Vec<Elsewhere>, StoreError> {
        let FoundItems { mine, in_default, locked } = self.find(item).map_err(|error| failure(&error))?;
        let open = mine[in_default..].iter().map(|found| (found, false));
        let of = |(found, is_locked): (&Item<'_>, bool)| Elsewhere {
            item: item.to_owned(),
            place: self.place_of(found),
            is_locked,
        };
        Ok(open.chain(locked.iter().map(|found| (found, true))).map(of).collect())
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        self.write(item, secret.expose().as_bytes()).map_err(|error| failure(&error))
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        let found = self.find(item).map_err(|error| failure(&error))?;
        found.mine.iter().try_for_each(Item::delete).map_err(|error| failure(&error))
    }
}

/// None of these texts quotes a secret.
fn failure(error: &Error) -> StoreError {
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
