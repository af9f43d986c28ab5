//! The log below what is in memory: asked for as it is needed, and never mistaken.

use crate::dashboard::fixtures::*;
use crate::dashboard::request_log::history::KnownMatches;
use crate::dashboard::request_log::latencies::Latencies;
use crate::dashboard::tests::{message_text, resize};
use crate::dashboard::*;
use crate::domain::Outcome;
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogPosition, LogQuery, Page, PageId, ReadFrom};

/// What a disk would hold: segments, the oldest first. An offset counts entries.
struct Disk {
    segments: Vec<Vec<LogEntry>>,
    asked: Vec<LogQuery>,
}

impl Disk {
    /// Entries that were sent that many seconds ago, the oldest first, in segments of a thousand.
    fn of(seconds_ago: impl DoubleEndedIterator<Item = i64>) -> Self {
        let entries: Vec<_> = seconds_ago.rev().map(|ago| request("factory", ago)).collect();
        Self { segments: entries.chunks(1000).map(<[_]>::to_vec).collect(), asked: Vec::new() }
    }

    fn newest(&self, count: usize) -> LogAnswer {
        let places = (1..).zip(&self.segments).flat_map(|(segment, entries)| {
            (0..).zip(entries).map(move |(offset, entry)| (entry, LogPosition { segment, offset }))
        });
        let all: Vec<_> = places.collect();
        let taken = &all[all.len() - count..];
        let place = taken[0].1;
        let rows = taken.iter().rev().map(|(entry, _)| (*entry).clone()).collect();
        LogAnswer::Opened { rows, place }
    }

    fn rows(&self, id: PageId, filter: &LogFilter) -> Option<Vec<LogEntry>> {
        let entries = self.segments.get(usize::try_from(id.segment).unwrap() - 1)?;
        let part = &entries[..id.end.map_or(entries.len(), |end| usize::try_from(end).unwrap())];
        let rows = part.iter().rev().filter(|entry| filter.passes(*entry));
        Some(rows.cloned().collect())
    }

    fn answer(&mut self, ask: LogQuery) -> LogAnswer {
        self.asked.push(ask.clone());
        match ask {
            LogQuery::Load { question, filter, page } => {
                LogAnswer::Loaded { question, page, rows: self.rows(page, &filter) }
            }
            LogQuery::Search { question, filter, since, .. } => {
                let begin = match since {
                    ReadFrom::Position(place) => PageId { segment: place.segment, end: Some(place.offset) },
                    ReadFrom::Segment(segment) => PageId { segment: segment - 1, end: None },
                    ReadFrom::Entry(_, at) => (1..)
                        .zip(&self.segments)
                        .find_map(|(segment, entries)| {
                            let end = entries.iter().position(|entry| entry.at == at)?;
                            Some(PageId { segment, end: Some(end.try_into().unwrap()) })
                        })
                        .unwrap(),
                };
                let rest = (1..begin.segment).rev().map(|segment| PageId { segment, end: None });
                let page = |id| {
                    let count = self.rows(id, &filter).unwrap().len();
                    Page { id, entries: self.rows(id, &LogFilter::default()).unwrap().len(), count, rows: None }
                };
                let pages = std::iter::once(begin).chain(rest).map(page).collect();
                LogAnswer::Found { question, pages, back_to: None, goes_on: false, ended: true }
            }
        }
    }

    /// Answers until nothing is asked any more.
    fn answers(&mut self, app: &mut App, mut effects: Vec<Effect>) {
        while let Some(Effect::Log(ask)) = effects.pop() {
            let news = self.answer(ask);
            effects.extend(take_answer(app, news));
        }
        assert_eq!(effects, NOTHING);
    }

    fn press(&mut self, app: &mut App, keys: &str) {
        for key in keys.split(' ') {
            let effects = press(app, key);
            self.answers(app, effects);
        }
    }
}

fn take_answer(app: &mut App, news: LogAnswer) -> Vec<Effect> {
    update(app, Msg::Log(news), now())
}

/// A dashboard in its log, and nothing is in memory.
fn empty() -> App {
    let mut app = App::new(seven(), Vec::new(), options(), now());
    resize(&mut app, 120, 32);
    press(&mut app, "S-Tab");
    app
}

/// The same with the newest 500 entries of a disk.
fn opened(disk: &mut Disk) -> App {
    let mut app = empty();
    let effects = take_answer(&mut app, disk.newest(500));
    disk.answers(&mut app, effects);
    app
}

fn ago(row: &LogEntry) -> i64 {
    (now() - row.at).num_seconds()
}

/// How long ago the entries were sent that are on the screen.
fn seen(app: &App) -> Vec<i64> {
    let areas = layout::areas(app.size, app.shape()).unwrap();
    let height = layout::rows(areas.requests.unwrap()).height.into();
    let rows = app.requests.rows(app.requests.first_row(height), height);
    rows.into_iter().map(|row| ago(row.expect("it is at hand"))).collect()
}

#[test]
fn what_the_disk_held_comes_below_what_has_come_meanwhile_and_nothing_comes_twice() {
    let mut disk = Disk::of(0..2300);
    let mut app = empty();
    // The second of these was written before the disk was read, the first was not.
    learn(&mut app, Event::RequestLogged(Box::new(request("factory", 0))));
    learn(&mut app, Event::RequestLogged(Box::new(request("hr-sync", 0))));
    let effects = take_answer(&mut app, disk.newest(500));
    disk.answers(&mut app, effects);
    assert_eq!((app.requests.shown(), app.requests.all(), app.requests.known()), (2301, 2301, KnownMatches::All));
    let newest: Vec<_> = app.requests.window(0, 3).map(|row| (row.connection.as_str(), ago(row))).collect();
    assert_eq!(newest, [("hr-sync", 0), ("factory", 0), ("factory", 1)]);
    assert_eq!(app.requests.latency(&name("factory")).len(), Latencies::MAX);
}

#[test]
fn every_entry_is_come_by_once_from_the_newest_to_the_oldest_and_back() {
    let mut disk = Disk::of(0..4321);
    let mut app = opened(&mut disk);
    let mut back = Vec::new();
    for at in 0..4321_i64 {
        assert_eq!(ago(app.requests.selected().expect("it is at hand")), at);
        if at % 1000 == 0 {
            back.push(at);
        }
        disk.press(&mut app, "j");
    }
    assert!(disk.asked.len() < 10, "a page is read once on the way: {}", disk.asked.len());
    disk.press(&mut app, "g");
    assert_eq!(app.requests.selected_index(), 0);
    disk.press(&mut app, "G");
    assert_eq!((app.requests.selected_index(), *seen(&app).last().unwrap()), (4320, 4320));
    disk.press(&mut app, "PgUp PgUp k");
    let index = app.requests.selected_index();
    assert_eq!(ago(app.requests.selected().unwrap()), i64::try_from(index).unwrap());
}

#[test]
fn only_the_pages_near_those_seen_are_kept() {
    let mut disk = Disk::of(0..100_000);
    let mut app = opened(&mut disk);
    for _ in 0..60 {
        disk.press(&mut app, "PgDn PgDn PgDn PgDn PgDn");
    }
    let kept = app.requests.rows(500, usize::MAX).into_iter().flatten().count();
    assert!((1000..=7000).contains(&kept), "{kept}");
    assert!(!seen(&app).is_empty());
}

#[test]
fn a_filter_finds_what_is_on_the_disk_and_answers_to_an_older_one_are_ignored() {
    let mut disk = Disk::of(0..5000);
    disk.segments[1][7] = LogEntry { outcome: Outcome::Status(429), ..request("planning", 3992) };
    let mut app = opened(&mut disk);
    let typed = |app: &mut App, text: &str| {
        press(app, "/");
        let effects = update(app, Msg::Input(InputEvent::Paste(text.into())), now());
        press(app, "Enter");
        effects
    };
    let mut late = typed(&mut app, "@factory");
    let effects = typed(&mut app, " 429 @planning");
    assert_eq!((app.requests.shown(), app.requests.known()), (0, KnownMatches::Searching(None)));
    let Some(Effect::Log(ask)) = late.pop() else { panic!("{late:?}") };
    let news = disk.answer(ask);
    assert_eq!(take_answer(&mut app, news), NOTHING);
    assert_eq!(app.requests.shown(), 0, "it answers what is not asked any more");
    press(&mut app, "Esc");
    let effects = [effects, typed(&mut app, "@planning")].concat();
    disk.answers(&mut app, effects[1..].to_vec());
    assert_eq!((seen(&app), app.requests.all(), app.requests.known()), (vec![3992], 5000, KnownMatches::All));
    disk.press(&mut app, "Enter");
    assert!(matches!(app.screens.top(), Screen::Request { entry, .. } if entry.connection == name("planning")));
}

#[test]
fn what_makes_room_in_memory_is_read_back_from_the_disk() {
    let mut disk = Disk::of(20_000..23_000);
    let mut app = opened(&mut disk);
    for ago in (0..10_600).rev() {
        let entry = request("factory", ago);
        disk.segments.push(vec![entry.clone()]);
        let effects = update(&mut app, Msg::Event(Event::RequestLogged(Box::new(entry))), now());
        disk.answers(&mut app, effects);
    }
    let last = disk.segments.len() - 10_600;
    let rest = disk.segments.split_off(last).concat();
    disk.segments.extend(rest.chunks(1000).map(<[_]>::to_vec));
    assert_eq!((app.requests.shown(), app.requests.newest().count()), (13_600, Requests::MAX));
    disk.press(&mut app, "G");
    assert_eq!(seen(&app).last(), Some(&22_999));
    let mut expected = (0..10_600).chain(20_000..23_000).rev();
    for _ in 0..3200 {
        assert_eq!(app.requests.selected().map(ago), expected.next());
        disk.press(&mut app, "k");
    }
    assert!(disk.asked.iter().any(|ask| matches!(ask, LogQuery::Search { since: ReadFrom::Entry(..), .. })));
}

#[test]
fn a_selection_far_down_stays_where_it_is_while_the_newest_make_room() {
    let mut disk = Disk::of(20_000..23_000);
    let mut app = opened(&mut disk);
    disk.press(&mut app, "G PgUp");
    let before = (app.requests.selected().cloned(), seen(&app));
    for ago in (0..10_100).rev() {
        let effects = update(&mut app, Msg::Event(Event::RequestLogged(Box::new(request("factory", ago)))), now());
        assert_eq!(effects, NOTHING);
    }
    app.settle(now());
    assert_eq!((app.requests.selected().cloned(), seen(&app)), before);
    assert_eq!(app.requests.unseen(), Requests::MAX, "of those in memory");
}

#[test]
fn pages_that_were_rotated_out_are_reported_as_gone() {
    let mut disk = Disk::of(0..5000);
    let mut app = opened(&mut disk);
    let mut effects = press(&mut app, "G");
    let Some(Effect::Log(ask @ LogQuery::Load { .. })) = effects.pop() else { panic!("{effects:?}") };
    let LogAnswer::Loaded { question, page, .. } = disk.answer(ask) else { panic!() };
    let effects = take_answer(&mut app, LogAnswer::Loaded { question, page, rows: None });
    disk.answers(&mut app, effects);
    assert_eq!((app.requests.shown(), app.requests.all(), app.requests.known()), (4000, 4000, KnownMatches::All));
    assert_eq!(seen(&app).last(), Some(&3999));
    assert!(message_text(&app).contains("rotated out"), "{}", message_text(&app));
}

#[test]
fn g_goes_to_the_oldest_that_passes_once_it_is_found() {
    let disk = Disk::of(0..5000);
    let mut app = empty();
    let page = |segment, end, count| {
        let id = PageId { segment, end };
        Page { id, entries: count, count, rows: disk.rows(id, &LogFilter::default()) }
    };
    let found = |question, pages, goes_on, ended| LogAnswer::Found { question, pages, back_to: None, goes_on, ended };
    let effects = take_answer(&mut app, disk.newest(500));
    assert!(matches!(effects[..], [Effect::Log(LogQuery::Search { enough: 0, question: 1, .. })]), "{effects:?}");
    take_answer(&mut app, found(1, vec![page(5, Some(500), 500)], false, false));
    assert_eq!((app.requests.shown(), app.requests.known()), (1000, KnownMatches::Some));
    let effects = press(&mut app, "G");
    let asks = [Effect::Log(LogQuery::Search {
        question: 1,
        filter: LogFilter::default(),
        since: ReadFrom::Segment(5),
        enough: usize::MAX,
    })];
    assert_eq!(effects, asks);
    take_answer(&mut app, found(1, vec![page(4, None, 1000), page(3, None, 1000)], true, false));
    assert_eq!((app.requests.selected_index(), app.requests.known()), (2999, KnownMatches::Searching(None)));
    take_answer(&mut app, found(1, vec![page(2, None, 1000), page(1, None, 1000)], false, true));
    assert_eq!((app.requests.selected().map(ago), app.requests.known()), (Some(4999), KnownMatches::All));
}

#[test]
fn a_disk_that_cannot_be_read_is_reported_and_not_read_again() {
    let mut disk = Disk::of(0..5000);
    let mut app = opened(&mut disk);
    assert_eq!(take_answer(&mut app, LogAnswer::Failed { why: "input/output error".into() }), NOTHING);
    assert!(message_text(&app).contains("input/output error"));
    assert_eq!(app.requests.known(), KnownMatches::Unreadable);
    assert_eq!(press(&mut app, "G"), NOTHING, "nothing is asked any more");
}
