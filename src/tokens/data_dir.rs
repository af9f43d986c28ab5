//! The layout of the data directory: journals, locks, history, status snapshot and the agent's socket.
//!
//! No connection's name begins with a dot, so the locks that begin with one belong to no connection.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::domain::ConnectionName;
use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::tokens::status_snapshot;

/// The directory of the locks; the agent's socket is here too, because only the owner has access.
const LOCKS: &str = "locks";

/// The paths within one data directory.
pub(crate) struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Makes the directories that are missing, private to their owner.
    ///
    /// # Errors
    /// `Io` if a directory cannot be made, `Untrusted` if one belongs to another user or others could
    /// replace what is kept in it.
    pub(crate) fn create(root: &Path) -> Result<Self, StoreError> {
        let dir = Self { root: root.to_owned() };
        private_files::data_dir(root)?;
        private_files::private_dir(&dir.journals())?;
        private_files::private_dir(&dir.root.join(LOCKS))?;
        Ok(dir)
    }

    /// The directory of the journals.
    pub(crate) fn journals(&self) -> PathBuf {
        self.root.join("journals")
    }

    pub(crate) fn journal(&self, name: &ConnectionName) -> PathBuf {
        self.journals().join(format!("{name}.json"))
    }

    /// The names of the journals, without their ending. Blocks on the disk.
    pub(crate) fn journal_names(&self) -> Result<HashSet<String>, StoreError> {
        let dir = self.journals();
        let failed = |error| StoreError::io("read", &dir, error);
        let mut names = HashSet::new();
        for entry in std::fs::read_dir(&dir).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            names.extend(file.to_str().and_then(|file| file.strip_suffix(".json")).map(str::to_owned));
        }
        Ok(names)
    }

    /// Its directory is made with the first generation that is recorded.
    pub(crate) fn history(&self, name: &ConnectionName) -> PathBuf {
        self.root.join("history").join(format!("{name}.jsonl"))
    }

    pub(crate) fn status_snapshot(&self) -> PathBuf {
        self.root.join(status_snapshot::FILE)
    }

    pub(crate) fn connection_lock(&self, name: &ConnectionName) -> PathBuf {
        self.lock(&format!("{name}.lock"))
    }

    /// Held while an identity is made.
    pub(crate) fn identity_lock(&self) -> PathBuf {
        self.lock(".identity.lock")
    }

    /// Held for every change of a client secret, so that none is made while all are being moved.
    pub(crate) fn client_secrets_lock(&self) -> PathBuf {
        self.lock(".client-secrets.lock")
    }

    /// Held by the keepalive service that leads.
    pub(crate) fn keepalive_lock(&self) -> PathBuf {
        self.lock(".keeper.lock")
    }

    /// Held while the status snapshot is written.
    pub(crate) fn status_snapshot_lock(&self) -> PathBuf {
        self.lock(".overview.lock")
    }

    /// Held by the process that gives commands their access tokens.
    pub(crate) fn agent_lock(&self) -> PathBuf {
        self.lock(".agent.lock")
    }

    /// The socket of that process.
    pub(crate) fn agent_socket(&self) -> PathBuf {
        agent_socket(&self.root)
    }

    fn lock(&self, file: &str) -> PathBuf {
        self.root.join(LOCKS).join(file)
    }
}

/// The socket on which a process gives commands their access tokens.
#[must_use]
pub fn agent_socket(data_dir: &Path) -> PathBuf {
    data_dir.join(LOCKS).join(".agent.sock")
}
