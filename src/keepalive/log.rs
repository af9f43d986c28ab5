//! The log on standard error: one event a line, as text or as JSON.
//!
//! Invariants: a line holds no control character, so that it stays one line and moves no cursor; a
//! reader that does not read blocks nothing: a plain thread writes, what it cannot keep up with is
//! dropped, and the next line that gets through says how many were.

use std::io::Write as _;
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;
use std::{io, thread};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::domain::clock::rfc3339;
use crate::domain::text::neutralise;

/// Raised when a field changes its meaning or goes; new fields and new events do not raise it.
const VERSION: u32 = 1;
/// How many lines may wait for their reader.
const WAITING: usize = 1024;
/// How long the end waits for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The longest message, in characters.
const LONGEST: usize = 600;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people, and for the journal, which gets how urgent each line is
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// How urgent a line is: `syslog(3)`'s priorities, of which these are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

impl Level {
    fn id(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogLine {
    level: Level,
    message: String,
    /// `event`, `at`, perhaps `connection`, and what else belongs to the event.
    object: Map<String, Value>,
}

impl LogLine {
    /// An event of the service itself; `fields` is an object.
    pub(crate) fn new(level: Level, event: &str, message: &str, fields: Value, at: DateTime<Utc>) -> Self {
        let mut object = json!({ "version": VERSION, "event": event, "at": rfc3339(at) });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        Self::of_report(level, message, object)
    }

    /// An event that `on_event` reports too, by the same object.
    pub(crate) fn of_report(level: Level, message: &str, report: Value) -> Self {
        let object = match report {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        Self { level, message: neutralise(message, LONGEST), object }
    }

    fn text(&self, is_journal: bool) -> String {
        let of = |key: &str| self.object.get(key).and_then(Value::as_str);
        let whose = of("connection").map(|name| format!("{name}: ")).unwrap_or_default();
        if is_journal {
            // The journal has its own times, and takes the priority off the line (sd-daemon(3)).
            return format!("<{}>{whose}{}\n", self.level as u8, self.message);
        }
        format!("{} {:<7} {whose}{}\n", of("at").unwrap_or_default(), self.level.id(), self.message)
    }

    fn json(&self) -> String {
        let mut object = self.object.clone();
        object.insert("level".into(), self.level.id().into());
        object.insert("message".into(), self.message.as_str().into());
        format!("{}\n", Value::Object(object))
    }
}

/// Where lines are written to. Dropping it waits a moment for what still has to be read.
pub struct Log {
    format: LogFormat,
    is_journal: bool,
    lines: Option<SyncSender<String>>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
    dropped: u64,
}

impl Log {
    /// Starts the thread that writes to standard error.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(format: LogFormat) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel::<String>(WAITING);
        let (running, ended) = mpsc::channel();
        thread::Builder::new().name("log".into()).spawn(move || {
            while let Ok(line) = waiting.recv() {
                // There is nowhere to report that it cannot be written.
                let _ = io::stderr().lock().write_all(line.as_bytes());
            }
            drop(running);
        })?;
        Ok(Self { format, is_journal: is_journal(), lines: Some(lines), ended, dropped: 0 })
    }

    /// Writes a line, without waiting.
    pub(crate) fn write(&mut self, line: &LogLine) {
        let Some(lines) = &self.lines else { return };
        let mut text = match self.format {
            LogFormat::Text => line.text(self.is_journal),
            LogFormat::Json => line.json(),
        };
        if self.dropped > 0 {
            let (what, at) =
                (format!("{} log lines were dropped: the reader is too slow", self.dropped), line.object.get("at"));
            let mut lost =
                LogLine::of_report(Level::Warning, &what, json!({ "version": VERSION, "event": "log_lost" }));
            lost.object.extend(at.map(|at| ("at".to_owned(), at.clone())));
            let lost = if self.format == LogFormat::Json { lost.json() } else { lost.text(self.is_journal) };
            text.insert_str(0, &lost);
        }
        match lines.try_send(text) {
            Ok(()) => self.dropped = 0,
            Err(_) => self.dropped += 1,
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.ended.recv_timeout(LAST_LINES);
    }
}

/// Whether standard error is the journal's: `JOURNAL_STREAM` names its file then (systemd.exec(5)).
#[cfg(unix)]
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stat) = rustix::fs::fstat(io::stderr()) else { return false };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Level, LogLine};
    use crate::dashboard::fixtures::now;

    #[test]
    fn a_line_is_one_line_whatever_it_contains() {
        let line = LogLine::new(Level::Warning, "odd", "two\nlines\x1b[2J", json!({ "connection": "factory" }), now());
        assert_eq!(line.text(true), "<4>factory: two lines\u{fffd}[2J\n");
        assert_eq!(line.text(false), "2026-03-10T12:02:31Z warning factory: two lines\u{fffd}[2J\n");
        let object: Value = serde_json::from_str(&line.json()).unwrap();
        let expected = json!({
            "version": 1, "event": "odd", "at": "2026-03-10T12:02:31Z", "connection": "factory", "level": "warning",
            "message": "two lines\u{fffd}[2J",
        });
        assert_eq!(object, expected);
        assert_eq!(line.json().matches('\n').count(), 1);
    }
}
