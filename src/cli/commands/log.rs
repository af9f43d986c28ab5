//! `manutop log`: the request log on disk, as lines for people or as JSON, and with `--follow` what
//! any process appends.
//!
//! Invariants: only the data directory matters: neither configuration nor secret store is touched;
//! a plain thread reads the disk, one entry at a time; nothing is polled where the system tells of
//! changes.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use std::{io, thread};

use chrono::{DateTime, Utc};
use color_eyre::eyre::Report;
use crossterm::style::Stylize as _;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::since::LogSince;
use crate::cli::support::stderr::say;
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
use crate::request_log::segments::archive::Archive;
use crate::request_log::segments::files::Number;
use crate::request_log::segments::reader::Reader;
use crate::request_log::words::{purpose, result, severity, target};

/// How many requests are shown where nothing is said of it.
const LAST: usize = 50;
/// How many lines are handed over at once.
const BATCH: usize = 128;
/// How often the log is looked at where the system does not tell of changes.
const UNWATCHED: Duration = Duration::from_secs(2);

/// Show the request log, which every command and dashboard writes; --follow stays
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// This connection's requests alone, also of one that is configured no more
    name: Option<ConnectionName>,
    /// Stay, and print what is appended until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Everything since then: a span (90s, 10m, 1d 6h), a local time (2026-03-10 14:02) or one as in RFC 3339
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<LogSince>,
    /// How many of the newest; without this and --since, 50
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<usize>,
    /// Only what has all these words, as the dashboard's filter: words, @name, 4xx, 429, error
    #[arg(long, value_name = "WORDS")]
    filter: Option<String>,
    /// Only what failed
    #[arg(long)]
    errors: bool,
    /// As JSON, one object a line
    #[arg(long)]
    json: bool,
}

impl LogArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let data_dir = Paths::resolve(files.config.clone(), files.data_dir.clone()).map_err(CliError::from)?.data_dir;
        let mut wishes = Signals::listen()?;
        let (lines, mut written) = stdout::start_writing()?;
        let (done, read) = oneshot::channel();
        let teller = self.teller(data_dir, lines)?;
        thread::Builder::new().name("log".into()).spawn(move || {
            // Nobody waits any more where the program ends.
            let _ = done.send(teller.run());
        })?;
        let ended = loop {
            tokio::select! {
                biased;
                signal = wishes.next() => match signal {
                    Signal::Quit | Signal::HungUp => return Ok(Exit::Ok),
                    Signal::Suspend => signals::stop()?,
                    Signal::Continued | Signal::Resized | Signal::Reload => {}
                },
                result = &mut written => break result.unwrap_or(Ok(())),
            }
        };
        if ended.is_ok() {
            // All is written, so all is read; or it could not be.
            read.await.unwrap_or(Ok(()))?;
        }
        stdout::end(ended)
    }

    fn teller(self, data_dir: PathBuf, lines: mpsc::Sender<Vec<String>>) -> Result<Teller, CliError> {
        let name = self.name.map(|name| format!("@{name}"));
        let words: Vec<_> = name.into_iter().chain(self.filter).collect();
        let mut filter = LogFilter::of_words(&words.join(" "));
        if self.errors {
            filter.toggle_errors();
        }
        let since = self.since.map(|since| since.moment(Zone::Local, SystemClock.now())).transpose()?;
        let form = if self.json { Form::Json } else { Form::Line { zone: Zone::Local, coloured: is_coloured() } };
        let last = self.lines.or(since.is_none().then_some(LAST));
        Ok(Teller { data_dir, filter, since, last, follow: self.follow, form, lines })
    }
}

fn is_coloured() -> bool {
    let variable = |name: &str| std::env::var_os(name);
    io::stdout().is_terminal() && depth(variable) != Depth::None && variable("TERM").is_none_or(|term| term != "dumb")
}

/// Reads the log and hands lines over; lives on a thread of its own.
struct Teller {
    data_dir: PathBuf,
    filter: LogFilter,
    since: Option<DateTime<Utc>>,
    /// How many of what is there at the beginning; `None` for all.
    last: Option<usize>,
    follow: bool,
    form: Form,
    lines: mpsc::Sender<Vec<String>>,
}

impl Teller {
    fn run(self) -> Result<(), CliError> {
        let told = self.tell();
        told.map_err(|error| {
            CliError::new(
                Exit::Failed,
                format!("the request log in {} cannot be read: {error}", self.data_dir.display()),
            )
        })
    }

    fn tell(&self) -> io::Result<()> {
        // Before the first look, so that nothing falls in between.
        let mut changes = self.follow.then(|| Changes::of(&self.data_dir.join("requests.jsonl")));
        let mut reader = Reader::open_at(&self.data_dir, self.oldest_needed()?)?;
        let Some(found) = self.tell_newest(&mut reader)? else { return Ok(()) };
        if found == 0 && !self.follow && self.last != Some(0) {
            let which = if self.filter.is_active() || self.since.is_some() { "such " } else { "" };
            say!("there is no {which}request in the log in {}", self.data_dir.display());
        }
        while let Some(changes) = &mut changes {
            changes.wait();
            if self.tell_rest(&mut reader)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The oldest segment that has to be read.
    fn oldest_needed(&self) -> io::Result<Number> {
        let archive = Archive::new(&self.data_dir);
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

    /// What is there, or the newest of it; how many that are, `None` where nobody reads it.
    fn tell_newest(&self, reader: &mut Reader) -> io::Result<Option<usize>> {
        let Some(last) = self.last else { return self.tell_rest(reader) };
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

    /// Everything up to the end, as it is now; how many that are, `None` where nobody reads it.
    fn tell_rest(&self, reader: &mut Reader) -> io::Result<Option<usize>> {
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

    fn next_line(&self, reader: &mut Reader) -> io::Result<Option<String>> {
        while let Some(entry) = reader.next_entry()? {
            if self.wants(Brief::from(&entry)) {
                return Ok(Some(self.form.line(&entry)));
            }
        }
        Ok(None)
    }
}

/// Tells when there may be more to read.
struct Changes {
    watch: Option<Watch>,
    wakes: Receiver<()>,
}

impl Changes {
    fn of(file: &std::path::Path) -> Self {
        // One that waits stands for all that come until it is taken.
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
        say!("the log cannot be watched ({why}), so it is looked at every {} s", UNWATCHED.as_secs());
    }

    fn wait(&mut self) {
        match &mut self.watch {
            Some(watch) => {
                // It wakes as long as it is watched.
                let _ = self.wakes.recv();
                if let Err(error) = watch.follow() {
                    self.unwatched(&error);
                }
            }
            None => thread::sleep(UNWATCHED),
        }
    }
}

/// How an entry is told.
#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Line { zone: Zone, coloured: bool },
}

/// An entry as it is on the disk, with the version.
#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    #[serde(flatten)]
    entry: &'a LogEntry,
}

impl Form {
    fn line(self, entry: &LogEntry) -> String {
        match self {
            Self::Json => serde_json::to_string(&Versioned { version: json::VERSION, entry })
                .expect("strings, numbers and times always serialise"),
            Self::Line { zone, coloured } => line(entry, zone, coloured),
        }
    }
}

/// When, who, what for, where to, what came of it, how long it took, what the server said.
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
    fn a_line_tells_all_in_one_row_and_moves_no_cursor() {
        let line = line(&refused(), options().zone, false);
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[2..4], ["factory", "refresh"], "{line}");
        assert!(
            line.contains("POST ") && line.contains("  400 invalid_grant") && line.contains(" ms  revoked\u{fffd}")
        );
        assert!(!line.contains('\x1b'), "{line:?}");
    }

    #[test]
    fn json_has_the_version_and_what_the_disk_has() {
        let text = Form::Json.line(&refused());
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["version"], 1);
        assert_eq!(serde_json::from_str::<LogEntry>(&text).unwrap(), refused());
    }
}
