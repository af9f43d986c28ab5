//! The stores that the harness runs on, as every process opens them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manutop::domain::{Secret, SystemClock};
use manutop::store::{Namespace, SecretStore, Secrets, StoreError, StoreFactory, Vault, keyring};

/// A store to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// The keyring of the session that this process lives in.
    Keyring,
    /// Plain files, so that the harness runs where there is no keyring.
    Files,
}

impl StoreKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Files => "files",
        }
    }

    pub fn named(name: &str) -> Self {
        [Self::Keyring, Self::Files].into_iter().find(|kind| kind.name() == name).unwrap()
    }

    /// The vault as a newly started process has it; `root` is shared by all of them.
    pub fn vault(self, root: &Path) -> Vault {
        let data = root.join("data");
        let factory = match self {
            Self::Keyring => keyring::factory(Namespace::for_data_dir(&data, Some(&data))),
            Self::Files => files(root.join("items")),
        };
        Vault::open(Secrets::new(factory), &data, Arc::new(SystemClock)).unwrap()
    }
}

fn files(dir: PathBuf) -> StoreFactory {
    Arc::new(move || Ok(Box::new(Files(dir.clone()))))
}

/// One file an item, replaced as a whole. In plain text: nothing but tests must ever use it.
struct Files(PathBuf);

impl Files {
    fn path(&self, item: &str) -> PathBuf {
        self.0.join(item.replace('/', "_"))
    }
}

impl SecretStore for Files {
    fn probe(&mut self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.0).map_err(|error| failed(&error))
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        match fs::read_to_string(self.path(item)) {
            Ok(text) => Ok(Some(Secret::new(text)).filter(|secret| !secret.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        self.probe()?;
        let new = self.path(&format!("{item}.{}", std::process::id()));
        fs::write(&new, secret.expose()).map_err(|error| failed(&error))?;
        fs::rename(&new, self.path(item)).map_err(|error| failed(&error))
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.path(item)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }
}

fn failed(error: &std::io::Error) -> StoreError {
    StoreError::unavailable(&error.to_string())
}
