//! What holds on every screen: in every theme, in every script, in nothing but ASCII.

use std::collections::BTreeSet;
use std::num::NonZero;

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::{Terminal, TerminalOptions, Viewport};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::App;
use crate::dashboard::fixtures::*;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::tests::snapshots::{buffer, picture, screens};
use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::theme::{Theme, ascii};
use crate::domain::{
    Background, ConnectionView, Depth, Event, EventKind, Last, LogEntry, Outcome, Problem, Reason, Rebinding,
    ThemeName, Written,
};

/// Every look that has a palette of its own.
fn appearances() -> impl Iterator<Item = Appearance> {
    let many = ThemeName::ALL.into_iter().flat_map(|theme| {
        let backgrounds = [Some(Background::Dark), Some(Background::Light)];
        backgrounds.map(|background| Appearance { theme, depth: Depth::Many, background })
    });
    many.chain([Appearance::SIXTEEN, Appearance::PLAIN])
}

#[test]
fn a_theme_changes_colours_and_nothing_else() {
    for mut app in screens() {
        let wanted = picture(&mut app, 120, 40);
        for appearance in appearances() {
            app.options.appearance = appearance;
            assert_eq!(picture(&mut app, 120, 40), wanted, "{appearance:?}");
        }
    }
}

#[test]
fn high_contrast_leaves_no_colour_to_the_terminal() {
    for mut app in screens() {
        app.options.appearance = Appearance { theme: ThemeName::HighContrast, depth: Depth::Many, background: None };
        let screen = buffer(&mut app, 120, 40);
        let foreign = |color| !matches!(color, Color::Indexed(16..));
        assert!(!screen.content.iter().any(|cell| foreign(cell.fg) || foreign(cell.bg)));
    }
}

#[test]
fn in_the_selected_row_nothing_is_dimmed_in_any_theme() {
    for appearance in appearances() {
        let mut app = app_of(seven());
        app.options.appearance = appearance;
        // The fourth has dim columns: its automatic refresh is off.
        app.connections.select(3);
        let screen = buffer(&mut app, 120, 32);
        let dim = Theme::of(appearance).dim();
        let is_dim = |cell: &Cell| cell.modifier.contains(dim.add_modifier) && dim.fg.is_none_or(|fg| cell.fg == fg);
        let dimmed = (1..119).map(|x| &screen[(x, 6)]).find(|cell| is_dim(cell));
        assert_eq!(dimmed, None, "{appearance:?}");
    }
}

/// What people write elsewhere, and what a person might write to do harm.
const SCRIPTS: [(&str, &str); 5] = [
    ("cjk", "更新トークンは無効です。か\u{3099}もう一度ログインしてください"),
    ("hebrew", "אסימון הרענון אינו תקף יותר, יש להתחבר מחדש"),
    ("arabic", "رمز التحديث لم يعد صالحا 24 مرة"),
    ("emoji", "🔑 👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 ⚠\u{fe0f} 👍🏽 🇩🇪 e\u{301}"),
    ("hostile", "\u{202e}txet\u{2066} \u{200f}\u{61c}\u{301}\u{301}\u{e0041}\u{1b}[31m"),
];

/// Every kind of screen with a text of this script wherever texts come from outside.
fn screens_in(script: &str) -> Vec<App> {
    let text = || script.to_owned();
    let views = || {
        let problems = [
            Problem::NeedsLogin { why: Reason::ours(text()) },
            Problem::NotSaved { why: Reason::ours(text()), durable: true },
            Problem::Retrying { at: Some(now()), why: Reason::ours(text()) },
        ];
        let troubled = ["sandbox", "planning", "archive"].into_iter().zip(problems);
        let mut views: Vec<_> =
            troubled.map(|(name, problem)| ConnectionView { problem: Some(problem), ..manu(name, 400) }).collect();
        views.push(ConnectionView {
            last: Some(Last { at: now(), result: Err(text()) }),
            ..logging_in("factory", pasted(), Some(Err(text())))
        });
        views
    };
    let entry = || LogEntry {
        path: format!("/oauth/{script}/{script}"),
        host: text(),
        oauth_error: Some(text()),
        oauth_error_description: Some(text()),
        headers: vec![("x-note".into(), text())],
        ..refused_request()
    };
    let failed = LogEntry { outcome: Outcome::Error(text()), method: text(), ..entry() };
    let app = |keys: &str| {
        let mut app = app_of(views());
        learn(&mut app, Event::RequestLogged(Box::new(failed.clone())));
        learn(&mut app, Event::RequestLogged(Box::new(entry())));
        learn(&mut app, Event::StoreChanged(Err(Reason::ours(text()))));
        if !keys.is_empty() {
            press(&mut app, keys);
        }
        app
    };
    let mut screens: Vec<App> = ["", "Tab Tab Enter", "Enter", "j j j l", "j j j"].map(app).into();
    let mut filtered = app("/");
    paste(&mut filtered, script);
    screens.push(filtered);
    let mut failed = app("j");
    learn(&mut failed, EventKind::LoginFailed { why: Reason::ours(text()), problem: None }.of(name("sandbox")));
    screens.push(failed);
    let mut failed = app("l");
    learn(&mut failed, EventKind::LoginFailed { why: Reason::ours(text()), problem: None }.of(name("sandbox")));
    screens.push(failed);
    let mut welcome = app_of(vec![]);
    welcome.options.config_file = format!("/home/{script}/config.toml").into();
    screens.push(welcome);
    screens
}

/// The columns of every line in which a vertical line of a frame stands.
fn frames<'c>(rows: impl Iterator<Item = Vec<&'c str>>) -> Vec<Vec<usize>> {
    let upright = |symbol: &str| symbol.starts_with(['│', '┌', '└', '┐', '┘']);
    let columns = |row: Vec<&str>| (0..row.len()).filter(|&at| upright(row[at])).collect();
    rows.map(columns).collect()
}

fn drawn_frames(buffer: &Buffer) -> Vec<Vec<usize>> {
    let rows = buffer.content.chunks(buffer.area.width.into());
    frames(rows.map(|row| row.iter().map(Cell::symbol).collect()))
}

#[test]
fn no_script_moves_a_frame() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut latin = screens_in("plain");
        let wanted: Vec<_> = latin.iter_mut().map(|app| drawn_frames(&buffer(app, width, height))).collect();
        for (script, text) in SCRIPTS {
            for (mut app, wanted) in screens_in(text).into_iter().zip(&wanted) {
                let screen = buffer(&mut app, width, height);
                let found = drawn_frames(&screen);
                // Dialogs and details are as high as their text needs: lines may differ in number.
                let kinds = |frames: &[Vec<usize>]| frames.iter().cloned().collect::<BTreeSet<_>>();
                assert!(
                    kinds(&found).is_subset(&kinds(wanted)),
                    "{script} at {width}x{height}:\n{}",
                    picture(&mut app, width, height)
                );
            }
        }
    }
}

/// What a terminal makes of the bytes, which counts columns its own way.
#[test]
fn on_a_terminal_frames_stand_where_they_were_drawn() {
    // This terminal draws nothing for U+FFFD, of which the hostile text is full.
    for (script, text) in SCRIPTS.into_iter().filter(|(script, _)| *script != "hostile") {
        for mut app in screens_in(text) {
            let drawn = drawn_frames(&buffer(&mut app, 120, 32));
            let mut bytes = Vec::new();
            let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 120, 32)) };
            let mut terminal = Terminal::with_options(CrosstermBackend::new(&mut bytes), options).unwrap();
            terminal.draw(|frame| crate::dashboard::draw::draw(frame, &app, now())).unwrap();
            drop(terminal);
            let mut parser = vt100::Parser::new(NonZero::new(32).unwrap(), NonZero::new(120).unwrap(), 0);
            parser.process(&bytes);
            let screen = parser.screen();
            let rows = (0..32).map(|y| (0..120).map(|x| screen.cell(y, x).map_or("", vt100::Cell::contents)).collect());
            assert_eq!(frames(rows), drawn, "{script}:\n{}", screen.contents());
        }
    }
}

#[test]
fn every_script_is_ascii_in_ascii_mode() {
    for (_, text) in SCRIPTS {
        for mut app in screens_in(text) {
            app.options.ascii = true;
            assert!(picture(&mut app, 120, 32).is_ascii());
        }
    }
}

/// The screen as text in which a wide character takes its two columns.
fn as_seen(buffer: &Buffer) -> String {
    let line = |row: &[Cell]| {
        let mut line = String::new();
        let mut covered = false;
        for cell in row {
            if !std::mem::take(&mut covered) {
                line += cell.symbol();
                covered = cell.symbol().width() == 2;
            }
        }
        line.trim_end().to_owned() + "\n"
    };
    buffer.content.chunks(buffer.area.width.into()).map(line).collect()
}

#[test]
fn pictures_of_other_scripts() {
    for (script, text) in SCRIPTS {
        let pictures: String = screens_in(text).iter_mut().map(|app| as_seen(&buffer(app, 80, 24)) + "\n").collect();
        insta::assert_snapshot!(format!("script_{script}"), pictures);
    }
}

#[test]
fn every_symbol_of_ours_has_a_counterpart_in_ascii() {
    let word = |text: &str| Written { text: text.into(), line: 1, column: 1 };
    let unbound = Rebinding { scope: word("connection"), action: word("logout"), keys: vec![] };
    let mut rebound = app_of(seven());
    rebound.options.keymap = Keymap::rebound(&[unbound]).unwrap();
    press(&mut rebound, "?");
    for mut app in screens().into_iter().chain([rebound]) {
        // High enough for all of the help. U+FFFD is what a server should not have sent.
        let screen = picture(&mut app, 120, 240);
        let lost = screen.chars().find(|c| !c.is_ascii() && *c != '\u{fffd}' && ascii(*c) == '?');
        assert_eq!(lost, None, "{screen}");
    }
}
