//! The part of a store's failure that others may read: what is wrong, without paths and without the words of a
//! system or a keyring.

use crate::domain::Reason;
use crate::secrets::error::{StoreArea, StoreError};

impl StoreError {
    /// What is wrong, for a person; in public without paths, and without the words of a system or a keyring.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason::withheld(self.to_string(), self.public())
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn reason_with_advice(&self) -> Reason {
        Reason::withheld(self.with_advice(), self.public())
    }

    fn public(&self) -> String {
        let what = match self {
            Self::Locked
            | Self::PassphraseNeeded { .. }
            | Self::TimedOut { .. }
            | Self::Outdated { .. }
            | Self::Unsaved { .. }
            | Self::Renaming { .. } => return self.to_string(),
            Self::WrongPassphrase { .. } => "the passphrase is wrong",
            Self::WeakPassphrase { .. } => "the passphrase chosen for the encrypted store is too weak",
            Self::Unavailable { .. } => "no secret store can be reached",
            Self::Corrupt { item, .. } => match StoreArea::of(item) {
                StoreArea::Tokens => "its stored tokens are damaged",
                StoreArea::ClientSecret => "its stored client secret is damaged",
                StoreArea::Store => "the secret store is damaged",
            },
            Self::Unreadable { .. } => "its journal cannot be read",
            Self::LockedElsewhere { .. } => "its tokens are in another keyring, which is locked",
            Self::NewerFormat { .. } => "it was stored by a newer manutop",
            Self::TooLarge { .. } => "it is too large for the secret store",
            Self::Refused { .. } => "the secret store refused it",
            Self::NotReadBack { .. } => "the secret store did not keep what was written",
            Self::Untrusted(_) => "other users could change the data directory",
            Self::Misplaced { .. } => "its journal holds what belongs to another connection",
            Self::Io { source, .. } => return format!("a file of manutop's could not be used ({})", source.kind()),
            Self::Both { .. } => "neither the journal nor the secret store took it",
        };
        what.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use crate::secrets::error::StoreError;

    #[test]
    fn in_public_there_is_no_path_and_no_word_of_a_system_or_a_keyring() {
        let (path, why) = (Path::new("/home/ada/MARKER"), || "MARKER".to_owned());
        let item = || "/home/ada/MARKER/journals/factory.json".to_owned();
        let failed = |kind| StoreError::io("write", path, io::Error::new(kind, "MARKER"));
        for error in [
            failed(io::ErrorKind::StorageFull),
            StoreError::unavailable("MARKER"),
            StoreError::WrongPassphrase { from: Some(why()) },
            StoreError::Corrupt { item: item(), why: why() },
            StoreError::Unreadable { item: item(), why: why() },
            StoreError::LockedElsewhere { item: item(), keyring: why() },
            StoreError::NewerFormat { item: item(), version: 9 },
            StoreError::TooLarge { item: item(), limit: 9 },
            StoreError::Refused { item: item(), why: why() },
            StoreError::NotReadBack { item: item() },
            StoreError::Misplaced { item: item(), why: why() },
            StoreError::Both { journal: Box::new(failed(io::ErrorKind::Other)), store: Box::new(StoreError::Locked) },
        ] {
            let (reason, advised) = (error.reason(), error.reason_with_advice());
            assert!(reason.to_string().contains("MARKER"), "{reason}");
            for public in [reason.public(), advised.public()] {
                assert!(!public.contains("MARKER") && !public.contains('/') && public.len() > 10, "{public}");
            }
        }
        assert_eq!(StoreError::Locked.reason_with_advice().public(), "the keyring is locked");
    }
}
