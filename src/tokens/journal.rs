//! The journal: one small write-ahead log per connection, without a readable secret. It records what
//! a crash left undone. A refresh goes through three states; the fourth is a rename's.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{ConnectionName, Fingerprint, LastRefusal, LostAnswer, Published, Secret, TokenRecord};
use crate::secrets::error::StoreError;
use crate::secrets::format_version::{VERSION, check_version};
use crate::secrets::private_files;
use crate::tokens::{binding, damaged_journal, record};

/// Enough for nearly every journal: a sealed record of two long tokens, or an answer that could not be read.
pub(crate) const SPACE: u64 = 256 * 1024;

/// How much the journal of the next record may need, where the present one's line has so many bytes: sealing writes
/// two hex digits a byte, and the next one may be twice as long.
pub(crate) fn space_for(line: usize) -> u64 {
    SPACE.max(4 * line as u64 + 4096)
}

/// What the journal of a connection says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Journal {
    /// Nothing is unfinished. The mark is the newest record ever saved; an older one was rolled back.
    Settled {
        /// Its generation.
        generation: u64,
        /// Its fingerprint; see [`record::fingerprint`].
        fingerprint: Fingerprint,
        /// Whether it was given up since, by a logout.
        #[serde(default)]
        forgotten: bool,
    },
    /// A refresh token may have been sent and its answer lost.
    Spending(Spending),
    /// An answer was received; the secret store may not have it yet.
    Received {
        /// The new record's generation.
        generation: u64,
        /// Its fingerprint; see [`record::fingerprint`].
        fingerprint: Fingerprint,
        /// The record's line, sealed to the identity; hex digits.
        sealed: String,
    },
    /// The tokens are being moved to another name: under this one they are neither sent nor
    /// erased nor replaced. See [`Renaming`](crate::tokens::rename::Renaming).
    Moving {
        /// The name they will have.
        to: ConnectionName,
        /// What the journal of that name begins with: never `Received` and never `Moving`.
        arrives: Box<Journal>,
    },
}

/// A refresh token that may have been sent, and its answer lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spending {
    /// The generation it belongs to.
    pub(crate) generation: u64,
    /// The refresh token's fingerprint.
    pub(crate) fingerprint: Fingerprint,
    /// The process that sent it last.
    pub(crate) pid: u32,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// How often it was sent.
    #[serde(default = "once")]
    pub(crate) sends: u32,
    /// When it was first sent, if that was earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_at: Option<DateTime<Utc>>,
    /// When the answer was found to be lost; `None` while it is awaited, or if its process died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<DateTime<Utc>>,
    /// How the answer was lost; `None` while it is awaited, or if its process died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// The part of `why` that others may read; `None` if an older version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public: Option<Published>,
    /// An answer that came and could not be read, sealed to the identity; hex digits. It may hold a
    /// newer refresh token, and stays until one is found or another way leads to new tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unread: Option<String>,
}

fn once() -> u32 {
    1
}

impl Spending {
    /// The lost answer that this is once its process is gone.
    pub(crate) fn lost(&self) -> LostAnswer {
        LostAnswer { at: self.first_at.unwrap_or(self.at), sends: self.sends }
    }
}

/// A journal with what is kept beside its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalFile {
    #[serde(flatten)]
    pub(crate) journal: Journal,
    /// The provider's last answer, where it gave no tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<LastRefusal>,
    /// The lost answer that the newest record has recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recovered: Option<LostAnswer>,
}

#[derive(Serialize, Deserialize)]
struct JournalDocument {
    version: u64,
    /// The connection whose journal it is; absent in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(flatten)]
    file: JournalFile,
}

impl JournalFile {
    /// Reads it; `None` if there is none. Another connection's is refused. Blocks on the disk.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged_journal::read_failed(path, error)),
        };
        let item = path.display().to_string();
        check_version(&item, &text)?;
        let JournalDocument { connection, file, .. } =
            serde_json::from_str(&text).map_err(|error| StoreError::unreadable(&item, &error))?;
        match connection.filter(|connection| !is_of(path, connection)) {
            None => Ok(Some(file)),
            Some(connection) => {
                Err(binding::misplaced(&item, &format!("it belongs to {}", binding::whose(&connection))))
            }
        }
    }

    /// Replaces it, durably. Blocks on the disk.
    pub(crate) fn write(self, path: &Path) -> Result<(), StoreError> {
        private_files::replace(path, self.text(path))
    }

    /// The text of its file at this path, which names the connection.
    pub(crate) fn text(self, path: &Path) -> String {
        let connection = owner(path).map(str::to_owned);
        let document = JournalDocument { version: VERSION, connection, file: self };
        serde_json::to_string(&document).expect("strings, numbers and times always serialise") + "\n"
    }
}

/// The connection whose journal a path is.
fn owner(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

fn is_of(path: &Path, connection: &str) -> bool {
    owner(path).is_some_and(|owner| owner.eq_ignore_ascii_case(connection))
}

impl From<Journal> for JournalFile {
    /// A new state leaves nothing of what was beside the old one.
    fn from(journal: Journal) -> Self {
        Self { journal, refusal: None, recovered: None }
    }
}

impl Journal {
    /// The newest generation it knows of.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            Self::Settled { generation, .. }
            | Self::Spending(Spending { generation, .. })
            | Self::Received { generation, .. } => *generation,
            Self::Moving { arrives, .. } => arrives.generation(),
        }
    }

    /// The fingerprint that goes with [`Journal::generation`].
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        match self {
            Self::Settled { fingerprint, .. }
            | Self::Spending(Spending { fingerprint, .. })
            | Self::Received { fingerprint, .. } => fingerprint,
            Self::Moving { arrives, .. } => arrives.fingerprint(),
        }
    }

    /// Whether the tokens were given up, by a logout or a rename.
    pub(crate) fn is_forgotten(&self) -> bool {
        matches!(self, Self::Settled { forgotten: true, .. })
    }

    /// The same, given up: tokens up to its generation are never sent again.
    pub(crate) fn forgotten(&self) -> Self {
        Self::Settled { generation: self.generation(), fingerprint: self.fingerprint().clone(), forgotten: true }
    }

    /// The same for a record that was given another generation.
    pub(crate) fn with_generation(mut self, new: u64) -> Self {
        match &mut self {
            Self::Settled { generation, .. }
            | Self::Spending(Spending { generation, .. })
            | Self::Received { generation, .. } => *generation = new,
            Self::Moving { arrives, .. } => **arrives = arrives.as_ref().clone().with_generation(new),
        }
        self
    }

    /// The journal of a record that is in the store.
    pub(crate) fn settled(record: &TokenRecord) -> Self {
        let (generation, fingerprint) = (record.generation, record::fingerprint(record));
        Self::Settled { generation, fingerprint, forgotten: false }
    }

    /// The journal of a connection that never had tokens.
    pub(crate) fn of_nothing() -> Self {
        Self::Settled { generation: 0, fingerprint: Fingerprint::of(&Secret::default()), forgotten: true }
    }

    /// Replaces the journal by this state alone, durably. Blocks on the disk.
    #[cfg(test)]
    pub(crate) fn write(self, path: &Path) -> Result<(), StoreError> {
        JournalFile::from(self).write(path)
    }

    /// Reads its state alone; `None` if there is none. Blocks on the disk.
    #[cfg(test)]
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        Ok(JournalFile::read(path)?.map(|file| file.journal))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Journal, JournalFile, Spending};
    use crate::domain::{ConnectionName, Fingerprint, LastRefusal, LostAnswer, Published, RefusalKind, Secret};
    use crate::secrets::error::StoreError;
    use crate::tokens::record::tests::at;

    fn spending(generation: u64, fingerprint: Fingerprint) -> Spending {
        let (pid, at, sends) = (4711, at(), 1);
        Spending {
            generation,
            fingerprint,
            pid,
            at,
            sends,
            first_at: None,
            lost_at: None,
            why: None,
            public: None,
            unread: None,
        }
    }

    #[test]
    fn a_lost_answer_written_by_an_older_version_was_sent_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        let text = r#"{"version":1,"state":"spending","generation":41,"fingerprint":"00112233","pid":7,"at":"2026-03-01T12:00:00Z"}"#;
        std::fs::write(&path, text).unwrap();
        let Some(Journal::Spending(spending)) = Journal::read(&path).unwrap() else { panic!() };
        assert_eq!(spending.lost(), LostAnswer { at: spending.at, sends: 1 });
    }

    #[test]
    fn what_is_kept_beside_the_state_comes_back_and_is_gone_with_the_next_state() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        let fingerprint = Fingerprint::of(&Secret::new("token"));
        let lost = LostAnswer { at: at(), sends: 3 };
        let refusal = LastRefusal {
            kind: RefusalKind::InvalidGrant,
            at: at(),
            not_before: at(),
            words: "400 invalid_grant: dead".into(),
            public: Some(Published { text: "400 invalid_grant".into(), code: Some("invalid_grant".into()) }),
            refresh_token: Some(fingerprint.clone()),
            client_secret: fingerprint.clone(),
            client_id: "client".into(),
            token_url: "https://auth.example/token".into(),
            lost: Some(lost),
        };
        let journal = Journal::Settled { generation: 41, fingerprint, forgotten: false };
        let file = JournalFile { journal: journal.clone(), refusal: Some(refusal), recovered: Some(lost) };
        file.clone().write(&path).unwrap();
        assert_eq!(JournalFile::read(&path).unwrap(), Some(file));
        journal.clone().write(&path).unwrap();
        assert_eq!(JournalFile::read(&path).unwrap(), Some(journal.into()));
    }

    #[test]
    fn every_state_comes_back_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        assert_eq!(Journal::read(&path).unwrap(), None);
        let fingerprint = Fingerprint::of(&Secret::new("token"));
        for journal in [
            Journal::Settled { generation: 41, fingerprint: fingerprint.clone(), forgotten: true },
            Journal::Spending(spending(41, fingerprint.clone())),
            Journal::Moving {
                to: ConnectionName::new("plant").unwrap(),
                arrives: Box::new(Journal::Spending(spending(42, fingerprint.clone()))),
            },
            Journal::Received { generation: 42, fingerprint, sealed: "00ff".into() },
        ] {
            journal.clone().write(&path).unwrap();
            assert_eq!(Journal::read(&path).unwrap(), Some(journal));
        }
    }

    /// Any journal there can be.
    fn any_journal() -> impl Strategy<Value = Journal> {
        let fingerprint = any::<String>().prop_map(|text| Fingerprint::of(&Secret::new(text)));
        (any::<u64>(), fingerprint, any::<bool>(), any::<u32>(), "[0-9a-f]{0,200}", 0..3).prop_map(
            |(generation, fingerprint, forgotten, pid, sealed, state)| match state {
                0 => Journal::Settled { generation, fingerprint, forgotten },
                1 => Journal::Spending(Spending { pid, ..spending(generation, fingerprint) }),
                _ => Journal::Received { generation, fingerprint, sealed },
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_on_the_disk_is_read_without_a_panic_and_left_alone(
            bytes in prop::collection::vec(any::<u8>(), 0..300), json in "[{}\\[\\]:,\"a-z0-9]{0,80}",
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("factory.json");
            for bytes in [bytes, json.into_bytes()] {
                std::fs::write(&path, &bytes).unwrap();
                prop_assert!(Journal::read(&path).is_err(), "nothing is guessed");
                prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
            }
        }

        #[test]
        fn a_journal_cut_off_or_changed_in_one_byte_is_read_as_itself_or_refused(
            journal in any_journal(), place in any::<prop::sample::Index>(), byte: u8,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("factory.json");
            journal.clone().write(&path).unwrap();
            prop_assert_eq!(Journal::read(&path).unwrap(), Some(journal.clone()));
            let mut bytes = std::fs::read(&path).unwrap();
            let place = place.index(bytes.len() - 2);
            std::fs::write(&path, &bytes[..place]).unwrap();
            prop_assert!(Journal::read(&path).is_err());
            bytes[place] = byte;
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(Some(read)) = Journal::read(&path) {
                // A digit may become another, but no state becomes another.
                prop_assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(&journal));
            }
        }
    }

    #[test]
    fn a_newer_or_damaged_journal_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("factory.json");
        for (text, is_newer) in [(r#"{"version":2,"state":"dreaming"}"#, true), ("", false), ("{\"version\":1", false)]
        {
            std::fs::write(&path, text).unwrap();
            let error = Journal::read(&path).unwrap_err();
            assert_eq!(matches!(error, StoreError::NewerFormat { version: 2, .. }), is_newer, "{error}");
            assert_eq!(matches!(error, StoreError::Corrupt { .. }), !is_newer, "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
