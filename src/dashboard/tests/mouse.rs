//! The mouse beyond selecting and scrolling: headings, counts, dialogs, double clicks.

use ratatui::layout::Rect;

use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::columns;
use crate::dashboard::connections::sort::Order;
use crate::dashboard::dialogs::popup::{PopupLine, popup};
use crate::dashboard::frame::header::{PartKind, header};
use crate::dashboard::tests::*;
use crate::domain::EventKind;

fn wide(views: Vec<ConnectionView>) -> App {
    let mut app = app_of(views);
    resize(&mut app, 120, 32);
    app
}

fn click(app: &mut App, x: u16, y: u16) -> Vec<Effect> {
    // Long after any click before.
    app.last_click = None;
    point(app, MouseEventKind::Down(MouseButton::Left), x, y)
}

fn rows(app: &App) -> Rect {
    layout::rows(layout::areas(app.size, app.shape()).unwrap().connections)
}

fn body(app: &App) -> Rect {
    layout::areas(app.size, app.shape()).unwrap().body
}

/// Clicks on the first such text of an open dialog.
fn click_on_key(app: &mut App, word: &str) -> Vec<Effect> {
    let popup = popup(app, body(app)).unwrap();
    let text = layout::text(popup.area);
    let found = popup.lines.iter().zip(text.y..).find_map(|(line, y)| match line {
        PopupLine::Keys(hints) => hints.iter().find(|hint| hint.word == word).map(|hint| (text.x + hint.x + 2, y)),
        PopupLine::Item { text: item, .. } if item.starts_with(word) => Some((text.x + 6, y)),
        _ => None,
    });
    let (x, y) = found.unwrap();
    click(app, x, y)
}

#[test]
fn a_click_on_a_heading_sorts_and_another_one_reverses() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(seven());
        resize(&mut app, width, height);
        let rows = rows(&app);
        let columns = columns::of(&app, rows);
        let mut x = rows.x;
        for (column, width) in columns.widths {
            let by = Some(column.sorted_as());
            app.connections.sort_by(None, now());
            click(&mut app, x, rows.y - 1);
            assert_eq!(app.connections.order(), Order { by, reversed: false }, "{column:?}");
            click(&mut app, x + width - 1, rows.y - 1);
            assert_eq!(app.connections.order(), Order { by, reversed: true }, "{column:?}");
            x += width + columns.spacing;
        }
    }
}

#[test]
fn a_double_click_opens_and_two_slow_clicks_do_not() {
    let mut app = wide(seven());
    let (x, y) = (rows(&app).x + 5, rows(&app).y + 1);
    let at = |app: &mut App, ms: i64, y: u16| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let event = MouseEvent { kind, column: x, row: y, modifiers: KeyModifiers::NONE };
        assert_eq!(update(app, Msg::Input(InputEvent::Mouse(event)), now() + TimeDelta::milliseconds(ms)), NOTHING);
    };
    at(&mut app, 0, y);
    at(&mut app, 500, y);
    assert_eq!(*app.screens.top(), Screen::Main, "too slow");
    at(&mut app, 700, y + 1);
    assert_eq!(*app.screens.top(), Screen::Main, "elsewhere");
    let kind = MouseEventKind::Down(MouseButton::Left);
    let second = MouseEvent { kind, column: x, row: y + 1, modifiers: KeyModifiers::NONE };
    let asked = update(&mut app, Msg::Input(InputEvent::Mouse(second)), now() + TimeDelta::milliseconds(1000));
    assert_eq!(asked, [Command::Inspect { connection: name("hr-sync") }]);
    assert!(matches!(app.screens.top(), Screen::Details { connection, .. } if *connection == name("hr-sync")));
    press(&mut app, "Esc");
    let log = layout::rows(layout::areas(app.size, app.shape()).unwrap().requests.unwrap());
    for ms in [0, 100] {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let event = MouseEvent { kind, column: log.x + 1, row: log.y, modifiers: KeyModifiers::NONE };
        let later = now() + TimeDelta::milliseconds(5000 + ms);
        assert_eq!(update(&mut app, Msg::Input(InputEvent::Mouse(event)), later), NOTHING);
    }
    assert!(matches!(*app.screens.top(), Screen::Request { .. }));
}

#[test]
fn a_click_on_a_count_shows_only_those_and_another_one_all() {
    for width in [60, 80, 120, 200] {
        let mut app = app_of(seven());
        resize(&mut app, width, 24);
        let header = header(&app, width, now());
        let bad = header.parts.iter().find(|part| matches!(part.kind, PartKind::Count(Severity::Bad, _))).unwrap();
        click(&mut app, bad.x + 1, 0);
        assert_eq!(lines(&app), ["sandbox"], "{width}");
        click(&mut app, bad.x, 0);
        assert_eq!((app.connections.shown(), app.filter.text()), (7, ""), "{width}");
        click(&mut app, 2, 0);
        assert_eq!(app.connections.shown(), 7, "the name counts nothing");
    }
}

#[test]
fn a_click_chooses_in_menus_and_beside_closes_them() {
    let mut app = wide(seven());
    press(&mut app, "s");
    assert_eq!(click_on_key(&mut app, "status"), NOTHING);
    assert_eq!((app.connections.order().by, app.screens.top()), (Some(Column::Status), &Screen::Main));
    press(&mut app, "C");
    let copy = Effect::Copy { connection: name("factory"), what: CopyWhat::CurlLine };
    assert_eq!(click_on_key(&mut app, "a curl"), [copy]);
    press(&mut app, "C");
    assert_eq!(click(&mut app, 3, 3), NOTHING);
    assert_eq!((app.screens.top(), selected(&app)), (&Screen::Main, "factory"), "it closed and selected nothing");
}

#[test]
fn a_question_is_answered_by_its_words_and_not_closed_from_beside() {
    let mut app = wide(seven());
    press(&mut app, "o");
    assert_eq!(click(&mut app, 3, 3), NOTHING);
    assert!(matches!(*app.screens.top(), Screen::Confirm(_)));
    assert_eq!(click_on_key(&mut app, "stay"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
    press(&mut app, "o");
    assert_eq!(click_on_key(&mut app, "log out"), NOTHING);
    assert_eq!(undo::ticks(&mut app, SECONDS), [Command::Logout { connection: name("factory") }]);
    learn(&mut app, EventKind::LoginFailed { why: "x".into(), problem: None }.of(name("archive")));
    press(&mut app, "G l");
    learn(&mut app, EventKind::LoginFailed { why: "x".into(), problem: None }.of(name("archive")));
    assert_eq!(click_on_key(&mut app, "try again"), [Command::Login { connection: name("archive") }]);
}

#[test]
fn the_palette_is_chosen_from_with_the_mouse() {
    let mut app = wide(seven());
    press(&mut app, ":");
    paste(&mut app, "go ");
    let list = crate::dashboard::command_palette::list(crate::dashboard::command_palette::area(&app).unwrap());
    point(&mut app, MouseEventKind::ScrollDown, list.x, list.y);
    assert!(matches!(app.screens.top(), Screen::Palette(palette) if palette.choice == 1));
    click(&mut app, list.x + 3, list.y + 2);
    assert_eq!((selected(&app), app.screens.top()), ("hr-sync", &Screen::Main));
    press(&mut app, ":");
    point(&mut app, MouseEventKind::ScrollUp, list.x, list.y);
    assert!(matches!(app.screens.top(), Screen::Palette(palette) if palette.recalled == 0), "it is no history");
    click(&mut app, 0, 31 - 3);
    assert_eq!(*app.screens.top(), Screen::Main, "a click beside closes it");
}

#[test]
fn a_click_while_the_filter_is_typed_ends_the_typing_and_counts() {
    let mut app = wide(seven());
    press(&mut app, "/ m a n u s");
    let rows = rows(&app);
    click(&mut app, 5, rows.y + 1);
    assert_eq!((selected(&app), app.screens.top(), app.filter.text()), ("users-import", &Screen::Main, "manus"));
}

#[test]
fn a_click_on_the_sign_of_a_group_folds_it_and_elsewhere_selects_it() {
    let mut app = wide(seven());
    press(&mut app, "p G");
    let rows = rows(&app);
    click(&mut app, rows.x + 20, rows.y);
    assert_eq!(lines(&app).len(), 9);
    assert!(app.connections.selected_group().is_some());
    click(&mut app, rows.x + 2, rows.y);
    assert_eq!(lines(&app).len(), 4);
    click(&mut app, rows.x + 2, rows.y);
    assert_eq!(lines(&app).len(), 9);
}

#[test]
fn no_click_anywhere_panics_or_quits_a_question() {
    for keys in ["j", "o", "C", "s", ":", "/ a", "p Left", "?", "Enter", "Space o"] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        resize(&mut app, 60, 15);
        for (x, y) in (0..60).step_by(7).flat_map(|x| (0..14).map(move |y| (x, y))) {
            let mut app = app.clone();
            let asked = matches!(*app.screens.top(), Screen::Confirm(_));
            let effects = click(&mut app, x, y);
            let answered = *app.screens.top() == Screen::Main;
            assert!(!asked || answered || effects.is_empty(), "{keys} {x},{y}");
        }
    }
}
