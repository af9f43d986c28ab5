//! A large request log on a real disk: opened, counted, filtered and gone through by reading a
//! bounded part of it, which is proved by the bytes read; also while others append and rotate.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyModifiers};
use futures_util::FutureExt as _;
use manutop::dashboard_loop::log_reader::LogReader;
use manutop::domain::{ConnectionName, Exchange, LogEntry, Outcome, Wire};
use manutop::request_log::filter::LogFilter;
use manutop::request_log::query::{LogAnswer, LogPosition, LogQuery, Page, PageId, ReadFrom};
use manutop::request_log::search::LogSearcher;
use manutop::request_log::segments::RequestLog;
use manutop::request_log::segments::reader::SegmentReader;

use crate::support::rig::Rig;
use crate::support::stage::Stage;

const MIB: u64 = 1024 * 1024;
/// About what a real entry takes, headers and all.
const FILLING: &str =
    "max-age=0, private, must-revalidate, no-store, no-cache; report-to=somewhere; and so on, and so on";

fn entry(number: usize) -> LogEntry {
    LogEntry {
        at: DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(number).expect("small")),
        connection: ConnectionName::new(if number == RARE { "rare" } else { "factory" }).expect("a good name"),
        exchange: Exchange::Refresh,
        method: "POST".into(),
        host: "auth.manuonline.com".into(),
        path: "/oauth/token".into(),
        outcome: Outcome::Status(if number.is_multiple_of(1000) { 503 } else { 200 }),
        duration_ms: 182,
        attempt: 1,
        size: 77,
        headers: vec![("cache-control".into(), FILLING.into())],
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire::default(),
    }
}

/// The only one of its connection.
const RARE: usize = 20_000;

fn lines(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers.flat_map(|number| [serde_json::to_vec(&entry(number)).expect("JSON"), b"\n".to_vec()].concat()).collect()
}

fn log(directory: &Path) -> RequestLog {
    RequestLog::start(directory, 1024 * MIB)
}

/// Appends entries as if they had come one by one: what fills a segment at once, the rest through
/// the log itself, which rotates.
fn fill(directory: &Path, numbers: std::ops::Range<usize>) {
    let at_once = 2 * 1024 * 1024 / lines(99_999..100_000).len();
    let mut next = numbers.start;
    while next < numbers.end {
        let last = (next + at_once).min(numbers.end) - 1;
        let mut file =
            OpenOptions::new().append(true).create(true).open(directory.join("requests.jsonl")).expect("a directory");
        file.write_all(&lines(next..last)).expect("room");
        log(directory).append(&entry(last));
        next = last + 1;
    }
}

fn filter(words: &str) -> LogFilter {
    LogFilter::of_words(words)
}

/// All pages that a search finds, and whether it came to the end of the log.
fn search(searcher: &mut LogSearcher, words: &str, since: ReadFrom, enough: usize) -> (Vec<Page>, bool) {
    let mut found = Vec::new();
    let ask = LogQuery::Search { question: 1, filter: filter(words), since, enough };
    let mut took = |news| {
        let LogAnswer::Found { pages, ended, goes_on, .. } = news else { panic!("{news:?}") };
        found.extend(pages);
        (ended, goes_on)
    };
    let last = searcher.answer(ask, |news| took(news).1).expect("readable").expect("not given up");
    let (ended, goes_on) = took(last);
    assert!(!goes_on);
    (found, ended)
}

fn load(searcher: &mut LogSearcher, words: &str, page: PageId) -> Option<Vec<LogEntry>> {
    let ask = LogQuery::Load { question: 1, filter: filter(words), page };
    let Some(LogAnswer::Loaded { rows, .. }) = searcher.answer(ask, |_| true).expect("readable") else { panic!() };
    rows
}

fn opened(searcher: &mut LogSearcher) -> (Vec<LogEntry>, LogPosition) {
    let LogAnswer::Opened { rows, place } = searcher.newest().expect("readable") else { panic!() };
    (rows, place)
}

fn numbers(rows: &[LogEntry]) -> Vec<i64> {
    rows.iter().map(|row| row.at.timestamp()).collect()
}

fn count(pages: &[Page]) -> usize {
    pages.iter().map(|page| page.count).sum()
}

#[test]
fn a_hundred_thousand_entries_are_opened_counted_filtered_and_gone_through_without_reading_them() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..100_000);
    let size: u64 = fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(size > 32 * MIB, "{size}");
    let searcher = &mut LogSearcher::new(directory.path());
    let mut before = 0;
    let mut read =
        |searcher: &LogSearcher| searcher.bytes_read() - std::mem::replace(&mut before, searcher.bytes_read());

    let (rows, place) = opened(searcher);
    assert_eq!(rows, (99_500..100_000).rev().map(entry).collect::<Vec<_>>());
    assert!(read(searcher) < MIB / 2);

    let (pages, ended) = search(searcher, "", ReadFrom::Position(place), 0);
    assert_eq!((count(&pages), ended), (99_500, true), "every one is counted");
    assert!(pages.iter().all(|page| page.entries == page.count && page.rows.is_none()));
    assert!(read(searcher) < 3 * MIB, "a segment at most, and the summaries");

    let oldest = load(searcher, "", pages.last().unwrap().id).unwrap();
    assert_eq!(numbers(&oldest), (0..i64::try_from(oldest.len()).unwrap()).rev().collect::<Vec<_>>());
    assert!(read(searcher) <= 2 * MIB, "its last page is a segment");

    let (pages, ended) = search(searcher, "error", ReadFrom::Position(place), 0);
    assert_eq!((count(&pages), ended), (100, true));
    assert!(read(searcher) < 3 * MIB, "the summaries know what failed");

    let (pages, ended) = search(searcher, "@RARE", ReadFrom::Position(place), 50);
    let found: Vec<_> = pages.iter().filter_map(|page| page.rows.as_ref()).flatten().map(LogEntry::clone).collect();
    assert_eq!((found, ended), (vec![entry(RARE)], true));
    assert!(read(searcher) <= 5 * MIB, "the segment it is in, and the one that is written");

    let (pages, ended) = search(searcher, "503", ReadFrom::Position(place), 10);
    assert_eq!((count(&pages) >= 10, ended), (true, false), "enough is enough");
    assert!(read(searcher) <= 8 * MIB);
    let last = pages.last().unwrap().id.segment;
    let (rest, ended) = search(searcher, "503", ReadFrom::Segment(last), usize::MAX);
    assert_eq!((count(&pages) + count(&rest), ended), (100, true), "it continues where it stopped");
}

#[test]
fn an_abandoned_search_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..30_000);
    let searcher = &mut LogSearcher::new(directory.path());
    let (_, place) = opened(searcher);
    let ask =
        LogQuery::Search { question: 1, filter: filter("token"), since: ReadFrom::Position(place), enough: usize::MAX };
    assert_eq!(searcher.answer(ask, |_| false).unwrap(), None);
    assert!(searcher.bytes_read() < 5 * MIB, "{}", searcher.bytes_read());
}

#[test]
fn pages_mean_the_same_entries_while_others_append_and_rotate_and_those_that_made_room_are_reported_as_gone() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..12_000);
    let searcher = &mut LogSearcher::new(directory.path());
    let (_, place) = opened(searcher);
    let (pages, _) = search(searcher, "", ReadFrom::Position(place), 0);
    let before: Vec<_> = pages.iter().map(|page| load(searcher, "", page.id).unwrap()).collect();
    assert_eq!(before.concat(), (0..11_500).rev().map(entry).collect::<Vec<_>>());

    std::thread::scope(|scope| {
        let writers = [20_001..26_000, 30_001..36_000].map(|numbers| scope.spawn(|| fill(directory.path(), numbers)));
        while writers.iter().any(|writer| !writer.is_finished()) {
            for (page, before) in pages.iter().zip(&before) {
                assert!(load(searcher, "", page.id).unwrap() == *before);
            }
        }
    });

    // With less room the oldest go at the next rotation.
    let log = RequestLog::start(directory.path(), 4 * MIB);
    let mut file = OpenOptions::new().append(true).open(directory.path().join("requests.jsonl")).unwrap();
    file.write_all(&vec![b'x'; 2 * 1024 * 1024]).and_then(|()| file.write_all(b"\n")).unwrap();
    log.append(&entry(50_000));
    drop(log);
    assert_eq!(load(searcher, "", pages.last().unwrap().id), None);
    let (pages, ended) = search(searcher, "", ReadFrom::Position(place), 0);
    assert_eq!((count(&pages), ended), (0, true), "all that was before is gone");
}

#[test]
fn an_entry_is_found_again_on_the_disk_and_where_it_was_never_written_what_is_older_than_it() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..15_000);
    let searcher = &mut LogSearcher::new(directory.path());
    let since = |number: usize| {
        let entry = entry(number);
        ReadFrom::Entry(entry.connection, entry.at)
    };
    for number in [14_999, 6000, 1] {
        assert_eq!(count(&search(searcher, "", since(number), 0).0), number);
    }
    let stranger = ConnectionName::new("hr").unwrap();
    let at: DateTime<Utc> = entry(9000).at + TimeDelta::hours(1);
    let (pages, _) = search(searcher, "", ReadFrom::Entry(stranger, at), usize::MAX);
    assert_eq!(count(&pages), 9000);
}

#[test]
fn the_files_of_older_versions_are_read_as_the_oldest_and_make_room_first() {
    let directory = tempfile::tempdir().unwrap();
    for (age, numbers) in [(4, 0..10), (2, 10..20), (1, 20..30)] {
        fs::write(directory.path().join(format!("requests.jsonl.{age}")), lines(numbers)).unwrap();
    }
    fs::write(directory.path().join("requests.jsonl"), lines(30..4600)).unwrap();
    fill(directory.path(), 4600..4700);
    let mut reader = SegmentReader::open(directory.path()).unwrap();
    for number in 0..4700 {
        assert_eq!(reader.next_entry().unwrap(), Some(entry(number)));
    }
    assert_eq!(reader.next_entry().unwrap(), None);
    let searcher = &mut LogSearcher::new(directory.path());
    let (_, place) = opened(searcher);
    let (pages, _) = search(searcher, "", ReadFrom::Position(place), usize::MAX);
    assert_eq!(count(&pages), 4200);
    assert_eq!(numbers(&load(searcher, "", pages.last().unwrap().id).unwrap()), (0..10).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_read_before_it_is_begun_and_of_several_questions_the_last_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..25_000);
    let mut reader = LogReader::new(directory.path());
    let ask = |question, words, place| LogQuery::Search {
        question,
        filter: filter(words),
        since: ReadFrom::Position(place),
        enough: usize::MAX,
    };
    reader.ask(ask(1, "", LogPosition { segment: 1, offset: 0 }));
    assert_eq!(reader.next().now_or_never(), None);
    reader.begin();
    reader.begin();
    let LogAnswer::Opened { rows, place } = reader.next().await else { panic!("the newest come first") };
    assert_eq!(rows.len(), 500);
    reader.ask(ask(2, "token", place));
    reader.ask(ask(3, "@rare", place));
    let mut found = Vec::new();
    loop {
        match reader.next().await {
            LogAnswer::Found { question: 3, pages, goes_on, .. } => {
                found.extend(pages.into_iter().filter_map(|page| page.rows).flatten());
                if !goes_on {
                    break;
                }
            }
            LogAnswer::Found { question: 2, .. } => assert!(found.is_empty(), "the older question comes first"),
            news => panic!("{news:?} was not asked for"),
        }
    }
    assert_eq!(found, [entry(RARE)]);
    assert_eq!(reader.next().now_or_never(), None, "nothing is reported that was not asked");
}

#[tokio::test]
async fn scrolling_continues_into_the_log_on_disk_and_finds_there_what_is_filtered_for() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0..30_000);
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let stage = Stage { data_dir: Some(directory.path().to_owned()), ..Stage::new() };
    stage
        .play(&rig, async |person| {
            person.sees("of 30000 ").await;
            person.press("R");
            person.sees("of 30001 ").await;
            person.press_code(KeyCode::BackTab, KeyModifiers::SHIFT);
            person.press("G");
            person.sees("-30001 of 30001 ").await;
            // The very first one, alone among those around it.
            person.sees(" 503 ").await;
            person.press_code(KeyCode::Enter, KeyModifiers::NONE);
            person.sees("Request 30001 of 30001").await;
            person.sees("1970-01-01 00:00:00").await;
            person.press_code(KeyCode::Esc, KeyModifiers::NONE);
            person.press("/@rare");
            person.sees("1 shown, 30001 in all").await;
            person.sees("rare").await;
            person.press_code(KeyCode::Esc, KeyModifiers::NONE);
            person.sees("of 30001 ").await;
            person.press("gE");
            // What a filter shows is looked for as far as there is room for it.
            person.sees("of 30, 30001 in all").await;
            person.press("x");
            person.sees("JSON").await;
            person.press("l");
            person.sees("30 requests written to").await;
            person.press_code(KeyCode::Esc, KeyModifiers::NONE);
            person.press("x");
            person.sees("JSON").await;
            person.press("l");
            person.sees("the newest 10000 requests written to").await;
            person.press("q");
        })
        .await;
    let written = fs::read_dir(rig.dir.path()).unwrap().map(|file| file.unwrap().path());
    let mut written: Vec<_> = written.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    written.sort_unstable_by_key(|path| fs::metadata(path).unwrap().len());
    let errors = fs::read_to_string(&written[0]).unwrap();
    let errors: Vec<LogEntry> = errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(errors, (0..30_000).step_by(1000).map(entry).collect::<Vec<_>>());
    assert_eq!(fs::read_to_string(&written[1]).unwrap().lines().count(), 10_000);
    assert!(matches!(
        RequestLog::tail(directory.path(), 1).unwrap()[..],
        [LogEntry { exchange: Exchange::Refresh, outcome: Outcome::Status(200), .. }]
    ));
}
