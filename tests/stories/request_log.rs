//! The request log on a real disk: shared, rotated, bounded, and never waited for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use manutop::domain::{ConnectionName, DEFAULT_LOG_LIMIT, Exchange, LogEntry, Outcome, Wire};
use manutop::request_log::segments::RequestLog;

fn entry(number: u32, description: &str) -> LogEntry {
    LogEntry {
        at: DateTime::UNIX_EPOCH + TimeDelta::seconds(number.into()),
        connection: ConnectionName::new("factory").expect("a good name"),
        exchange: Exchange::Refresh,
        method: "POST".into(),
        host: "auth.manuonline.com".into(),
        path: "/oauth/token".into(),
        outcome: Outcome::Status(400),
        duration_ms: 182,
        attempt: number,
        size: 77,
        headers: vec![("retry-after".into(), "3".into())],
        oauth_error: Some("invalid_grant".into()),
        oauth_error_description: Some(description.into()),
        wire: Wire::default(),
    }
}

fn attempts(entries: &[LogEntry]) -> Vec<u32> {
    entries.iter().map(|entry| entry.attempt).collect()
}

/// Appends so that the queue never overflows, as a real program never would fill it.
fn append_all(directory: &Path, numbers: impl Iterator<Item = u32>, description: &str) {
    let log = RequestLog::start(directory, DEFAULT_LOG_LIMIT);
    for number in numbers {
        log.append(&entry(number, description));
        if number % 256 == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert_eq!(log.trouble(), None);
}

#[test]
fn the_newest_entries_come_back_whole_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("made/when/needed");
    assert_eq!(RequestLog::tail(&data, 10).unwrap(), []);
    append_all(&data, 1..=5, "line\nbreak");
    append_all(&data, 6..=7, "later");
    let entries = RequestLog::tail(&data, 4).unwrap();
    assert_eq!(entries, [entry(4, "line\nbreak"), entry(5, "line\nbreak"), entry(6, "later"), entry(7, "later")]);
    assert_eq!(attempts(&RequestLog::tail(&data, 100).unwrap()), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(RequestLog::tail(&data, 0).unwrap(), []);
}

#[test]
fn lines_that_cannot_be_read_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    append_all(directory.path(), 1..=2, "");
    let file = directory.path().join("requests.jsonl");
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"\xff\xfe{}\n{\"at\":\"2026-\n\n[]\n");
    fs::write(&file, bytes).unwrap();
    append_all(directory.path(), 3..=3, "");
    assert_eq!(attempts(&RequestLog::tail(directory.path(), 10).unwrap()), [1, 2, 3]);
}

#[test]
fn five_files_of_two_mebibytes_are_kept_and_only_the_owner_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    append_all(directory.path(), 1..=800, &"x".repeat(16 * 1024)); // 13 MB
    let mut names = BTreeSet::new();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        let metadata = file.metadata().unwrap();
        assert!(metadata.len() <= 2 * 1024 * 1024, "{file:?}: {}", metadata.len());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600, "{file:?}");
        names.insert(file.file_name().into_string().unwrap());
    }
    // The first ones have made room.
    let expected: BTreeSet<_> = (3..=6).map(|number| format!("requests-{number:06}.jsonl")).collect();
    let others = ["requests.jsonl", "requests.lock"].map(str::to_owned);
    assert_eq!(names, expected.into_iter().chain(others).collect());
    let kept = attempts(&RequestLog::tail(directory.path(), 10_000).unwrap());
    assert!(kept.len() > 500, "{}", kept.len());
    assert_eq!(kept, (801 - u32::try_from(kept.len()).unwrap()..=800).collect::<Vec<_>>());
}

#[test]
fn several_writers_share_the_files_without_losing_a_line() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = directory.path();
            let numbers = (writer * 100)..(writer * 100 + 100);
            scope.spawn(move || append_all(path, numbers, &"x".repeat(16 * 1024))); // 6.5 MB together
        }
    });
    let everything: BTreeSet<u32> = (0..400).collect();
    // A log that is dropped waits half a second for the disk, and a busy machine's may take longer.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let kept: BTreeSet<u32> = attempts(&RequestLog::tail(directory.path(), 10_000).unwrap()).into_iter().collect();
        if kept == everything || Instant::now() > deadline {
            assert_eq!(everything.difference(&kept).count(), 0, "{kept:?}");
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_two_writers_put_beyond_a_file_s_limit_at_once_is_read_too() {
    let directory = tempfile::tempdir().unwrap();
    append_all(directory.path(), 1..=130, &"x".repeat(16 * 1024)); // 2.1 MB: one rotation
    let old = directory.path().join("requests-000001.jsonl");
    let line = fs::read_to_string(directory.path().join("requests.jsonl")).unwrap();
    let line = line.lines().next().unwrap();
    let mut bytes = fs::read(&old).unwrap();
    while bytes.len() <= 2 * 1024 * 1024 {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    fs::write(&old, bytes).unwrap();
    assert!(attempts(&RequestLog::tail(directory.path(), 10_000).unwrap()).contains(&1));
}

#[test]
#[cfg(unix)]
fn a_disk_that_hangs_is_never_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    // Opening a FIFO without a reader waits, as a dead network disk does.
    let fifo = directory.path().join("requests.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let before = Instant::now();
    let log = RequestLog::start(directory.path(), DEFAULT_LOG_LIMIT);
    for number in 0..3000 {
        log.append(&entry(number, ""));
    }
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    let trouble = log.trouble().unwrap();
    assert!(trouble.contains("does not keep up"), "{trouble}");
    drop(log);
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    assert_eq!(RequestLog::tail(directory.path(), 10).unwrap(), []);
}

#[test]
fn a_directory_that_cannot_be_written_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let not_a_directory = directory.path().join("file");
    fs::write(&not_a_directory, "").unwrap();
    let log = RequestLog::start(&not_a_directory, DEFAULT_LOG_LIMIT);
    log.append(&entry(1, ""));
    let deadline = Instant::now() + Duration::from_secs(5);
    while log.trouble().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(log.trouble().unwrap().starts_with("the request log on disk lacks 1 entries: "));
}
