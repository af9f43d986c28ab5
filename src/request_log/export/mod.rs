//! The request log in forms that other people and tools take. Pure: entries in, text out. What is
//! given away holds no more than the log does: no bodies, no secrets.

pub mod curl;
pub mod har;

use crate::domain::LogEntry;

/// A form for many entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// HTTP Archive 1.2, which browsers' developer tools open.
    Har,
    /// One JSON object a line, as the log on disk is kept.
    JsonLines,
}

impl Format {
    /// What a file of it ends in, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::JsonLines => "jsonl",
        }
    }

    /// Entries in this form, oldest first whatever their order.
    #[must_use]
    pub fn write(self, entries: &[LogEntry]) -> String {
        let mut entries: Vec<&LogEntry> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.at);
        match self {
            Self::Har => har::har(&entries),
            Self::JsonLines => entries.into_iter().map(|entry| json(entry) + "\n").collect(),
        }
    }
}

fn json(entry: &LogEntry) -> String {
    serde_json::to_string(entry).expect("strings, numbers and times always serialise")
}

#[cfg(test)]
mod tests {
    use super::Format;
    use crate::domain::LogEntry;
    use crate::request_log::fixtures::log;

    #[test]
    fn json_lines_are_read_back_as_the_same_entries_oldest_first() {
        let newest_first: Vec<LogEntry> = log().into_iter().rev().collect();
        let mut oldest_first = newest_first.clone();
        oldest_first.sort_by_key(|entry| entry.at);
        let text = Format::JsonLines.write(&newest_first);
        let read: Vec<LogEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, oldest_first);
    }
}
