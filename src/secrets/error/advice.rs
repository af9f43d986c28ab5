//! What a user can do about a store's failure.

use std::borrow::Cow;

use crate::platform::limits;
use crate::secrets::error::{StoreArea, StoreError};

impl StoreError {
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
            Self::WeakPassphrase { .. } => "choose a longer one, for example four random words",
            Self::Unavailable { .. } => {
                "start a secret service (gnome-keyring, KWallet or KeePassXC) in this session, or keep secrets in \
                 encrypted files with: manutop store use file"
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
            // The store's own words are long, and of less use: they come last, where space is short.
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
