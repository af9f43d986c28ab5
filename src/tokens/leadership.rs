//! Roles that one process at a time has on a data directory: the keepalive service that refreshes, and the
//! agent that gives commands their access tokens.

use std::path::PathBuf;

use crate::domain::KeepaliveProcess;
use crate::secrets::error::StoreError;
use crate::tokens::lock;
use crate::tokens::vault::Vault;

/// A role that this process has. Dropping it gives the role up.
#[derive(Debug)]
pub struct Leadership {
    _lock: lock::HeldLock,
}

impl Vault {
    /// Becomes the keepalive service that leads. Blocks its thread until the lock is free, in a call that
    /// the kernel ends when the holder dies. If there is a holder, `on_wait` is called first, with its process ID
    /// where it can be read.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub fn lead(&self, on_wait: impl FnOnce(Option<u32>)) -> Result<Leadership, StoreError> {
        lock::block(&self.data_dir().keepalive_lock(), on_wait).map(|held| Leadership { _lock: held })
    }

    /// Becomes the agent, as [`Vault::lead`] becomes the keepalive service.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub fn lead_agent(&self) -> Result<Leadership, StoreError> {
        lock::block(&self.data_dir().agent_lock(), |_| {}).map(|held| Leadership { _lock: held })
    }

    /// The agent's socket.
    #[must_use]
    pub fn agent_socket(&self) -> PathBuf {
        self.data_dir().agent_socket()
    }

    /// The keepalive service that leads, if there is one and it is not this process. Costs an `open` and an attempt
    /// at the lock, and blocks as long as those do.
    #[must_use]
    pub fn keepalive_process(&self) -> Option<KeepaliveProcess> {
        let holder = lock::holder_of(&self.data_dir().keepalive_lock())?;
        (holder.pid != Some(std::process::id())).then_some(KeepaliveProcess { pid: holder.pid })
    }
}
