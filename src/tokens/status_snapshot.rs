//! The status snapshot: one file with what the rows of all connections show, so that the first frame needs neither the
//! secret store nor a file per connection.
//!
//! It holds no secret and decides nothing: it is only shown until the store has answered. So reading it never fails; a
//! missing or damaged file, or one in another format, is empty. Long-running processes write it, one at a time, each
//! merging what has changed in its hands.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{ConnectionName, TokenFacts};
use crate::secrets::error::StoreError;
use crate::secrets::private_files;

/// Its name in the data directory.
pub(crate) const FILE: &str = "overview";
/// The version of the format. Version 1 was no JSON.
const VERSION: u32 = 2;
/// The largest file that is read, in bytes: 10,000 connections take about 3.5 MB.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// The state of every connection's tokens at the time of writing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSnapshot {
    version: u32,
    connections: BTreeMap<ConnectionName, TokenFacts>,
}

/// Connections whose tokens have changed; `None` for those without tokens.
pub type SnapshotChanges = Vec<(ConnectionName, Option<TokenFacts>)>;

impl StatusSnapshot {
    /// The last known state of a connection's tokens.
    #[must_use]
    pub fn facts(&self, name: &ConnectionName) -> Option<TokenFacts> {
        self.connections.get(name).cloned()
    }

    fn parse(text: &str) -> Self {
        let snapshot = serde_json::from_str::<Self>(text).ok();
        snapshot.filter(|snapshot| snapshot.version == VERSION).unwrap_or_default()
    }
}

/// Reads the snapshot of a data directory. Blocks while it reads one small file.
#[must_use]
pub fn read(data_dir: &Path) -> StatusSnapshot {
    StatusSnapshot::parse(&text(&data_dir.join(FILE)))
}

/// Merges changes into the snapshot at `path` and removes connections without a journal. A higher generation in the file
/// wins: another process knew more. The caller holds the snapshot's lock. Blocks on the disk.
pub(crate) fn merge(path: &Path, changes: &SnapshotChanges, journals: &HashSet<String>) -> Result<(), StoreError> {
    let before = text(path);
    let mut snapshot = StatusSnapshot { version: VERSION, ..StatusSnapshot::parse(&before) };
    snapshot.connections.retain(|name, _| journals.contains(name.as_str()));
    for (name, facts) in changes {
        match facts {
            Some(facts) if snapshot.connections.get(name).is_some_and(|known| known.generation > facts.generation) => {}
            Some(facts) => drop(snapshot.connections.insert(name.clone(), facts.clone())),
            None => drop(snapshot.connections.remove(name)),
        }
    }
    let after = serde_json::to_string(&snapshot).expect("names, numbers and times always serialise");
    if after == before { Ok(()) } else { private_files::replace(path, after) }
}

fn text(path: &Path) -> String {
    private_files::whole_text(path, MAX_SIZE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::{FILE, SnapshotChanges, StatusSnapshot, merge, read};
    use crate::domain::{ConnectionName, TokenFacts};
    use crate::tokens::record::tests::record;

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    fn facts(generation: u64) -> TokenFacts {
        record(generation).facts()
    }

    fn write(dir: &Path, changes: &SnapshotChanges, journals: &[&str]) {
        let journals: HashSet<_> = journals.iter().map(ToString::to_string).collect();
        merge(&dir.join(FILE), changes, &journals).unwrap();
    }

    #[test]
    fn facts_are_read_back_from_a_private_file_without_secrets() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), StatusSnapshot::default());
        let minted = TokenFacts { refresh: None, scope: None, ..facts(7) };
        let odd = TokenFacts { scope: Some("API_ALL é\n\"two\"".into()), ..facts(41) };
        let named = TokenFacts { subject: Some(crate::domain::Subject::default()), ..odd.clone() };
        write(dir.path(), &vec![(name("plant"), Some(minted.clone())), (name("factory"), Some(named))], &[]);
        let snapshot = read(dir.path());
        assert_eq!(snapshot.facts(&name("factory")), Some(odd), "the subject is not written");
        assert_eq!(snapshot.facts(&name("plant")), Some(minted));
        assert_eq!(snapshot.facts(&name("other")), None);
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!text.contains("access-") && !text.contains("refresh-") && !text.contains("subject"), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn changes_are_merged_and_the_newer_generation_wins() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b, c, d) = (name("a"), name("b"), name("c"), name("d"));
        let before = [(&a, 1), (&b, 5), (&c, 1), (&d, 1)];
        write(dir.path(), &before.map(|(name, generation)| (name.clone(), Some(facts(generation)))).to_vec(), &[]);
        let changes = vec![(a.clone(), Some(facts(2))), (b.clone(), Some(facts(4))), (c.clone(), None)];
        write(dir.path(), &changes, &["a", "b", "c"]);
        let generation = |name| read(dir.path()).facts(name).map(|facts| facts.generation);
        assert_eq!(generation(&a), Some(2));
        assert_eq!(generation(&b), Some(5), "another process knew more");
        assert_eq!(generation(&c), None, "logged out");
        assert_eq!(generation(&d), None, "its journal is gone");
    }

    #[test]
    fn an_unchanged_snapshot_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let changes = vec![(name("a"), Some(facts(1)))];
        write(dir.path(), &changes, &[]);
        let modified = || fs::metadata(dir.path().join(FILE)).unwrap().modified().unwrap();
        let before = modified();
        write(dir.path(), &changes, &["a"]);
        assert_eq!(modified(), before);
    }

    #[test]
    fn a_damaged_file_or_another_format_is_ignored_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let changes = vec![(name("a"), Some(facts(1)))];
        write(dir.path(), &changes, &[]);
        let whole = fs::read_to_string(&path).unwrap();
        let version_1 = "manutop overview 1\na 1 1773143795000 1773145594000 ba7816bf - API_ALL\n";
        let version_3 = whole.replacen("\"version\":2", "\"version\":3", 1);
        for text in ["", "\u{0}", version_1, &version_3, &whole[..whole.len() / 2], &whole.replace("\"a\"", "\"../a\"")]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(read(dir.path()), StatusSnapshot::default(), "{text}");
            write(dir.path(), &changes, &[]);
            assert_eq!(fs::read_to_string(&path).unwrap(), whole, "{text}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(read(dir.path()), StatusSnapshot::default());
    }
}
