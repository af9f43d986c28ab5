//! Exports the request log to a file: whole or not at all, readable by its owner only, never over another file, and on
//! its own thread.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{io, thread};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{Event, HostEvent, LogEntry};
use crate::format::time::Zone;
use crate::request_log::export::Format;
use crate::request_log::query::LogRest;
use crate::request_log::search::LogSearcher;

/// How many names are tried if files with the first ones exist.
const NAMES: u32 = 100;
/// How many requests are written at most, if the disk holds more than memory.
const MOST: usize = 10_000;

/// Begins to write `entries` into `dir`, and before them what is found of `older` ones; `events` gets [`HostEvent::Exported`] when that has ended.
/// Returns at once, whatever the disk does.
pub fn begin(
    dir: PathBuf,
    mut entries: Vec<LogEntry>,
    older: Option<(LogSearcher, LogRest)>,
    format: Format,
    zone: Zone,
    now: DateTime<Utc>,
    events: UnboundedSender<Event>,
) {
    let spare_events = events.clone();
    let work = move || {
        let found = older.map_or(Ok((Vec::new(), true)), |(searcher, rest)| {
            searcher.entries(&rest, MOST.saturating_sub(entries.len()))
        });
        let (all, result) = match found {
            Ok((older, all)) => {
                entries.extend(older);
                let result = write(&dir, &entries, format, zone, now);
                (all, result.map_err(|error| format!("cannot write to {}: {error}", dir.display())))
            }
            Err(error) => (false, Err(format!("the request log on disk cannot be read: {error}"))),
        };
        // A missing listener is no error: the program is ending.
        let _ = events.send(Event::Host(HostEvent::Exported { requests: entries.len(), all, result }));
    };
    if let Err(error) = thread::Builder::new().name("export".into()).spawn(work) {
        let _ = spare_events.send(Event::Host(HostEvent::Exported {
            requests: 0,
            all: false,
            result: Err(error.to_string()),
        }));
    }
}

/// Writes `entries` into `dir` as `requests-YYYYMMDD-HHMMSS.har` or `.jsonl`, by the clock of
/// `zone`, with a number appended if that name is taken; returns the path. Blocks on the disk.
///
/// # Errors
/// The file cannot be written; then there is none.
pub fn write(dir: &Path, entries: &[LogEntry], format: Format, zone: Zone, now: DateTime<Utc>) -> io::Result<PathBuf> {
    // Created readable by its owner only, and named once it is complete.
    let mut file = tempfile::Builder::new().prefix(".requests-").tempfile_in(dir)?;
    file.write_all(format.write(entries).as_bytes())?;
    file.as_file().sync_all()?;
    let stamp = zone.date_time(now).replace(['-', ':'], "").replace(' ', "-");
    for number in 1..=NAMES {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = dir.join(format!("requests-{stamp}{suffix}.{}", format.extension()));
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("requests-{stamp} has been written {NAMES} times")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::{begin, write};
    use crate::dashboard::fixtures::{log, now, options};
    use crate::domain::{Event, HostEvent};
    use crate::request_log::export::Format;

    #[test]
    fn files_are_whole_private_and_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<_> = [Format::Har, Format::JsonLines, Format::Har, Format::Har]
            .map(|format| write(dir.path(), &log(), format, options().zone, now()).unwrap())
            .into();
        let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        let stem = "requests-20260310-140231";
        let expected = [".har", ".jsonl", "-2.har", "-3.har"].map(|end| format!("{stem}{end}"));
        assert_eq!(names, expected);
        let there: BTreeSet<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(there, paths.iter().cloned().collect(), "nothing else is left behind");
        assert_eq!(fs::read_to_string(&paths[0]).unwrap(), Format::Har.write(&log()));
        assert_eq!(fs::read_to_string(&paths[1]).unwrap(), Format::JsonLines.write(&log()));
        #[cfg(unix)]
        for path in &paths {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{path:?}");
        }
    }

    #[tokio::test]
    async fn the_path_or_the_failure_is_reported_as_an_event() {
        let dir = tempfile::tempdir().unwrap();
        let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
        begin(dir.path().to_owned(), log(), None, Format::Har, options().zone, now(), sender.clone());
        let Some(Event::Host(HostEvent::Exported { requests, all: true, result: Ok(path) })) = events.recv().await
        else {
            panic!()
        };
        assert!(requests == log().len() && path.is_file());
        let missing = dir.path().join("missing");
        begin(missing.clone(), log(), None, Format::Har, options().zone, now(), sender);
        let Some(Event::Host(HostEvent::Exported { result: Err(why), .. })) = events.recv().await else { panic!() };
        assert!(why.contains(missing.to_str().unwrap()), "{why}");
    }
}
