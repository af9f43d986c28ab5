//! The secret store that the configuration asks for, and none but that one.

use crate::cli::support::exit::CliError;
use crate::cli::support::passphrase;
use crate::cli::support::stderr::message;
use crate::config::{Paths, StoreKind};
use crate::secrets::encrypted_file::{FileStore, Passphrase};
use crate::secrets::error::StoreError;
use crate::secrets::keyring;
use crate::secrets::namespace::Namespace;
use crate::secrets::secret_store::StoreFactory;
use crate::tokens::vault::Vault;

/// Where the encrypted store lies within the data directory.
const STORE_DIR: &str = "store";
/// How often a person may mistype a passphrase.
const TRIES: u32 = 3;

/// Makes handles on the store of this kind; touches nothing yet. `passphrase` is what the
/// encrypted store opens itself with, where it was given.
pub(crate) fn factory(kind: StoreKind, paths: &Paths, passphrase: Option<Passphrase>) -> StoreFactory {
    match kind {
        StoreKind::Keyring => {
            let default = Paths::resolve(None, None).ok().map(|default| default.data_dir);
            keyring::factory(Namespace::for_data_dir(&paths.data_dir, default.as_deref()))
        }
        StoreKind::File => FileStore::new(paths.data_dir.join(STORE_DIR), passphrase).factory(),
    }
}

/// Whether there is no encrypted store yet.
pub(crate) fn is_new_encrypted(paths: &Paths) -> Result<bool, StoreError> {
    FileStore::new(paths.data_dir.join(STORE_DIR), None).is_new()
}

/// Opens an encrypted store with the passphrase that was given, asking a person where none was. A keyring is not
/// touched.
pub(crate) async fn open_encrypted(vault: &Vault, kind: StoreKind, given: Option<Passphrase>) -> Result<(), CliError> {
    if kind == StoreKind::Keyring {
        return Ok(());
    }
    if let Some(given) = given {
        // By the slow way, which allows for a slow machine.
        return vault.unlock(given.secret).await.map_err(|error| match error {
            StoreError::WrongPassphrase { .. } => StoreError::WrongPassphrase { from: Some(given.from) }.into(),
            StoreError::WeakPassphrase { why, .. } => StoreError::WeakPassphrase { why, from: Some(given.from) }.into(),
            error => error.into(),
        });
    }
    let new = match vault.probe().await {
        Err(StoreError::PassphraseNeeded { new }) => new,
        result => return Ok(result?),
    };
    let mut tries = 0;
    loop {
        let passphrase = passphrase::ask(new)?.ok_or(StoreError::PassphraseNeeded { new })?;
        tries += 1;
        match vault.unlock(passphrase).await {
            Err(StoreError::WrongPassphrase { .. }) if tries < TRIES => message!("the passphrase is wrong"),
            result => return Ok(result?),
        }
    }
}
