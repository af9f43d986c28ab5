//! The encrypted store, `store = "file"`: one small `age` file per item, all to one key, which a
//! passphrase unwraps once per start.
//!
//! Invariants: nothing readable is ever written; a file is replaced as a whole or not at all, and
//! no write overtakes a newer one of this process; a record is bound to its item, so files that
//! were swapped are noticed; a key is made only where there is no record that another key could open.

pub mod key;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::Secret;
use crate::domain::passphrase::weakness;
use crate::secrets::encrypted_file::key::StoreKey;
use crate::secrets::error::StoreError;
use crate::secrets::format_version::{VERSION, check_version};
use crate::secrets::private_files;
use crate::secrets::secret_store::{SecretStore, StoreFactory};

/// A passphrase, and where it came from.
#[derive(Debug, Clone)]
pub struct Passphrase {
    /// The passphrase itself; never empty.
    pub secret: Secret,
    /// Where it came from, for the message that it is wrong: `MANUTOP_PASSPHRASE`, say.
    pub from: String,
}

/// The encrypted store of one directory. Cheap to clone; clones are the same store, unlocked or
/// not.
#[derive(Clone)]
pub struct FileStore {
    shared: Arc<SharedFiles>,
}

struct SharedFiles {
    dir: PathBuf,
    work_factor: u8,
    /// Whether a passphrase chosen for a new store must be hard to guess.
    judges: bool,
    access: Mutex<Access>,
    /// Held while a passphrase is tried, which takes a while.
    trying: Mutex<()>,
    /// Held while a file is written: a write that hangs is not overtaken.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Access {
    key: Option<Arc<StoreKey>>,
    /// A passphrase known from the start, until it is tried.
    given: Option<Passphrase>,
    /// Where a passphrase came from that was found to be wrong.
    refused: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredItem<Text> {
    version: u64,
    item: Text,
    value: Text,
}

impl FileStore {
    /// The store in this directory, which is made when it is first needed. The first call unlocks it with
    /// the passphrase given, if any; else it waits for one.
    #[must_use]
    pub fn new(dir: PathBuf, given: Option<Passphrase>) -> Self {
        Self::made(dir, given, key::WORK_FACTOR, true)
    }

    /// The same with another work factor for scrypt (the power of two) when the key is wrapped:
    /// for tests, which have no secret to protect. Any passphrase is accepted.
    #[must_use]
    pub fn with_work_factor(dir: PathBuf, given: Option<Passphrase>, work_factor: u8) -> Self {
        Self::made(dir, given, work_factor, false)
    }

    fn made(dir: PathBuf, given: Option<Passphrase>, work_factor: u8, judges: bool) -> Self {
        let access = Mutex::new(Access { given, ..Access::default() });
        let (trying, writing) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(SharedFiles { dir, work_factor, judges, access, trying, writing }) }
    }

    /// Makes handles on this store.
    #[must_use]
    pub fn factory(&self) -> StoreFactory {
        let store = self.clone();
        Arc::new(move || Ok(Box::new(store.clone())))
    }

    /// Whether a passphrase given now would be a new one.
    ///
    /// # Errors
    /// `Corrupt` if there are records but not the key to them; `Io`.
    pub fn is_new(&self) -> Result<bool, StoreError> {
        self.shared.is_new()
    }
}

impl SharedFiles {
    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, unwrapped with the passphrase given at the start if that was not tried yet.
    fn key(&self) -> Result<Arc<StoreKey>, StoreError> {
        let given = {
            let access = self.access();
            if let Some(key) = &access.key {
                return Ok(Arc::clone(key));
            }
            if let Some(from) = &access.refused {
                return Err(StoreError::WrongPassphrase { from: Some(from.clone()) });
            }
            access.given.clone()
        };
        let Some(given) = given else {
            return Err(StoreError::PassphraseNeeded { new: self.is_new()? });
        };
        match self.unlock(&given.secret) {
            Ok(key) => Ok(key),
            Err(StoreError::WrongPassphrase { .. }) => {
                self.access().refused = Some(given.from.clone());
                Err(StoreError::WrongPassphrase { from: Some(given.from) })
            }
            Err(StoreError::WeakPassphrase { why, .. }) => {
                Err(StoreError::WeakPassphrase { why, from: Some(given.from) })
            }
            Err(error) => Err(error),
        }
    }

    fn unlock(&self, passphrase: &Secret) -> Result<Arc<StoreKey>, StoreError> {
        if passphrase.is_empty() {
            return Err(StoreError::Refused { item: "the passphrase".into(), why: "it is empty".into() });
        }
        let Ok(_trying) = self.trying.try_lock() else {
            return Err(StoreError::unavailable("it is being unlocked at this moment"));
        };
        let is_new = self.is_new()?;
        if let Some(why) = weakness(passphrase).filter(|_| is_new && self.judges) {
            return Err(StoreError::WeakPassphrase { why, from: None });
        }
        private_files::private_dir(&self.dir)?;
        let key = if is_new {
            match StoreKey::create(&self.dir, passphrase, self.work_factor)? {
                Some(key) => key,
                None => StoreKey::unwrap(&self.dir, passphrase)?,
            }
        } else {
            StoreKey::unwrap(&self.dir, passphrase)?
        };
        let key = Arc::new(key);
        *self.access() = Access { key: Some(Arc::clone(&key)), ..Access::default() };
        Ok(key)
    }

    fn is_new(&self) -> Result<bool, StoreError> {
        let key = self.dir.join(key::FILE);
        if key.try_exists().map_err(|error| StoreError::io("inspect", &key, error))? {
            return Ok(false);
        }
        // The key is always made before the first record: if it is missing now and exists a
        // moment later, another process has just made it.
        if holds_records(&self.dir)? && !key.exists() {
            let why = "it is gone, and there are records that only it opens; bring it back from a backup".into();
            return Err(StoreError::Corrupt { item: key.display().to_string(), why });
        }
        Ok(true)
    }

    fn path(&self, key: &StoreKey, item: &str) -> PathBuf {
        self.dir.join(key.file_name(item))
    }
}

impl SecretStore for FileStore {
    fn probe(&mut self) -> Result<(), StoreError> {
        self.shared.key().map(|_| ())
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        let key = self.shared.key()?;
        let Some(bytes) = key::read(&self.shared.path(&key, item))? else { return Ok(None) };
        let damaged = |why: &str| StoreError::Corrupt { item: item.to_owned(), why: why.to_owned() };
        let text = key
            .decrypt(&bytes)
            .ok_or_else(|| damaged("it cannot be decrypted: it was changed, or encrypted to another key"))?;
        check_version(item, text.expose())?;
        let document: StoredItem<String> =
            serde_json::from_str(text.expose()).map_err(|error| StoreError::unreadable(item, &error))?;
        let value = Secret::new(document.value);
        if document.item == item { Ok(Some(value)) } else { Err(damaged("another item's record is in its place")) }
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        let key = self.shared.key()?;
        let document = StoredItem { version: VERSION, item, value: secret.expose() };
        let text = Secret::new(serde_json::to_string(&document).expect("strings and numbers always serialise"));
        let bytes = key
            .encrypt(&text)
            .ok_or_else(|| StoreError::Refused { item: item.to_owned(), why: "it could not be encrypted".into() })?;
        if let Err(newer @ StoreError::NewerFormat { .. }) = self.get(item) {
            return Err(newer); // left untouched; anything else that cannot be read is replaced
        }
        let _writing = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        private_files::replace(&self.shared.path(&key, item), bytes)
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        let key = self.shared.key()?;
        let _writing = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        private_files::remove(&self.shared.path(&key, item))
    }

    fn unlock(&mut self, passphrase: &Secret) -> Result<(), StoreError> {
        self.shared.unlock(passphrase).map(|_| ())
    }
}

fn holds_records(dir: &Path) -> Result<bool, StoreError> {
    let failed = |error| StoreError::io("read", dir, error);
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".age") && !name.starts_with('.') && name != key::FILE {
            return Ok(true);
        }
    }
    Ok(false)
}
