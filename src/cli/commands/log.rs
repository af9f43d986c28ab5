//! `manutop log`: the request log on disk, as lines for people or as JSON, and with `--follow` what any process appends.
//!
//! Invariants: it needs only the data directory and touches neither configuration nor secret store; a plain thread
//! reads the disk, one entry at a time; nothing is polled if the system reports changes.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use std::{io, thread};

use chrono::{DateTime, Utc};
use crossterm::style::Stylize as _;
use eyre::Report;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::stderr::message;
use crate::cli::support::time_args::LogSince;
use crate::cli::support::{json, stdout};
use crate::config::Paths;
use crate::dashboard_loop::appearance::depth;
use crate::domain::text::neutralise;
use crate::domain::{Brief, BriefLine, Clock as _, ConnectionName, Depth, LogEntry, LogSummary, Severity, SystemClock};
use crate::format::time::{Zone, milliseconds};
use crate::format::width::padded;
use crate::platform::file_watch::Watch;
use crate::platform::signals;
use crate::platform::signals::{Signal, Signals};
use crate::request_log::filter::LogFilter;
use crate::request_log::segments::archive::LogSegments;
use crate::request_log::segments::files::SegmentNumber;
use crate::request_log::segments::reader::SegmentReader;
use crate::request_log::words::{purpose, result, severity, target};

/// How many requests are shown by default.
const LAST: usize = 50;
/// How many lines are written at once.
const BATCH: usize = 128;
/// How often the log is checked if the system does not report changes.
const UNWATCHED: Duration = Duration::from_secs(2);

/// Show the request log; --follow prints new requests as they happen
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Only this connection's requests; it need not be configured any more
    name: Option<ConnectionName>,
    /// Keep printing new requests until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Everything since then: a span (90s, 10m, 1d 6h), a local time (2026-03-10 14:02) or an RFC 3339 time
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<LogSince>,
    /// How many of the newest; 50 unless --since is given
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<usize>,
    /// Only requests that match all these words, as in the dashboard's filter: words, @name, 4xx, 429, error
    #[arg(long, value_name = "WORDS")]
    filter: Option<String>,
    /// Only failed requests
    #[arg(long)]
    errors: bool,
    /// Print JSON, one object per line
    #[arg(long)]
    json: bool,
}

impl LogArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let data_dir = Paths::resolve(files.config.clone(), files.data_dir.clone()).map_err(CliError::from)?.data_dir;
        let mut signals = Signals::listen()?;
        let (lines, mut written) = stdout::start_writing()?;
        let (done, read) = oneshot::channel();
        let printer = self.printer(data_dir, lines)?;
        thread::Builder::new().name("log".into()).spawn(move || {
            // It fails only if the program is ending.
            let _ = done.send(printer.run());
        })?;
        let ended = loop {
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Quit | Signal::Interrupt | Signal::HungUp => return Ok(Exit::Ok),
                    Signal::Suspend => signals::stop()?,
                    Signal::Continued | Signal::Resized | Signal::Reload => {}
                },
                result = &mut written => break result.unwrap_or(Ok(())),
            }
        };
        if ended.is_ok() {
            // Everything that was read is written. Report it if reading failed.
            read.await.unwrap_or(Ok(()))?;
        }
        stdout::end(ended)
    }

    fn printer(self, data_dir: PathBuf, lines: mpsc::Sender<Vec<String>>) -> Result<LogPrinter, CliError> {
        let name = self.name.map(|name| format!("@{name}"));
        let words: Vec<_> = name.into_iter().chain(self.filter).collect();
        let mut filter = LogFilter::of_words(&words.join(" "));
        if self.errors {
            filter.toggle_errors();
        }
        let since = self.since.map(|since| since.moment(Zone::Local, SystemClock.now())).transpose()?;
        let form = if self.json { LogForm::Json } else { LogForm::Line { zone: Zone::Local, coloured: is_coloured() } };
        let last = self.lines.or(since.is_none().then_some(LAST));
        Ok(LogPrinter { data_dir, filter, since, last, follow: self.follow, form, lines })
    }
}

fn is_coloured() -> bool {
    let variable = |name: &str| std::env::var_os(name);
    io::stdout().is_terminal() && depth(variable) != Depth::None && variable("TERM").is_none_or(|term| term != "dumb")
}

/// Reads the log and sends lines to the writer, on its own thread.
struct LogPrinter {
    data_dir: PathBuf,
    filter: LogFilter,
    since: Option<DateTime<Utc>>,
    /// How many of the existing entries; `None` for all.
    last: Option<usize>,
    follow: bool,
    form: LogForm,
    lines: mpsc::Sender<Vec<String>>,
}

impl LogPrinter {
    fn run(self) -> Result<(), CliError> {
        self.print().map_err(|error| {
            CliError::new(
                Exit::Failed,
                format!("the request log in {} cannot be read: {error}", self.data_dir.display()),
            )
        })
    }

    fn print(&self) -> io::Result<()> {
        // Watching starts before reading, so that nothing is missed in between.
        let mut changes = self.follow.then(|| LogChanges::of(&self.data_dir.join("requests.jsonl")));
        let mut reader = SegmentReader::open_at(&self.data_dir, self.oldest_needed()?)?;
        let Some(found) = self.print_newest(&mut reader)? else { return Ok(()) };
        if found == 0 && !self.follow && self.last != Some(0) {
            let which = if self.filter.is_active() || self.since.is_some() { "matching request" } else { "request" };
            message!("there is no {which} in the log in {}", self.data_dir.display());
        }
        while let Some(changes) = &mut changes {
            changes.wait();
            if self.print_rest(&mut reader)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The oldest segment that has to be read.
    fn oldest_needed(&self) -> io::Result<SegmentNumber> {
        let archive = LogSegments::new(&self.data_dir);
        let mut left = self.last.unwrap_or(usize::MAX);
        let segments = archive.segments()?;
        let mut oldest = segments.first().copied().unwrap_or_default();
        for segment in segments {
            let may_have = |summary: &LogSummary| {
                self.since.is_none_or(|since| summary.to >= since) && self.filter.may_pass(summary)
            };
            if left == 0 {
                break;
            }
            if !archive.summary(segment)?.as_ref().is_none_or(may_have) {
                continue;
            }
            oldest = segment;
            if self.last.is_some() {
                archive.lines(segment, None, |_, line| {
                    let is_wanted = BriefLine::read(line).is_some_and(|line| self.wants(line.brief()));
                    left -= usize::from(is_wanted);
                    left > 0
                })?;
            }
        }
        Ok(oldest)
    }

    fn wants(&self, entry: Brief<'_>) -> bool {
        self.since.is_none_or(|since| entry.at >= since) && self.filter.passes(entry)
    }

    /// Prints the existing entries, or the newest of them. Returns how many, or `None` if the output is closed.
    fn print_newest(&self, reader: &mut SegmentReader) -> io::Result<Option<usize>> {
        let Some(last) = self.last else { return self.print_rest(reader) };
        let mut newest = VecDeque::new();
        while let Some(line) = self.next_line(reader)? {
            newest.push_back(line);
            if newest.len() > last {
                newest.pop_front();
            }
        }
        let found = newest.len();
        Ok(self.lines.blocking_send(newest.into()).ok().map(|()| found))
    }

    /// Prints everything up to the current end. Returns how many, or `None` if the output is closed.
    fn print_rest(&self, reader: &mut SegmentReader) -> io::Result<Option<usize>> {
        let mut found = 0;
        loop {
            let mut batch = Vec::new();
            while batch.len() < BATCH
                && let Some(line) = self.next_line(reader)?
            {
                batch.push(line);
            }
            let count = batch.len();
            found += count;
            if count > 0 && self.lines.blocking_send(batch).is_err() {
                return Ok(None);
            }
            if count < BATCH {
                return Ok(Some(found));
            }
        }
    }

    fn next_line(&self, reader: &mut SegmentReader) -> io::Result<Option<String>> {
        while let Some(entry) = reader.next_entry()? {
            if self.wants(Brief::from(&entry)) {
                return Ok(Some(self.form.line(&entry)));
            }
        }
        Ok(None)
    }
}

/// Waits until there may be more to read.
struct LogChanges {
    watch: Option<Watch>,
    wakes: Receiver<()>,
}

impl LogChanges {
    fn of(file: &std::path::Path) -> Self {
        // One pending wake-up covers all changes until it is received.
        let (wake, wakes) = sync_channel(1);
        let watch = Watch::start(file, move || {
            let _ = wake.try_send(());
        });
        let mut changes = Self { watch: None, wakes };
        match watch {
            Ok(watch) => changes.watch = Some(watch),
            Err(error) => changes.unwatched(&error),
        }
        changes
    }

    fn unwatched(&mut self, why: &notify::Error) {
        self.watch = None;
        message!("cannot watch the log ({why}); checking it every {} s", UNWATCHED.as_secs());
    }

    fn wait(&mut self) {
        match &mut self.watch {
            Some(watch) => {
                // The sender lives as long as the watch.
                let _ = self.wakes.recv();
                if let Err(error) = watch.follow() {
                    self.unwatched(&error);
                }
            }
            None => thread::sleep(UNWATCHED),
        }
    }
}

/// How an entry is printed.
#[derive(Debug, Clone, Copy)]
enum LogForm {
    Json,
    Line { zone: Zone, coloured: bool },
}

/// An entry as on disk, with the version of the JSON format.
#[derive(Serialize)]
struct VersionedEntry<'a> {
    version: u32,
    #[serde(flatten)]
    entry: &'a LogEntry,
}

impl LogForm {
    fn line(self, entry: &LogEntry) -> String {
        match self {
            Self::Json => serde_json::to_string(&VersionedEntry { version: json::VERSION, entry })
                .expect("strings, numbers and times always serialise"),
            Self::Line { zone, coloured } => line(entry, zone, coloured),
        }
    }
}

/// Time, connection, purpose, target, result, duration and the server's explanation.
fn line(entry: &LogEntry, zone: Zone, coloured: bool) -> String {
    let when = zone.date_time(entry.at);
    let outcome = padded(&result(entry), 18);
    let (when, outcome) = match (coloured, severity(entry)) {
        (false, _) => (when, outcome),
        (true, Severity::Bad) => (when.dim().to_string(), outcome.red().to_string()),
        (true, Severity::Warning) => (when.dim().to_string(), outcome.yellow().to_string()),
        (true, _) => (when.dim().to_string(), outcome),
    };
    let says = entry.oauth_error_description.as_deref().map(|says| neutralise(says, 200)).unwrap_or_default();
    let line = format!(
        "{when}  {:<14}  {:<15}  {}  {outcome} {:>7}  {says}",
        entry.connection,
        purpose(entry.exchange),
        padded(&target(entry, 200), 44),
        milliseconds(entry.duration_ms),
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{options, request};
    use crate::domain::Outcome;

    fn refused() -> LogEntry {
        LogEntry {
            outcome: Outcome::Status(400),
            oauth_error: Some("invalid_grant".into()),
            oauth_error_description: Some("revoked\x1b[2J".into()),
            ..request("factory", 0)
        }
    }

    #[test]
    fn a_line_is_one_row_without_control_characters() {
        let line = line(&refused(), options().zone, false);
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[2..4], ["factory", "refresh"], "{line}");
        assert!(
            line.contains("POST ") && line.contains("  400 invalid_grant") && line.contains(" ms  revoked\u{fffd}")
        );
        assert!(!line.contains('\x1b'), "{line:?}");
    }

    #[test]
    fn json_is_the_entry_on_disk_with_a_version() {
        let text = LogForm::Json.line(&refused());
        let printed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(printed["version"], 1);
        assert_eq!(serde_json::from_str::<LogEntry>(&text).unwrap(), refused());
    }
}
