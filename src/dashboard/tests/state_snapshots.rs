//! Pictures of every state a connection can be in: each as the selected row under a live one, with
//! its details, at every size, and the styles in two themes. Reviewed by eye.
//!
//! One file per size and theme. Those of the dark theme hold the screens too; the light theme's text
//! is the same, which is tested, so its files hold the styles alone. Three rows or more that are the
//! same, empty ones, are shown once and counted. A row of the record says
//! `row: from..to style, ...` of all cells that are neither blank, nor a frame, nor unstyled; rows
//! whose styles are those of the state before are left out.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::dashboard::App;
use crate::dashboard::fixtures::*;
use crate::dashboard::tests::snapshots::{buffer, text};
use crate::dashboard::theme::appearance::Appearance;
use crate::domain::{Activity, Background, ConnectionView, Depth, Event, Problem, Status, ThemeName};

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 32), (200, 50)];

/// Every status, and what else of a connection changes its row, its details or its next key.
fn states() -> Vec<ConnectionView> {
    let locked = || Problem::PassphraseNeeded { why: "the encrypted store waits for its passphrase".into() };
    let since = now() - chrono::TimeDelta::seconds(2);
    let mut states = every_status();
    states.extend([
        ConnectionView { auto: false, next_refresh: None, ..manu("by-hand", 1443) },
        manu("expiring-auto", 100),
        with_activity(manus("testing", 1900), Activity::Testing { since }),
        with_problem(manus("given-up", -60), Problem::Retrying { at: None, why: "connection refused".into() }),
        with_problem(manu("locked", 900), locked()),
    ]);
    states
}

/// What must stand on the screen to go on from a status: the keys of the best way out, as the footer
/// and the details name them. None where nothing is to be done, or waiting is all there is.
fn next_key(view: &ConnectionView) -> Option<(&'static str, &'static str)> {
    match view.status(now()) {
        Status::Loading | Status::Live | Status::Refreshing | Status::RateLimited { .. } => None,
        Status::Expiring if view.auto => None,
        Status::Expiring | Status::Expired | Status::NotSaved => Some(("r refresh", "r")),
        Status::LoggingIn
        | Status::NeverLoggedIn
        | Status::NoClientSecret
        | Status::NeedsLogin
        | Status::Uncertain
        | Status::RolledBack => Some(("l login", "l")),
        Status::WaitingForLock { .. } => Some(("Esc", "Esc")),
        Status::StoreUnavailable if matches!(view.problem, Some(Problem::PassphraseNeeded { .. })) => Some(("u", "u")),
        Status::Retrying { .. } | Status::AnswerLost { .. } | Status::Misconfigured | Status::StoreUnavailable => {
            Some(("R force", "R"))
        }
    }
}

/// A dashboard in which the state is selected.
fn app_in(view: &ConnectionView, appearance: Appearance) -> App {
    let mut app = app_of(vec![manu("factory", 1443), view.clone()]);
    app.options.appearance = appearance;
    app.connections.select(1);
    if matches!(view.problem, Some(Problem::PassphraseNeeded { .. })) {
        // Asked, and left for later.
        learn(&mut app, Event::PassphraseAsked { new: false, refused: None });
        press(&mut app, "Esc");
    }
    app
}

fn appearance(theme: ThemeName, background: Background) -> Appearance {
    Appearance { theme, depth: Depth::Many, background: Some(background) }
}

fn dark() -> Appearance {
    appearance(ThemeName::Dark, Background::Dark)
}

fn light() -> Appearance {
    appearance(ThemeName::Light, Background::Light)
}

/// A cell's style in a few letters; empty for none.
fn style(cell: &Cell) -> String {
    let color = |color: Color| match color {
        Color::Indexed(number) => number.to_string(),
        other => other.to_string(),
    };
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(color(cell.fg));
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", color(cell.bg)));
    }
    let names = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::REVERSED, "rev"),
        (Modifier::UNDERLINED, "under"),
    ];
    words.extend(names.into_iter().filter(|(flag, _)| cell.modifier.contains(*flag)).map(|(_, name)| name.into()));
    words.join(" ")
}

/// Whether its style is seen and not the frame's.
fn counts(cell: &Cell) -> bool {
    let bare = cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED);
    !bare && !["│", "┌", "┐", "└", "┘"].contains(&cell.symbol())
}

/// The runs of one style in a row.
fn runs(row: &[Cell]) -> String {
    let styles: Vec<String> = row.iter().map(|cell| if counts(cell) { style(cell) } else { String::new() }).collect();
    let mut at = 0;
    let runs = styles.chunk_by(PartialEq::eq).filter_map(|run| {
        let from = at;
        at += run.len();
        (!run[0].is_empty()).then(|| format!("{from}..{at} {}", run[0]))
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// The rows of a screen in runs, in order.
fn style_rows(screen: &Buffer) -> Vec<String> {
    screen.content.chunks(screen.area.width.into()).map(runs).collect()
}

/// The same with rows that repeat the one before (empty ones, that is) counted.
fn squeezed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let alike = lines.chunk_by(PartialEq::eq).map(|alike| match alike {
        [line, _, _, ..] => format!("{line}\n({} times)\n", alike.len()),
        few => few.join("\n") + "\n",
    });
    alike.collect()
}

/// The record of all states: their screens if asked for, and the styles of what changed.
fn record(appearance: Appearance, (width, height): (u16, u16), with_text: bool) -> String {
    let mut before = vec![String::new(); height.into()];
    let mut record = String::new();
    for view in states() {
        let screen = buffer(&mut app_in(&view, appearance), width, height);
        writeln!(record, "== {} ==", view.name).unwrap();
        if with_text {
            record += &squeezed(&text(&screen));
        }
        let rows = style_rows(&screen);
        for (y, row) in rows.iter().enumerate().filter(|(y, row)| before[*y] != **row) {
            writeln!(record, "{y}: {row}").unwrap();
        }
        before = rows;
    }
    record
}

#[test]
fn every_state_at_every_size_in_the_dark_theme() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("states_dark_{width}x{height}"), record(dark(), (width, height), true));
    }
}

#[test]
fn every_state_at_every_size_in_the_light_theme_is_the_same_text_in_other_colours() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("states_light_{width}x{height}"), record(light(), (width, height), false));
        for view in states() {
            let [dark, light] =
                [dark(), light()].map(|appearance| buffer(&mut app_in(&view, appearance), width, height));
            assert_eq!(text(&dark), text(&light));
            assert_ne!(style_rows(&dark), style_rows(&light));
        }
    }
}

#[test]
fn every_state_shows_its_word_and_the_next_key_at_every_size() {
    for (width, height) in SIZES {
        for view in states() {
            let screen = text(&buffer(&mut app_in(&view, dark()), width, height));
            let row = screen.lines().find(|line| line.starts_with("│▸ ")).unwrap();
            let word = view.status(now()).word();
            assert!(row.contains(view.name.as_str()) && row.contains(word), "no {word:?} in its row:\n{screen}");
            let footer = screen.lines().last().unwrap();
            if let Some((hint, key)) = next_key(&view) {
                assert!(footer.contains(&format!(" {hint}")), "no {hint:?} in the footer of {}:\n{screen}", view.name);
                let details = screen.lines().skip_while(|line| !line.starts_with(&format!("┌ {} ", view.name)));
                let mut steps = details.skip(1).map(|line| line.trim_start_matches(['│', ' ']));
                let named = steps.any(|step| step.starts_with(&format!("{key} ")));
                assert!(named, "no {key:?} in the details of {}:\n{screen}", view.name);
            }
        }
    }
}

#[test]
fn the_states_are_all_there_are() {
    // A status that is added must be added above too: this match must name it.
    let number = |status: &Status| match status {
        Status::Loading => 0,
        Status::Live => 1,
        Status::Expiring => 2,
        Status::Expired => 3,
        Status::Refreshing => 4,
        Status::LoggingIn => 5,
        Status::WaitingForLock { .. } => 6,
        Status::NeverLoggedIn => 7,
        Status::NoClientSecret => 8,
        Status::Retrying { .. } => 9,
        Status::RateLimited { .. } => 10,
        Status::NeedsLogin => 11,
        Status::Misconfigured => 12,
        Status::Uncertain => 13,
        Status::NotSaved => 14,
        Status::RolledBack => 15,
        Status::StoreUnavailable => 16,
        Status::AnswerLost { .. } => 17,
    };
    let mut found: Vec<_> = states().iter().map(|view| number(&view.status(now()))).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, (0..18).collect::<Vec<_>>());
}
