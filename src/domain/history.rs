//! The history of a connection's tokens: one [`Rotation`] for each generation, without a secret.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::token::{Fingerprint, TokenRecord};

/// How one generation of tokens came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The generation.
    pub generation: u64,
    /// When its tokens were asked for.
    pub at: DateTime<Utc>,
    /// How they were obtained.
    pub how: Obtained,
    /// The access token's fingerprint.
    pub access: Fingerprint,
    /// The refresh token's fingerprint; none with client credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Fingerprint>,
    /// The process that saved them.
    pub pid: u32,
    /// What that process was; not known of one that found them after a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Program>,
}

/// How tokens were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obtained {
    /// For an authorization code (RFC 6749 §4.1.3).
    Login,
    /// For a refresh token (§6).
    Refresh,
    /// For client credentials (§4.4).
    Mint,
    /// Found in the journal, where a process that could not save them had left them.
    Recovered,
}

/// What kind of manutop obtained tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// One that keeps connections alive by itself.
    Dashboard,
    /// A single command.
    Command,
}

impl Rotation {
    /// What a record's own generation is remembered by.
    #[must_use]
    pub fn of(record: &TokenRecord, how: Obtained, by: Option<Program>) -> Self {
        Self {
            generation: record.generation,
            at: record.obtained_at,
            how,
            access: Fingerprint::of(&record.access_token),
            refresh: record.refresh_token.as_ref().map(|refresh| Fingerprint::of(&refresh.token)),
            pid: std::process::id(),
            by,
        }
    }
}
