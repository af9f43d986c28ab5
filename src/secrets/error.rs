//! What can go wrong with the store, and what to do about it.
//!
//! No message holds a secret: errors of parsers and services are reduced to bounded words first.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::domain::ConnectionName;
use crate::domain::text::neutralise;
use crate::platform::limits;
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
        /// Where it came from, if nobody typed it.
        from: Option<String>,
    },
    /// There is no secret store, or its session broke and could not be made again.
    #[error("no secret store can be reached ({why})")]
    Unavailable {
        /// What the store said; bounded, without control characters.
        why: String,
    },
    /// The secret store, or a lock, kept us waiting too long.
    #[error("{what} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// Something stored cannot be read; it was left as it is.
    #[error("{item} is damaged: {why}")]
    Corrupt {
        /// The store's item, or the journal's path.
        item: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something stored is whole, and belongs to another connection or generation; it was left as it is.
    #[error("{item} cannot be used: {why}")]
    Misplaced {
        /// The journal's path.
        item: String,
        /// What it belongs to.
        why: String,
    },
    /// A connection's journal is there and the system does not let it be read.
    #[error("{item} cannot be read ({why})")]
    Unreadable {
        /// The journal's path.
        item: String,
        /// What the system said.
        why: String,
    },
    /// The only copy is in a keyring that is locked, and not the default one.
    #[error("{item} is in the keyring {keyring:?}, which is locked")]
    LockedElsewhere {
        /// The store's item.
        item: String,
        /// What that keyring is called.
        keyring: String,
    },
    /// Something stored was written by a newer manutop; it was left as it is.
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
    /// The value or the request is refused as it stands.
    #[error("{item} was refused: {why}")]
    Refused {
        /// The store's item.
        item: String,
        /// Why.
        why: String,
    },
    /// The secret store said yes, yet reading back gave something else.
    #[error("{item} was written, but reading it back gave something else")]
    NotReadBack {
        /// The store's item.
        item: String,
    },
    /// A record was about to be spent that is older than the newest one known.
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
    /// The tokens are on their way to another name; until they are there, nothing is done with them.
    #[error("it is being renamed to {to}; if that was cut off, finish it with: manutop rename {name} {to}")]
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
        /// What the system said.
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

    /// Whether it is the fault of one connection's item, so that the others can still be read.
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

    /// Whether it is about a connection's tokens that cannot be read any more, so that a login may put
    /// others in their place, or a logout give them up. What a newer manutop wrote is not.
    #[must_use]
    pub fn is_replaceable(&self) -> bool {
        match self {
            Self::Corrupt { item, .. } => StoreArea::of(item) == StoreArea::Tokens,
            Self::Misplaced { .. } | Self::Unreadable { .. } | Self::LockedElsewhere { .. } => true,
            _ => false,
        }
    }

    /// Whether it is about a damaged client secret.
    #[must_use]
    pub fn is_damaged_client_secret(&self) -> bool {
        matches!(self, Self::Corrupt { item, .. } if StoreArea::of(item) == StoreArea::ClientSecret)
    }

    /// What the user can do about it: a sentence without its full stop.
    #[must_use]
    pub fn advice(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            _ if self.is_out_of_files() => return limits::advice().into(),
            Self::Locked => "unlock it: log in to the desktop, or open its password manager",
            Self::PassphraseNeeded { .. } => {
                "give it in $CREDENTIALS_DIRECTORY/manutop, in a file named by MANUTOP_PASSPHRASE_FILE (mode 0600) or \
                 in MANUTOP_PASSPHRASE, or run manutop in a terminal, where it asks"
            }
            Self::WrongPassphrase { .. } => "give the one that the encrypted store was made with",
            Self::Unavailable { .. } => {
                "start a secret service (gnome-keyring, KWallet or KeePassXC) in this session, or choose the encrypted \
                 file with store = \"file\" in the configuration"
            }
            Self::TimedOut { .. } => "see whether the keyring shows a prompt or hangs, or another manutop hangs",
            Self::Corrupt { item, .. } => return corrupt_advice(item),
            Self::Misplaced { .. } => {
                "put the right file back if files in the data directory were exchanged; otherwise log in, which \
                 replaces it, or log out; it is kept aside"
            }
            Self::Unreadable { item, .. } => {
                return format!(
                    "give the file back to its owner (chown, then chmod 600 {item}), or log in, which replaces it"
                )
                .into();
            }
            Self::LockedElsewhere { .. } => {
                "unlock that keyring in the desktop's password manager, or log in, which stores new tokens in the \
                 default keyring"
            }
            Self::NewerFormat { .. } => "use the newer manutop that wrote it",
            Self::TooLarge { .. } => "move to the encrypted file store: manutop store migrate --to file",
            Self::Refused { .. } => "correct the value and try again",
            Self::NotReadBack { .. } => "see whether two keyring daemons share one home, then try again",
            Self::Outdated { .. } => "refresh again, which uses the newer tokens; if there are none, log in",
            Self::Unsaved { .. } => "refresh again: that saves them first",
            Self::Renaming { .. } => "nothing is sent until then",
            Self::Untrusted(why) => return why.advice().into(),
            Self::Io { .. } | Self::Both { .. } => "see that the disk has room and the data directory is writable",
        })
    }

    /// What is wrong and what to do about it, in one sentence.
    #[must_use]
    pub fn with_advice(&self) -> String {
        match self {
            // What the store said is long, and of less use: it comes last, where places are narrow.
            Self::Unavailable { why } => format!("no secret store can be reached: {} ({why})", self.advice()),
            _ => format!("{self}; {}", self.advice()),
        }
    }

    /// Whether no more files could be opened.
    fn is_out_of_files(&self) -> bool {
        match self {
            Self::Io { source, .. } => limits::is_reached(source),
            Self::Unavailable { why } | Self::Unreadable { why, .. } => limits::is_named_in(why),
            Self::Both { journal, store } => journal.is_out_of_files() || store.is_out_of_files(),
            _ => false,
        }
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

/// What an item is to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreArea {
    /// Its tokens: the store's item, or the journal.
    Tokens,
    ClientSecret,
    /// Nothing of its own: all connections need it.
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

fn corrupt_advice(item: &str) -> Cow<'static, str> {
    match (StoreArea::of(item), item.split_once('/')) {
        (StoreArea::Tokens, _) => {
            "log in, which replaces it, or log out to give it up; a damaged journal is kept aside".into()
        }
        (StoreArea::ClientSecret, Some((name, _))) => format!("set it again with: manutop secret set {name}").into(),
        _ => {
            "bring it back from a backup; without one, move its directory away, then set the client secrets and log in \
              again"
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoreError;

    #[test]
    fn whose_trouble_damage_is_and_what_ends_it_is_told_by_the_item() {
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
        let told = StoreError::unreadable("factory/token", &error).to_string();
        assert!(!told.contains("hunter2") && told.contains("factory/token"), "{told}");
    }
}
