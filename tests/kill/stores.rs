//! The stores that the harness runs on, as every process opens them.

use std::path::Path;
use std::sync::Arc;

use manutop::domain::{Secret, SystemClock};
use manutop::secrets::encrypted_file::{FileStore, Passphrase};
use manutop::secrets::keyring;
use manutop::secrets::namespace::Namespace;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

/// What opens the encrypted files.
pub const PASSPHRASE: &str = "of the kill harness";
/// scrypt's cost as a power of two: processes start by the thousand, and guard nothing.
const WORK_FACTOR: u8 = 4;

/// A store to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// The keyring of the session that this process lives in.
    Keyring,
    /// The encrypted files.
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
        Vault::open(self.secrets(root), &root.join("data"), Arc::new(SystemClock)).unwrap()
    }

    /// The bare store of that vault.
    pub fn secrets(self, root: &Path) -> Secrets {
        let data = root.join("data");
        let factory = match self {
            Self::Keyring => keyring::factory(Namespace::for_data_dir(&data, Some(&data))),
            Self::Files => {
                let passphrase = Passphrase { secret: Secret::new(PASSPHRASE), from: "the test".into() };
                FileStore::with_work_factor(data.join("store"), Some(passphrase), WORK_FACTOR).factory()
            }
        };
        Secrets::new(factory)
    }
}
