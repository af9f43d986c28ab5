//! What can go wrong with the secret store, a journal or a lock.
//!
//! No message holds a secret: errors of parsers and services are reduced to bounded words first.

mod advice;
mod public_reason;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::domain::ConnectionName;
use crate::domain::text::neutralise;
use crate::trust::Untrusted;

/// Why the secret store, the journal or the lock could not be used.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The keyring is locked; it was not touched, so that no prompt hangs.
    #[error("the keyring is locked")]
    Locked,
    /// The encrypted store waits for its passphrase.
    #[error("{}", if *new { "the encrypted store has no passphrase yet" } else { "the encrypted store waits for its passphrase" })]
    PassphraseNeeded {
        /// Whether there is no store yet, so that the passphrase is being chosen.
        new: bool,
    },
    /// The passphrase given does not open the encrypted store.
    #[error("the passphrase is wrong{}", from.as_ref().map_or_else(String::new, |from| format!(" ({from})")))]
    WrongPassphrase {
        /// Where it came from, if it was not typed.
        from: Option<String>,
    },
    /// The passphrase chosen for a new encrypted store can be guessed.
    #[error("the passphrase is too weak{}: {why}", from.as_ref().map_or_else(String::new, |from| format!(" ({from})")))]
    WeakPassphrase {
        /// What is weak about it; holds none of it.
        why: String,
        /// Where it came from, if it was not typed.
        from: Option<String>,
    },
    /// There is no secret store, or its session broke and could not be restored.
    #[error("no secret store can be reached ({why})")]
    Unavailable {
        /// The store's own words; bounded, without control characters.
        why: String,
    },
    /// The secret store, or a lock, took too long.
    #[error("{what} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// What did not answer.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// Something stored cannot be read; it is left unchanged.
    #[error("{item} is damaged: {why}")]
    Corrupt {
        /// The store's item, or the journal's path.
        item: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something stored is whole, and belongs to another connection or generation; it is left unchanged.
    #[error("{item} cannot be used: {why}")]
    Misplaced {
        /// The journal's path.
        item: String,
        /// What it belongs to.
        why: String,
    },
    /// A connection's journal exists and the system does not let it be read.
    #[error("{item} cannot be read ({why})")]
    Unreadable {
        /// The journal's path.
        item: String,
        /// The system's own words.
        why: String,
    },
    /// The only copy is in a keyring that is locked, and not the default one.
    #[error("{item} is in the keyring {keyring:?}, which is locked")]
    LockedElsewhere {
        /// The store's item.
        item: String,
        /// The name of that keyring.
        keyring: String,
    },
    /// Something stored was written by a newer manutop; it is left unchanged.
    #[error("{item} has format {version}, which this version of manutop does not know")]
    NewerFormat {
        /// The store's item, or the journal's path.
        item: String,
        /// The format it claims.
        version: u64,
    },
    /// The secret store takes no item that large.
    #[error("{item} is too large for the secret store, which takes {limit} bytes")]
    TooLarge {
        /// The store's item.
        item: String,
        /// The largest item it takes, in bytes.
        limit: usize,
    },
    /// The value or the request is refused.
    #[error("{item} was refused: {why}")]
    Refused {
        /// The store's item.
        item: String,
        /// Why.
        why: String,
    },
    /// The secret store reported success, but reading back gave something else.
    #[error("{item} was written, but reading it back gave something else")]
    NotReadBack {
        /// The store's item.
        item: String,
    },
    /// A record about to be sent is older than the newest one known.
    #[error("generation {given} is older than generation {mark}, the newest one known; it is never sent")]
    Outdated {
        /// The generation that was to be sent.
        given: u64,
        /// The newest generation known.
        mark: u64,
    },
    /// A newer record waits in the journal to be saved; writing over it would lose it.
    #[error("generation {generation} waits in the journal to be saved")]
    Unsaved {
        /// The generation that waits.
        generation: u64,
    },
    /// The tokens are being moved to another name; until that is done they are not used.
    #[error("it is being renamed to {to}; if that was interrupted, finish it with: manutop rename {name} {to}")]
    Renaming {
        /// The name they had.
        name: ConnectionName,
        /// The name they will have.
        to: ConnectionName,
    },
    /// The data directory, or something in it, could be changed by other users.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// A file or directory of the data directory failed.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was being done, a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's own words.
        source: Arc<io::Error>,
    },
    /// Neither the journal nor the secret store took it.
    #[error("{journal}; and {store}")]
    Both {
        /// The journal's failure.
        journal: Box<StoreError>,
        /// The secret store's failure.
        store: Box<StoreError>,
    },
}

impl StoreError {
    /// The store cannot be reached; `why` is made safe to show.
    #[must_use]
    pub fn unavailable(why: &str) -> Self {
        Self::Unavailable { why: neutralise(why, 300) }
    }

    /// Whether only one connection's item is affected, so that the others can still be read.
    #[must_use]
    pub fn is_about_one_item(&self) -> bool {
        match self {
            Self::Corrupt { item, .. } | Self::NewerFormat { item, .. } => StoreArea::of(item) != StoreArea::Store,
            Self::Misplaced { .. }
            | Self::Unreadable { .. }
            | Self::LockedElsewhere { .. }
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::Renaming { .. } => true,
            _ => false,
        }
    }

    /// Whether a connection's tokens can no longer be read, so that a login may replace them or a logout give
    /// them up. Tokens that a newer manutop wrote are not replaceable.
    #[must_use]
    pub fn is_replaceable(&self) -> bool {
        match self {
            Self::Corrupt { item, .. } => StoreArea::of(item) == StoreArea::Tokens,
            Self::Misplaced { .. } | Self::Unreadable { .. } | Self::LockedElsewhere { .. } => true,
            _ => false,
        }
    }

    /// Whether a client secret is damaged.
    #[must_use]
    pub fn is_damaged_client_secret(&self) -> bool {
        matches!(self, Self::Corrupt { item, .. } if StoreArea::of(item) == StoreArea::ClientSecret)
    }

    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source: Arc::new(source) }
    }

    /// A parser's failure reduced to its place: its own words may quote a secret.
    pub(crate) fn unreadable(item: &str, error: &serde_json::Error) -> Self {
        let why = format!("not understood at column {} ({:?})", error.column(), error.classify());
        Self::Corrupt { item: item.to_owned(), why }
    }
}

/// What an item holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreArea {
    /// A connection's tokens: the store's item, or the journal.
    Tokens,
    /// A connection's client secret.
    ClientSecret,
    /// Neither: all connections need it.
    Store,
}

impl StoreArea {
    pub(crate) fn of(item: &str) -> Self {
        let path = Path::new(item);
        let is_in_journals = path.parent().and_then(Path::file_name).is_some_and(|dir| dir == "journals");
        match item.rsplit_once('/') {
            Some((_, "token")) => Self::Tokens,
            Some((_, "client-secret")) => Self::ClientSecret,
            _ if is_in_journals => Self::Tokens,
            _ => Self::Store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoreError;

    #[test]
    fn the_item_decides_what_damage_affects_and_what_to_do_about_it() {
        let corrupt = |item: &str| StoreError::Corrupt { item: item.into(), why: "x".into() };
        for (item, alone, replaceable, advice) in [
            ("factory/token", true, true, "log in, which replaces it"),
            ("/data/journals/factory.json", true, true, "log in, which replaces it"),
            ("factory/client-secret", true, false, "manutop secret set factory"),
            ("/data/store/key.age", false, false, "from a backup"),
            ("identity", false, false, "from a backup"),
        ] {
            let error = corrupt(item);
            assert_eq!((error.is_about_one_item(), error.is_replaceable()), (alone, replaceable), "{item}");
            assert!(error.advice().contains(advice), "{item}: {}", error.advice());
            let newer = StoreError::NewerFormat { item: item.into(), version: 2 };
            assert_eq!((newer.is_about_one_item(), newer.is_replaceable()), (alone, false), "{item}");
        }
    }

    #[test]
    fn a_parser_s_words_are_not_repeated_because_they_quote_the_value() {
        let error = serde_json::from_str::<u64>("\"hunter2\"").unwrap_err();
        assert!(error.to_string().contains("hunter2"));
        let shown = StoreError::unreadable("factory/token", &error).to_string();
        assert!(!shown.contains("hunter2") && shown.contains("factory/token"), "{shown}");
    }
}
