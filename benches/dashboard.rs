//! What one frame, one key and one answer cost. `cargo bench` runs them; `benches/README.md` says
//! how to read them.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers};
use divan::{Bencher, black_box};
use manutop::dashboard::keymap::Keymap;
use manutop::dashboard::request_log::Requests;
use manutop::dashboard::theme::appearance::Appearance;
use manutop::dashboard::widgets::text_field::TextField;
use manutop::dashboard::{App, DashboardOptions, Msg, draw, update};
use manutop::domain::{
    Activity, ConnectionName, ConnectionView, Event, Exchange, Fingerprint, Holding, LogEntry, Outcome, RefreshFacts,
    Secret, TokenFacts, Wire,
};
use manutop::format::time::Zone;
use manutop::oauth::{answer, providers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// How many connections there are: a person's, and far more than fit on any screen.
const ROWS: [usize; 3] = [10, 1000, 10_000];

fn main() {
    divan::main();
}

/// A whole frame at 120×40. It must cost the same at any number of rows.
#[divan::bench(args = ROWS)]
fn draw(bencher: Bencher, rows: usize) {
    let app = app(rows);
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
    bencher.bench_local(|| {
        terminal.draw(|frame| draw::draw(frame, black_box(&app), now())).expect("drawing in memory cannot fail");
    });
}

/// One key that moves the selection.
#[divan::bench(args = ROWS)]
fn key(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    let down = Msg::Input(InputEvent::Key(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE)));
    bencher.bench_local(|| update(&mut app, black_box(down.clone()), now()));
}

/// A letter typed into the filter, and erased again; each looks through all.
#[divan::bench(args = ROWS)]
fn filter(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    let press =
        |app: &mut App, code| update(app, Msg::Input(InputEvent::Key(KeyEvent::new(code, KeyModifiers::NONE))), now());
    for code in "/con".chars().map(KeyCode::Char) {
        press(&mut app, code);
    }
    bencher.bench_local(|| {
        press(&mut app, black_box(KeyCode::Char('7')));
        press(&mut app, black_box(KeyCode::Backspace))
    });
}

/// A frame while a filter is set, which marks the letters that matched. It must cost the same at
/// any number of rows.
#[divan::bench(args = ROWS)]
fn draw_filtered(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    types(&mut app, "/cn7");
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
    bencher.bench_local(|| {
        terminal.draw(|frame| draw::draw(frame, black_box(&app), now())).expect("drawing in memory cannot fail");
    });
}

/// News of one connection while the table is sorted and filtered.
#[divan::bench(args = ROWS)]
fn change_sorted(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    types(&mut app, "sa/c7");
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 7) % rows;
        let view = ConnectionView { auto: at % 2 == 0, ..view(at) };
        update(&mut app, Msg::Event(Event::Changed(Box::new(view))), now())
    });
}

/// The tick of a second, which looks at every connection's status.
#[divan::bench(args = ROWS)]
fn tick(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    bencher.bench_local(|| update(&mut app, Msg::Tick, now()));
}

/// A whole frame of the timeline, in the same way.
#[divan::bench(args = ROWS)]
fn draw_timeline(bencher: Bencher, rows: usize) {
    let mut app = app(rows);
    press(&mut app, KeyCode::Char('T'));
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
    bencher.bench_local(|| {
        terminal.draw(|frame| draw::draw(frame, black_box(&app), now())).expect("drawing in memory cannot fail");
    });
}

/// The tick of a second that rebuilds the latency chart of a full log.
#[divan::bench]
fn look_back(bencher: Bencher) {
    let entries = (0..Requests::MAX).map(entry).collect();
    let mut app = App::new(vec![view(0)], entries, options(), now());
    let size = Msg::Input(InputEvent::Resize(120, 40));
    assert!(update(&mut app, size, now()).is_empty());
    press(&mut app, KeyCode::Char('T'));
    let mut second = 0;
    bencher.bench_local(|| {
        second += 1;
        update(&mut app, Msg::Tick, now() + TimeDelta::seconds(second))
    });
}

/// Another word in the filter of a full log.
#[divan::bench]
fn filter_log(bencher: Bencher) {
    let mut requests = Requests::new((0..Requests::MAX).map(entry).collect());
    bencher.bench_local(|| {
        for words in ["token @connection-7", "token @connection-8"] {
            requests.edit_filter(|field| *field = TextField::new(black_box(words)));
        }
    });
}

/// One more entry in a full log that is filtered.
#[divan::bench]
fn log_entry(bencher: Bencher) {
    let mut requests = Requests::new((0..Requests::MAX).map(entry).collect());
    requests.edit_filter(|field| field.push("token 4xx"));
    bencher.with_inputs(|| entry(7)).bench_local_values(|entry| requests.push(entry));
}

/// Reading the token endpoint's documented answer.
#[divan::bench]
fn token_answer() -> bool {
    let body = br#"{"access_token":"eyJhbGciOiJIUzI1NiJ9.e30.abc","token_type":"bearer","expires_in":1799,"refresh_token":"r-0123456789abcdef"}"#;
    answer::read(black_box(body)).is_some()
}

fn types(app: &mut App, text: &str) {
    for character in text.chars() {
        press(app, KeyCode::Char(character));
    }
}

fn press(app: &mut App, code: KeyCode) {
    let effects = update(app, Msg::Input(InputEvent::Key(KeyEvent::new(code, KeyModifiers::NONE))), now());
    assert!(effects.is_empty(), "these keys ask for nothing");
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a moment")
}

fn app(rows: usize) -> App {
    App::new((0..rows).map(view).collect(), Vec::new(), options(), now())
}

fn options() -> DashboardOptions {
    DashboardOptions {
        appearance: Appearance::SIXTEEN,
        theme_is_fixed: false,
        ascii: false,
        zone: Zone::Fixed(FixedOffset::east_opt(0).expect("UTC")),
        config_file: "config.toml".into(),
        keymap: Keymap::default(),
        providers: providers::ALL,
        templates: Vec::new(),
        demo: false,
    }
}

fn entry(number: usize) -> LogEntry {
    LogEntry {
        at: now() - TimeDelta::seconds(i64::try_from(number % 3000).expect("small")),
        connection: ConnectionName::new(&format!("connection-{}", number % 10)).expect("a name"),
        exchange: Exchange::Refresh,
        method: "POST".into(),
        host: "auth.manuonline.com".into(),
        path: "/oauth/token".into(),
        outcome: Outcome::Status(if number.is_multiple_of(10) { 429 } else { 200 }),
        duration_ms: 80 + u64::try_from(number % 97).expect("small"),
        attempt: 1,
        size: 1430,
        headers: Vec::new(),
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire::default(),
    }
}

fn view(row: usize) -> ConnectionView {
    let fingerprint = Fingerprint::of(&Secret::new(row.to_string()));
    let age = TimeDelta::seconds(i64::try_from(row % 1700).expect("small"));
    let obtained_at = now() - age;
    let facts = TokenFacts {
        generation: 41,
        obtained_at,
        expires_at: obtained_at + TimeDelta::seconds(1799),
        access_fingerprint: fingerprint.clone(),
        refresh: Some(RefreshFacts { obtained_at, estimated_end: obtained_at + TimeDelta::days(730), fingerprint }),
        scope: Some("API_ALL".into()),
        subject: None,
    };
    ConnectionView {
        name: ConnectionName::new(&format!("connection-{row}")).expect("a name"),
        title: None,
        provider: &providers::MANU,
        needs_browser: true,
        auto: true,
        holding: Holding::Tokens { facts, saved: true },
        activity: Activity::Idle,
        problem: None,
        lost_answer: None,
        next_refresh: Some(obtained_at + TimeDelta::seconds(1400)),
        last: None,
        clock_skew: None,
    }
}
