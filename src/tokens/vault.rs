//! The vault: the tokens of all connections, in one data directory and one secret store.
//!
//! This file only opens it. What it can do is grouped by subject in files beside this one: [`read`](super::read)
//! needs no lock; every change goes through a [`locked_connection`](super::locked_connection).
//!
//! Invariant: no call touches the secret store before it is asked something that only the store knows, and none
//! blocks the calling thread: files are read and written on blocking tasks, the secret store on its own thread.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::domain::Clock;
use crate::secrets::age_identity::Identity;
use crate::secrets::error::StoreError;
use crate::secrets::worker::Secrets;
use crate::tokens::data_dir::DataDir;

/// The tokens of all connections. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<VaultInner>,
}

struct VaultInner {
    secrets: Secrets,
    data_dir: DataDir,
    clock: Arc<dyn Clock>,
    identity: Mutex<Option<Arc<Identity>>>,
}

impl Vault {
    /// Opens the vault and makes its directories, private to their owner. Touches no secret store.
    ///
    /// # Errors
    /// `Io` if a directory cannot be made, `Untrusted` if one belongs to another user or others could
    /// replace what is kept in the data directory.
    pub fn open(secrets: Secrets, data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (data_dir, identity) = (DataDir::create(data_dir)?, Mutex::default());
        Ok(Self { inner: Arc::new(VaultInner { secrets, data_dir, clock, identity }) })
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    pub(crate) fn data_dir(&self) -> &DataDir {
        &self.inner.data_dir
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// The identity in memory; only for [`identity`](super::identity).
    pub(super) fn identity_in_memory(&self) -> &Mutex<Option<Arc<Identity>>> {
        &self.inner.identity
    }
}
