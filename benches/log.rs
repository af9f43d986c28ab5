//! What the request log costs: appending to it, and opening, filtering and scrolling one of a
//! million entries on disk. `cargo bench --bench log` makes that log first, in half a minute and
//! some 700 MB of the temporary directory.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use manutop::domain::{ConnectionName, DEFAULT_LOG_LIMIT, Exchange, LogEntry, Outcome, Wire};
use manutop::request_log::filter::LogFilter;
use manutop::request_log::query::{LogAnswer, LogPosition, LogQuery, PageId, ReadFrom};
use manutop::request_log::search::LogSearcher;
use manutop::request_log::segments::RequestLog;
use tempfile::TempDir;

const ENTRIES: usize = 1_000_000;
/// How many entries fill a segment.
const AT_ONCE: usize = 2900;
/// The only one of its connection, and one of those that failed.
const RARE: usize = 500_500;

fn main() {
    divan::main();
}

/// An entry on its way to the disk, until it is written.
#[divan::bench]
fn append(bencher: Bencher) {
    const TOGETHER: usize = 512;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let entries: Vec<_> = (0..TOGETHER).map(entry).collect();
    bencher.counter(ItemsCount::new(TOGETHER)).bench_local(|| {
        let log = RequestLog::start(directory.path(), DEFAULT_LOG_LIMIT);
        for entry in &entries {
            log.append(black_box(entry));
        }
    });
}

/// The newest entries, and how many there are in all.
#[divan::bench]
fn open(bencher: Bencher) {
    let directory = million();
    bencher.bench_local(|| opened(&mut LogSearcher::new(directory)).1);
}

/// The page at the very end.
#[divan::bench]
fn scroll_to_the_end(bencher: Bencher) {
    let directory = million();
    let mut searcher = LogSearcher::new(directory);
    opened(&mut searcher);
    let page = PageId { segment: 1, end: None };
    bencher.bench_local(|| {
        searcher.answer(LogQuery::Load { question: 1, filter: LogFilter::default(), page }, |_| true).expect("readable")
    });
}

/// Until the first 200 are found, or the end; how many of the million must be read depends.
#[divan::bench(args = ["token", "@rare", "error", "503", "no such word"])]
fn filter(bencher: Bencher, words: &str) {
    let mut searcher = LogSearcher::new(million());
    let (place, _) = opened(&mut searcher);
    bencher.bench_local(|| search(&mut searcher, words, place, 200));
}

/// The worst case: a filter for which every entry is read, to the end.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn filter_all(bencher: Bencher) {
    let mut searcher = LogSearcher::new(million());
    let (place, _) = opened(&mut searcher);
    bencher.bench_local(|| assert_eq!(search(&mut searcher, "@connection-7 503", place, usize::MAX), 9995));
}

fn opened(searcher: &mut LogSearcher) -> (LogPosition, usize) {
    let Ok(LogAnswer::Opened { place, .. }) = searcher.newest() else { panic!("the log can be read") };
    (place, search(searcher, "", place, 0))
}

fn search(searcher: &mut LogSearcher, words: &str, place: LogPosition, enough: usize) -> usize {
    let filter = LogFilter::of_words(words);
    let mut count = 0;
    let mut take = |news: &LogAnswer| {
        if let LogAnswer::Found { pages, .. } = news {
            count += pages.iter().map(|page| page.count).sum::<usize>();
        }
    };
    let ask = LogQuery::Search { question: 1, filter, since: ReadFrom::Position(place), enough };
    let last = searcher.answer(ask, |news| {
        take(&news);
        true
    });
    take(&last.expect("readable").expect("it is not given up"));
    count
}

/// The data directory with a log of a million entries.
fn million() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    let made = DIRECTORY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fill(directory.path());
        directory
    });
    made.path()
}

/// Fills one segment after the other at once but for its last entry, which goes through the log
/// itself, so that it is rotated and summed up.
fn fill(directory: &Path) {
    for begin in (0..ENTRIES).step_by(AT_ONCE) {
        let end = (begin + AT_ONCE).min(ENTRIES);
        let mut lines = Vec::new();
        for number in begin..end - 1 {
            serde_json::to_writer(&mut lines, &entry(number)).expect("it is written to memory");
            lines.push(b'\n');
        }
        let file = OpenOptions::new().append(true).create(true).open(directory.join("requests.jsonl"));
        file.and_then(|mut file| file.write_all(&lines)).expect("there is room for it");
        let log = RequestLog::start(directory, u64::MAX);
        log.append(&entry(end - 1));
    }
}

fn entry(number: usize) -> LogEntry {
    let at =
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_700_000_000_000 + 731 * i64::try_from(number).expect("small"));
    let header = |name: &str, value: String| (name.to_owned(), value);
    let connection = if number == RARE { "rare".into() } else { format!("connection-{}", number % 10) };
    LogEntry {
        at,
        connection: ConnectionName::new(&connection).expect("a name"),
        exchange: Exchange::Refresh,
        method: "POST".into(),
        host: "auth.manuonline.com".into(),
        path: "/oauth/token".into(),
        outcome: Outcome::Status(if number % 100 == 7 { 503 } else { 200 }),
        duration_ms: 80 + number as u64 % 97,
        attempt: 1,
        size: 1430,
        headers: vec![
            header("date", at.to_rfc2822()),
            header("content-type", "application/json; charset=utf-8".into()),
            header("cache-control", "no-store, max-age=0, private".into()),
            header("x-ratelimit-remaining", (number % 500).to_string()),
            header("x-request-id", format!("{:016x}", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))),
        ],
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire {
            url: Some("https://auth.manuonline.com/oauth/token".into()),
            version: Some("HTTP/1.1".into()),
            request_headers: vec![
                header("accept", "application/json".into()),
                header("content-type", "application/x-www-form-urlencoded".into()),
            ],
            ..Wire::default()
        },
    }
}
