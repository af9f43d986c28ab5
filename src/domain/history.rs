//! The history of a connection's tokens: one [`Rotation`] for each generation, without a secret.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::lost_answer::LostAnswer;
use crate::domain::token::{Fingerprint, TokenRecord};

/// How one generation of tokens was obtained.
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
    /// The fingerprint of the pasted refresh token that an import spent for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pasted: Option<Fingerprint>,
    /// The process that saved them.
    pub pid: u32,
    /// The lost answer before it: the refresh token had been sent without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<LostAnswer>,
    /// The kind of that process; unknown if it found them after a crash.
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
    /// For a refresh token that another program had obtained (§6).
    Import,
    /// Found in the journal, where a process that could not save them had left them.
    Recovered,
}

/// What kind of manutop obtained tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// One with a screen, which keeps connections alive while it is open.
    Dashboard,
    /// One without a screen, which keeps connections alive until it is stopped.
    Keepalive,
    /// A single command.
    Command,
}

/// Which process obtained tokens: the author of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Author {
    /// What it was, where that is known.
    pub program: Option<Program>,
    /// Its process ID.
    pub pid: u32,
}

impl Author {
    /// As the subject of a sentence: `keepalive, process 1234,`, or `another process` if it is unknown.
    #[must_use]
    pub fn subject(author: Option<Self>) -> String {
        author.map_or_else(|| "another process".into(), |author| format!("{author},"))
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = match self.program {
            Some(Program::Dashboard) => "a dashboard, ",
            Some(Program::Keepalive) => "keepalive, ",
            Some(Program::Command) => "a command, ",
            None => "",
        };
        write!(f, "{program}process {}", self.pid)
    }
}

/// The `manutop keepalive` that leads on a data directory: the one that refreshes automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepaliveProcess {
    /// Its process ID, if it could be read.
    pub pid: Option<u32>,
}

impl Rotation {
    /// Whose work it was.
    #[must_use]
    pub fn author(&self) -> Author {
        Author { program: self.by, pid: self.pid }
    }

    /// What a record's own generation is remembered by.
    #[must_use]
    pub fn of(record: &TokenRecord, how: Obtained, recovered: Option<LostAnswer>, by: Option<Program>) -> Self {
        Self {
            generation: record.generation,
            at: record.obtained_at,
            how,
            access: Fingerprint::of(&record.access_token),
            refresh: record.refresh_token.as_ref().map(|refresh| Fingerprint::of(&refresh.token)),
            pasted: None,
            pid: std::process::id(),
            recovered,
            by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Author, Program};

    #[test]
    fn an_author_is_named_as_far_as_it_is_known() {
        let author = |program| Author::subject(Some(Author { program, pid: 7 }));
        assert_eq!(author(Some(Program::Keepalive)), "keepalive, process 7,");
        assert_eq!(author(Some(Program::Command)), "a command, process 7,");
        assert_eq!(author(None), "process 7,");
        assert_eq!(Author::subject(None), "another process");
        let written = serde_json::to_value([Program::Dashboard, Program::Keepalive, Program::Command]).unwrap();
        assert_eq!(written, serde_json::json!(["dashboard", "keepalive", "command"]), "as in files written before");
    }
}
