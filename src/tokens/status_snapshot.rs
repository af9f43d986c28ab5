//! The overview: one file that tells what the rows of all connections show, so that a first frame
//! waits for no store and opens no file for each of them.
//!
//! It holds no secret, and nothing is decided by it: it is for the eye, until the store has
//! answered. So reading it is never an error; what is missing, damaged or of another version is
//! empty. Programs that run for long write it, one at a time, each what has changed in its hands.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use memchr::{memchr, memrchr};

use crate::domain::{ConnectionName, Fingerprint, RefreshFacts, TokenFacts};
use crate::secrets::error::StoreError;
use crate::secrets::private_files;

/// Its name in the data directory.
pub(crate) const FILE: &str = "overview";

/// The first line, which names the format.
const HEADING: &str = "manutop overview 1";
/// What the first line of every format begins with.
const ANY_HEADING: &str = "manutop overview ";
/// No overview is larger, in bytes: 10,000 connections take about 1.2 MB.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// What was known of every connection when it was written: a line for each, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StatusSnapshot(String);

/// A connection's tokens as they are now; `None` where there are none any more.
pub type SnapshotChanges = Vec<(ConnectionName, Option<TokenFacts>)>;

impl StatusSnapshot {
    /// What was known of a connection's tokens. No other line than those looked at on the way to it
    /// is read.
    #[must_use]
    pub fn facts(&self, name: &ConnectionName) -> Option<TokenFacts> {
        let mut lines = self.0.as_str();
        while !lines.is_empty() {
            let bytes = lines.as_bytes();
            let start = memrchr(b'\n', &bytes[..bytes.len() / 2]).map_or(0, |end| end + 1);
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
            let line = &lines[start..end];
            let (own, fields) = line.split_once(' ').unwrap_or((line, ""));
            match own.cmp(name.as_str()) {
                Ordering::Less => lines = lines.get(end + 1..).unwrap_or_default(),
                Ordering::Equal => return parse(fields),
                Ordering::Greater => lines = &lines[..start],
            }
        }
        None
    }
}

/// Reads the overview of a data directory. Blocks on the disk, for as long as one small file takes.
#[must_use]
pub fn read(data_dir: &Path) -> StatusSnapshot {
    let mut text = text(&data_dir.join(FILE));
    let heading = text.len() - body(&text).unwrap_or_default().len();
    text.drain(..heading);
    StatusSnapshot(text)
}

/// Takes news into the overview at `path`, unless it is of a newer format. What is there on a
/// connection of which there is no news stays, as long as the connection has a journal. Whoever
/// calls this holds the overview's lock. Blocks on the disk.
pub(crate) fn merge(path: &Path, news: &SnapshotChanges, journals: &HashSet<String>) -> Result<(), StoreError> {
    let before = text(path);
    if body(&before).is_none() && before.starts_with(ANY_HEADING) {
        return Ok(());
    }
    let mut rows: BTreeMap<&str, TokenFacts> = body(&before)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| journals.contains(*name))
        .filter_map(|(name, fields)| Some((name, parse(fields)?)))
        .collect();
    for (name, facts) in news {
        let is_old = |known: &TokenFacts, facts: &TokenFacts| known.generation > facts.generation;
        match facts {
            Some(facts) if rows.get(name.as_str()).is_some_and(|known| is_old(known, facts)) => {}
            Some(facts) => drop(rows.insert(name.as_str(), facts.clone())),
            None => drop(rows.remove(name.as_str())),
        }
    }
    let mut after = String::with_capacity(before.len() + 150 * news.len() + HEADING.len());
    after.push_str(HEADING);
    after.push('\n');
    for (name, facts) in &rows {
        line(&mut after, name, facts);
    }
    if after == before { Ok(()) } else { private_files::replace(path, after) }
}

fn text(path: &Path) -> String {
    private_files::whole_text(path, MAX_SIZE).unwrap_or_default()
}

/// The lines about connections, if the format is known.
fn body(text: &str) -> Option<&str> {
    text.strip_prefix(HEADING)?.strip_prefix('\n')
}

/// Name, generation, obtained, expires and the access token's fingerprint; obtained, estimated end
/// and fingerprint of the refresh token, or `-`; the rest of the line is the scope. Moments are in
/// milliseconds since 1970.
fn line(text: &mut String, name: &str, facts: &TokenFacts) {
    let moment = DateTime::<Utc>::timestamp_millis;
    // The subject is not kept: the store tells it a moment later.
    let TokenFacts { generation, obtained_at, expires_at, access_fingerprint, refresh, scope, subject: _ } = facts;
    let (obtained, expires) = (moment(obtained_at), moment(expires_at));
    let written =
        write!(text, "{name} {generation} {obtained} {expires} {access_fingerprint} ").and_then(|()| match refresh {
            Some(RefreshFacts { obtained_at, estimated_end, fingerprint }) => {
                write!(text, "{} {} {fingerprint} ", moment(obtained_at), moment(estimated_end))
            }
            None => write!(text, "- "),
        });
    written.expect("writing to a String cannot fail");
    // A scope that would make two lines of one is left for the store to tell.
    text.push_str(scope.as_deref().filter(|scope| !scope.contains(char::is_control)).unwrap_or_default());
    text.push('\n');
}

/// What stands behind a name. In one pass: there may be 10,000 of them before a first frame.
fn parse(text: &str) -> Option<TokenFacts> {
    let mut fields = Fields(text);
    let (generation, obtained_at, expires_at) = (fields.number()?, fields.moment()?, fields.moment()?);
    let access_fingerprint = fields.fingerprint()?;
    let refresh = if fields.skips("- ") {
        None
    } else {
        let (obtained_at, estimated_end) = (fields.moment()?, fields.moment()?);
        Some(RefreshFacts { obtained_at, estimated_end, fingerprint: fields.fingerprint()? })
    };
    let Fields(scope) = fields;
    if scope.contains(char::is_control) {
        return None;
    }
    let scope = (!scope.is_empty()).then(|| scope.to_owned());
    Some(TokenFacts { generation, obtained_at, expires_at, access_fingerprint, refresh, scope, subject: None })
}

/// The rest of a line, from which fields are taken, each with the blank that ends it.
struct Fields<'l>(&'l str);

impl Fields<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number: u64 = 0;
        for (at, byte) in self.0.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
                b' ' if at > 0 => {
                    self.0 = &self.0[at + 1..];
                    return Some(number);
                }
                _ => return None,
            }
        }
        None
    }

    fn moment(&mut self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.number()?.try_into().ok()?)
    }

    fn fingerprint(&mut self) -> Option<Fingerprint> {
        let (digits, rest) = self.0.split_at_checked(8)?;
        self.0 = rest.strip_prefix(' ')?;
        Fingerprint::parse(digits)
    }

    fn skips(&mut self, text: &str) -> bool {
        self.0.strip_prefix(text).inspect(|rest| self.0 = rest).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use chrono::SubsecRound as _;

    use super::{FILE, HEADING, SnapshotChanges, merge, read};
    use crate::domain::{ConnectionName, TokenFacts};
    use crate::tokens::record::tests::record;

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    /// A record's facts as the overview keeps them: to the millisecond.
    fn facts(generation: u64) -> TokenFacts {
        let mut facts = record(generation).facts();
        facts.obtained_at = facts.obtained_at.trunc_subsecs(3);
        facts.expires_at = facts.expires_at.trunc_subsecs(3);
        if let Some(refresh) = &mut facts.refresh {
            refresh.obtained_at = refresh.obtained_at.trunc_subsecs(3);
            refresh.estimated_end = refresh.estimated_end.trunc_subsecs(3);
        }
        facts
    }

    fn write(dir: &Path, news: &SnapshotChanges, journals: &[&str]) {
        let journals: HashSet<_> = journals.iter().map(ToString::to_string).collect();
        merge(&dir.join(FILE), news, &journals).unwrap();
    }

    #[test]
    fn facts_come_back_the_same_from_a_file_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).facts(&name("a")), None);
        let minted = TokenFacts { refresh: None, scope: None, ..facts(7) };
        let spaced = TokenFacts { scope: Some("API_ALL é two  three".into()), ..facts(41) };
        let news = vec![(name("plant"), Some(minted.clone())), (name("factory"), Some(spaced.clone()))];
        write(dir.path(), &news, &[]);
        let overview = read(dir.path());
        assert_eq!(overview.facts(&name("factory")), Some(spaced));
        assert_eq!(overview.facts(&name("plant")), Some(minted));
        assert_eq!(overview.facts(&name("other")), None);
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!text.contains("access-") && !text.contains("refresh-"), "no secret: {text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn news_go_into_what_others_wrote_and_the_newer_generation_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b, c, d) = (name("a"), name("b"), name("c"), name("d"));
        let told = [(&a, 1), (&b, 5), (&c, 1), (&d, 1)];
        write(dir.path(), &told.map(|(name, generation)| (name.clone(), Some(facts(generation)))).to_vec(), &[]);
        write(
            dir.path(),
            &vec![(a.clone(), Some(facts(2))), (b.clone(), Some(facts(4))), (c.clone(), None)],
            &["a", "b", "c"],
        );
        let overview = read(dir.path());
        assert_eq!(overview.facts(&a).unwrap().generation, 2);
        assert_eq!(overview.facts(&b).unwrap().generation, 5, "somebody else knew more");
        assert_eq!(overview.facts(&c), None, "logged out");
        assert_eq!(overview.facts(&d), None, "it has no journal any more");
    }

    #[test]
    fn what_changes_nothing_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let news = vec![(name("a"), Some(facts(1)))];
        write(dir.path(), &news, &[]);
        let inode = |path: &Path| fs::metadata(path.join(FILE)).unwrap().modified().unwrap();
        let before = inode(dir.path());
        write(dir.path(), &news, &["a"]);
        assert_eq!(inode(dir.path()), before);
    }

    #[test]
    fn a_scope_that_could_forge_a_line_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let forged = TokenFacts { scope: Some("x\nother 9 1 2 ba7816bf - ".into()), ..facts(1) };
        write(dir.path(), &vec![(name("a"), Some(forged))], &[]);
        let overview = read(dir.path());
        assert_eq!(overview.facts(&name("a")).unwrap().scope, None);
        assert_eq!(overview.facts(&name("other")), None);
    }

    #[test]
    fn what_cannot_be_read_is_empty_and_a_newer_format_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let news = vec![(name("a"), Some(facts(1)))];
        for (text, is_newer) in [("", false), ("manutop overview 2\na ?\n", true), ("a 1 2 3\n", false)] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(dir.path()).facts(&name("a")), None, "{text}");
            write(dir.path(), &news, &[]);
            assert_eq!(fs::read_to_string(&path).unwrap() == text, is_newer, "{text}");
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(read(dir.path()).facts(&name("a")), None);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(read(dir.path()).facts(&name("a")), None);
    }

    #[test]
    fn a_damaged_line_costs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &vec![(name("a"), Some(facts(1))), (name("b"), Some(facts(2)))], &[]);
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        for (cut, _) in text.match_indices(' ').skip(HEADING.matches(' ').count()) {
            fs::write(&path, &text[..cut]).unwrap();
            let overview = read(dir.path());
            let (a, b) = (overview.facts(&name("a")), overview.facts(&name("b")));
            assert!(a.is_none_or(|a| a.generation == 1) && b.is_none_or(|b| b.generation == 2), "{cut}");
        }
        fs::write(&path, text.replacen("a 1", "a x", 1)).unwrap();
        let overview = read(dir.path());
        assert_eq!((overview.facts(&name("a")), overview.facts(&name("b"))), (None, Some(facts(2))));
    }
}
