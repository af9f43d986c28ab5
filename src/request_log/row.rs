//! A logged request as it is kept in memory: what rows, filters and charts need at hand, and the
//! whole of it packed.
//!
//! Ten thousand of them are kept, so they are small: texts that repeat are shared, and the whole
//! entry is its JSON, compressed against that of another (LZ4), for most of it repeats as well.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lz4_flex::block;

use crate::domain::{Brief, BriefLine, ConnectionName, Exchange, LogEntry, Outcome, Wire};

/// How many rows are compressed against the same entry.
const PER_MODEL: u16 = 256;
/// The most texts that are remembered to be shared.
const SHARED: usize = 1024;

/// A logged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    at: DateTime<Utc>,
    /// Whose exchange it was.
    pub connection: ConnectionName,
    method: Arc<str>,
    host: Arc<str>,
    path: Arc<str>,
    outcome: Result<u16, Arc<str>>,
    oauth_error: Option<Arc<str>>,
    description: Option<Arc<str>>,
    duration_ms: u64,
    attempt: u32,
    exchange: Exchange,
    whole: Packed,
}

impl LogRow {
    /// What is needed of it most often.
    #[must_use]
    pub fn brief(&self) -> Brief<'_> {
        Brief {
            at: self.at,
            connection: self.connection.as_str(),
            exchange: self.exchange,
            method: &self.method,
            host: &self.host,
            path: &self.path,
            outcome: self.outcome.as_ref().copied().map_err(AsRef::as_ref),
            duration_ms: self.duration_ms,
            attempt: self.attempt,
            oauth_error: self.oauth_error.as_deref(),
            description: self.description.as_deref(),
        }
    }

    /// All of it, headers and phases too.
    #[must_use]
    pub fn entry(&self) -> LogEntry {
        serde_json::from_slice(&self.whole.unpacked()).unwrap_or_else(|_| self.without_details())
    }

    /// For a line of which only the essence could be read.
    fn without_details(&self) -> LogEntry {
        LogEntry {
            at: self.at,
            connection: self.connection.clone(),
            exchange: self.exchange,
            method: self.method.as_ref().into(),
            host: self.host.as_ref().into(),
            path: self.path.as_ref().into(),
            outcome: match &self.outcome {
                Ok(status) => Outcome::Status(*status),
                Err(word) => Outcome::Error(word.as_ref().into()),
            },
            duration_ms: self.duration_ms,
            attempt: self.attempt,
            size: 0,
            headers: Vec::new(),
            oauth_error: self.oauth_error.as_deref().map(Into::into),
            oauth_error_description: self.description.as_deref().map(Into::into),
            wire: Wire::default(),
        }
    }
}

impl<'a> From<&'a LogRow> for Brief<'a> {
    fn from(row: &'a LogRow) -> Self {
        row.brief()
    }
}

/// Makes rows. Those that one maker makes share what repeats.
#[derive(Debug, Clone, Default)]
pub struct RowMaker {
    texts: HashSet<Arc<str>>,
    /// What rows are compressed against, and how many may follow that are.
    model: Arc<Vec<u8>>,
    left: u16,
}

/// Two of them make equal rows, whatever they remember.
impl PartialEq for RowMaker {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RowMaker {}

impl RowMaker {
    /// The row of an entry.
    #[must_use]
    pub fn of_entry(&mut self, entry: &LogEntry) -> LogRow {
        // Strings, numbers and times always serialise; without that the essence would still be shown.
        let line = serde_json::to_vec(entry).unwrap_or_default();
        self.row(&Brief::from(entry), entry.connection.clone(), &line)
    }

    /// The row of a line of the log on disk; `None` where it is no entry, or does not pass.
    #[must_use]
    pub fn of_line(&mut self, line: &[u8], passes: impl FnOnce(Brief<'_>) -> bool) -> Option<LogRow> {
        let read = BriefLine::read(line)?;
        let brief = read.brief();
        let connection = ConnectionName::new(brief.connection).ok()?;
        passes(brief).then(|| self.row(&brief, connection, line))
    }

    fn row(&mut self, brief: &Brief<'_>, connection: ConnectionName, line: &[u8]) -> LogRow {
        LogRow {
            at: brief.at,
            connection,
            method: self.shared(brief.method),
            host: self.shared(brief.host),
            path: self.shared(brief.path),
            outcome: brief.outcome.map_err(|word| self.shared(word)),
            oauth_error: brief.oauth_error.map(|error| self.shared(error)),
            description: brief.description.map(|text| self.shared(text)),
            duration_ms: brief.duration_ms,
            attempt: brief.attempt,
            exchange: brief.exchange,
            whole: self.packed(line),
        }
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() == SHARED {
            self.texts.clear();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    fn packed(&mut self, line: &[u8]) -> Packed {
        if self.left == 0 {
            self.model = Arc::new(line.to_vec());
            self.left = PER_MODEL;
        }
        self.left -= 1;
        let bytes = block::compress_prepend_size_with_dict(line, &self.model);
        Packed { bytes: bytes.into(), model: Arc::clone(&self.model) }
    }
}

/// Compressed bytes, and what they were compressed against.
#[derive(Clone)]
struct Packed {
    bytes: Box<[u8]>,
    model: Arc<Vec<u8>>,
}

impl Packed {
    fn unpacked(&self) -> Vec<u8> {
        block::decompress_size_prepended_with_dict(&self.bytes, &self.model).expect("it was packed here")
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.unpacked() == other.unpacked()
    }
}

impl Eq for Packed {}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{log, refused_request};

    #[test]
    fn a_row_gives_back_the_whole_entry_and_its_essence() {
        let mut maker = RowMaker::default();
        for entry in log().into_iter().cycle().take(3 * usize::from(PER_MODEL)) {
            let row = maker.of_entry(&entry);
            assert_eq!(row.entry(), entry);
            assert_eq!(row.brief(), Brief::from(&entry));
        }
    }

    #[test]
    fn a_row_of_the_disk_is_the_row_of_its_entry() {
        let line = serde_json::to_vec(&refused_request()).unwrap();
        let row = RowMaker::default().of_line(&line, |_| true);
        assert_eq!(row, Some(RowMaker::default().of_entry(&refused_request())));
        assert_eq!(RowMaker::default().of_line(&line, |_| false), None);
        assert_eq!(RowMaker::default().of_line(b"{}", |_| true), None);
    }

    #[test]
    fn of_a_line_whose_details_cannot_be_read_the_essence_is_shown() {
        let mut line = serde_json::to_value(refused_request()).unwrap();
        line["headers"] = "none".into();
        let row = RowMaker::default().of_line(line.to_string().as_bytes(), |_| true).unwrap();
        assert_eq!(Brief::from(&row.entry()), row.brief());
    }
}
