//! The encrypted store's key: an `age` X25519 identity in `identity.age`, wrapped by a passphrase.
//!
//! The file is what `age` itself understands: a passphrase-encrypted identity file. Should manutop
//! ever be gone, `age --decrypt --identity identity.age FILE` still opens every record.
//!
//! Invariants: the file is made once and never overwritten; the unwrapped key is in memory only.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use age::secrecy::SecretString;
use age::{DecryptError, scrypt};
use sha2::{Digest, Sha256};

use crate::domain::Secret;
use crate::secrets::age_identity::Identity;
use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::trust;
use crate::trust::Purpose;

/// The wrapped key's name in the store's directory.
pub(crate) const FILE: &str = "identity.age";

/// The first line of the wrapped text, a comment to `age`; the format's version follows.
const HEADING: &str = "# manutop store, version ";
const VERSION: u64 = 1;

/// scrypt's cost as a power of two when wrapping: 128 MiB and some tenths of a second.
pub(crate) const WORK_FACTOR: u8 = 17;
/// The highest cost accepted when unwrapping: a manipulated file must not use up the memory.
const MOST_WORK: u8 = 20;

/// No key or record is larger.
const MAX_SIZE: u64 = 1024 * 1024;

/// The key that every record of the store is encrypted to.
pub(crate) struct StoreKey {
    identity: Identity,
}

impl StoreKey {
    /// Makes a key, wraps it by the passphrase and writes its file. `None` if another process was
    /// faster: then its key is to be unwrapped.
    pub(crate) fn create(dir: &Path, passphrase: &Secret, work_factor: u8) -> Result<Option<Self>, StoreError> {
        let path = dir.join(FILE);
        let identity = Identity::generate();
        let text = Secret::new(format!("{HEADING}{VERSION}\n{}\n", identity.text().expose()));
        let mut recipient = scrypt::Recipient::new(words(passphrase));
        recipient.set_work_factor(work_factor);
        let wrapped = age::encrypt(&recipient, text.expose().as_bytes())
            .map_err(|_| StoreError::Refused { item: FILE.into(), why: "it could not be wrapped".into() })?;
        Ok(private_files::create(&path, &wrapped)?.then_some(Self { identity }))
    }

    /// Unwraps the key in the file.
    pub(crate) fn unwrap(dir: &Path, passphrase: &Secret) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let item = path.display().to_string();
        let damaged = |why: &str| StoreError::Corrupt { item: item.clone(), why: why.to_owned() };
        let wrapped = read(&path)?.ok_or_else(|| damaged("it is gone"))?;
        trust::check(&path, Purpose::Data)?;
        let mut opener = scrypt::Identity::new(words(passphrase));
        opener.set_max_work_factor(MOST_WORK);
        let text = age::decrypt(&opener, &wrapped).map_err(|error| match error {
            DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
                StoreError::WrongPassphrase { from: None }
            }
            DecryptError::NoMatchingKeys => damaged("it is not wrapped by a passphrase"),
            DecryptError::ExcessiveWork { .. } => damaged("opening it would take more memory than is sensible"),
            DecryptError::UnknownFormat => damaged("its format of age is not known"),
            _ => damaged("it was changed or cut short"),
        })?;
        let text = Secret::new(String::from_utf8(text).map_err(|_| damaged("it is no text"))?);
        let mut lines = text.expose().lines();
        let version = lines.next().and_then(|line| line.strip_prefix(HEADING)).and_then(|digits| digits.parse().ok());
        match version {
            Some(VERSION) => {}
            Some(version) if version > VERSION => return Err(StoreError::NewerFormat { item, version }),
            _ => return Err(damaged("it does not say which format it has")),
        }
        let key = lines.next().and_then(|line| Identity::parse(&Secret::new(line)));
        key.map(|identity| Self { identity }).ok_or_else(|| damaged("it holds no age identity"))
    }

    /// A text encrypted to the key.
    pub(crate) fn encrypt(&self, text: &Secret) -> Option<Vec<u8>> {
        self.identity.encrypt(text)
    }

    /// A text decrypted; `None` if it was encrypted to another key, or changed since.
    pub(crate) fn decrypt(&self, bytes: &[u8]) -> Option<Secret> {
        self.identity.decrypt(bytes)
    }

    /// The name of an item's file: hex digits, so that it fits every file system, and none that
    /// can be derived from the item without the key.
    pub(crate) fn file_name(&self, item: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"manutop file name 1\n");
        hasher.update(self.identity.text().expose());
        hasher.update(b"\n");
        hasher.update(item);
        let mut name = String::new();
        for byte in &hasher.finalize()[..16] {
            write!(name, "{byte:02x}").expect("writing to a String cannot fail");
        }
        name + ".age"
    }
}

/// The whole file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path, error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(|error| StoreError::io("read", path, error))?;
    if bytes.len() as u64 > MAX_SIZE {
        let why = "it is far larger than what belongs here".into();
        return Err(StoreError::Corrupt { item: path.display().to_string(), why });
    }
    Ok(Some(bytes))
}

fn words(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose().to_owned())
}
