//! The help: its order, its search, and how it is scrolled and closed.

use crate::dashboard::help::{columns, sections};
use crate::dashboard::tests::snapshots::picture;
use crate::dashboard::tests::*;

fn titles(app: &App) -> Vec<(&'static str, bool)> {
    let Screen::Help(help) = app.screens.top() else { panic!("{:?}", app.screens.top()) };
    sections::of(app, help, now()).into_iter().map(|section| (section.title, section.is_here)).collect()
}

fn labels(app: &App) -> Vec<String> {
    let Screen::Help(help) = app.screens.top() else { panic!("{:?}", app.screens.top()) };
    sections::of(app, help, now()).into_iter().flat_map(|section| section.entries).map(|entry| entry.label).collect()
}

fn scroll(app: &App) -> usize {
    let Screen::Help(help) = app.screens.top() else { panic!("{:?}", app.screens.top()) };
    help.scroll
}

#[test]
fn the_keys_of_the_screen_it_was_opened_from_come_first() {
    for (keys, first) in [
        ("?", vec!["Selected connection", "Main screen", "Everywhere"]),
        ("Tab Tab ?", vec!["Request log, in its pane", "Selected connection", "Main screen", "Everywhere"]),
        ("T ?", vec!["Timeline", "Selected connection", "Everywhere"]),
        ("Enter ?", vec!["Help and details", "Selected connection", "Everywhere"]),
        ("Tab Tab Enter ?", vec!["Details of a request", "Help and details", "Everywhere"]),
    ] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        let here: Vec<_> = titles(&app).into_iter().filter(|(_, is_here)| *is_here).map(|(title, _)| title).collect();
        assert_eq!(here, first, "{keys}");
        assert!(titles(&app)[here.len()..].iter().all(|(_, is_here)| !is_here), "{keys}");
    }
}

#[test]
fn a_search_keeps_what_holds_every_word_and_a_single_character_is_a_key() {
    let mut app = app_of(seven());
    press(&mut app, "? /");
    paste(&mut app, "requests FILE");
    assert_eq!(labels(&app).first().map(String::as_str), Some("x"));
    press(&mut app, "C-u");
    paste(&mut app, "force_refresh");
    assert_eq!(labels(&app), ["R"], "names of actions are found too");
    press(&mut app, "C-u T");
    assert_eq!(labels(&app), ["T", "Esc T q"]);
    press(&mut app, "C-u");
    paste(&mut app, "ctrl-z");
    assert_eq!(labels(&app), ["Ctrl-Z"]);
    press(&mut app, "x y z");
    assert_eq!(labels(&app), [""; 0]);
}

#[test]
fn esc_clears_the_search_and_then_closes() {
    for keys in ["? / l o g Esc", "? / l o g Enter Esc", "? / Esc"] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        let Screen::Help(help) = app.screens.top() else { panic!("{keys}") };
        assert_eq!((help.search.text(), help.typing), ("", false), "{keys}");
        press(&mut app, "Esc");
        assert!(app.screens.is_main(), "{keys}");
    }
    let mut app = app_of(seven());
    press(&mut app, "? / l o g Enter j q");
    assert!(matches!(app.screens.top(), Screen::Help(_)), "it is back to the whole help first");
    press(&mut app, "q");
    assert!(app.screens.is_main());
}

#[test]
fn it_scrolls_by_lines_pages_and_halves_of_them() {
    let mut app = app_of(seven());
    resize(&mut app, 80, 24);
    press(&mut app, "? C-d");
    let half = scroll(&app);
    press(&mut app, "PgDn");
    let page = scroll(&app) - half;
    assert_eq!(half, page / 2);
    press(&mut app, "g j j k");
    assert_eq!(scroll(&app), 1);
    press(&mut app, "G");
    let end = scroll(&app);
    press(&mut app, "PgUp g");
    assert_eq!((scroll(&app), end > 100), (0, true));
    press(&mut app, "G / z z z");
    assert_eq!(scroll(&app), 0, "what is found is seen");
}

#[test]
fn every_key_is_in_one_of_the_columns_at_every_width() {
    let mut app = app_of(seven());
    press(&mut app, "?");
    let Screen::Help(help) = app.screens.top() else { panic!() };
    let all = labels(&app);
    for width in [56, 76, 116, 156, 196, 300] {
        let laid = columns::of(&app, help, width, now());
        let lines = || laid.columns.iter().flat_map(|column| &column.lines);
        let found = all.iter().filter(|label| label.is_empty() || lines().any(|line| line.label == **label)).count();
        assert_eq!(found, all.len(), "{width}");
        let heights: Vec<_> = laid.columns.iter().map(|column| column.lines.len()).collect();
        let columns = laid.columns.len();
        assert_eq!(columns, usize::from((width + 2) / 52).max(1));
        assert!(heights.iter().max().unwrap() * columns <= lines().count() * 3 / 2, "about as high: {heights:?}");
    }
}

#[test]
fn the_help_opens_no_help_on_top_of_itself() {
    let mut app = app_of(seven());
    press(&mut app, "Enter ?");
    assert!(matches!(app.screens.top(), Screen::Help(_)));
    press(&mut app, "?");
    assert!(matches!(app.screens.top(), Screen::Details { .. }));
}

#[test]
fn it_looks_like_this_at_every_size() {
    let mut app = app_of(seven());
    press(&mut app, "?");
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        insta::assert_snapshot!(format!("help_{width}x{height}"), picture(&mut app, width, height));
    }
    press(&mut app, "/ r e q u e s t s");
    insta::assert_snapshot!("help_search_120x32", picture(&mut app, 120, 32));
    picture(&mut app, 60, 15);
    press(&mut app, "Esc G");
    insta::assert_snapshot!("help_end_60x15", picture(&mut app, 60, 15));
}
