//! A system without Unix sockets: nothing answers, and every command works without an agent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use crate::domain::ConnectionName;
use crate::engine::agent::Peer;
use crate::engine::{AccessToken, Remote};
use crate::tokens::vault::Vault;

/// Answers no command.
pub(in crate::engine) struct Agent {
    pub(in crate::engine) config_file: PathBuf,
}

impl Agent {
    pub(in crate::engine) fn start(_: Handle, _: Remote, _: Vault, config_file: PathBuf) -> Self {
        Self { config_file }
    }
}

/// Asks no process.
pub async fn ask(_: &Path, _: &Path, _: &ConnectionName, _: Duration, _: DateTime<Utc>) -> Option<AccessToken> {
    None
}

/// No process answers.
pub async fn answers(_: &Path) -> Option<Peer> {
    None
}
