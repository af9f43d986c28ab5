//! What is kept for the next start, favourites, and the menu of columns.

use crate::dashboard::connections::column::Column;
use crate::dashboard::kept_view::KeptView;
use crate::dashboard::tests::snapshots::picture;
use crate::dashboard::tests::*;

/// The next run, on the same connections.
fn next_run(app: &App) -> App {
    let kept = KeptView::parse(&app.kept_view().text()).unwrap();
    let mut next = app_of(seven());
    next.restore(&kept, now());
    assert_eq!(next.kept_view(), kept, "kept as it was restored");
    next
}

#[test]
fn order_groups_filter_columns_and_favourites_are_there_in_the_next_run() {
    for keys in ["s n", "s n s n", "s f", "p", "p Left", "/ w a r Enter", "b", "v j Space K Enter", "s a p b"] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        let next = next_run(&app);
        assert_eq!(lines(&next), lines(&app), "{keys}");
        assert_eq!(next.columns, app.columns, "{keys}");
    }
}

#[test]
fn folded_groups_stay_folded() {
    let mut app = app_of(seven());
    press(&mut app, "p Left");
    let next = next_run(&app);
    assert_eq!(lines(&next), ["[Manu Online]", "[Manus]", "hr-sync", "users-import"]);
    assert!(next.connections.selected_group().is_some(), "the first line is selected");
}

#[test]
fn a_filter_that_is_kept_is_announced() {
    let mut app = app_of(seven());
    press(&mut app, "/ w a r Enter");
    let next = next_run(&app);
    assert_eq!(message_text(&next), "the filter \"war\" is still set; Esc clears it");
    assert_eq!((next.filter.text(), selected(&next)), ("war", "warehouse"));
}

#[test]
fn what_matches_nothing_is_not_kept_for_it_may_be_a_secret() {
    let mut app = app_of(seven());
    press(&mut app, "/");
    paste(&mut app, "s3cr3t-v4lue");
    assert_eq!(app.connections.shown(), 0);
    assert!(!app.kept_view().text().contains("s3cr3t"));
}

#[test]
fn what_is_not_known_any_more_is_left_out() {
    let text = r#"{"version": 1, "sort": "colour", "reversed": true, "grouped": true, "folded": ["gone", "manus"],
        "columns": ["status", "colour", "name"], "favourites": ["gone", "archive"], "more": 1}"#;
    let mut app = app_of(seven());
    app.restore(&KeptView::parse(text).unwrap(), now());
    assert_eq!(lines(&app)[..3], ["[Manu Online]", "archive", "factory"]);
    assert_eq!(lines(&app).last().unwrap(), "[Manus]");
    assert_eq!(app.columns.own(), Some(&[Column::Name, Column::Status][..]));
    assert_eq!(KeptView::parse(r#"{"version": 2}"#), None);
    assert_eq!(KeptView::parse("{}"), Some(KeptView::default()));
}

#[test]
fn favourites_stay_above_the_others_in_any_order_but_not_above_what_is_searched_for() {
    let mut app = app_of(seven());
    press(&mut app, "G b");
    assert_eq!((message_text(&app), selected(&app)), ("★ favourite: stays above the others", "archive"));
    assert_eq!(lines(&app)[..2], ["archive", "factory"]);
    press(&mut app, "s n s n");
    assert_eq!(lines(&app)[..2], ["archive", "warehouse"]);
    change(&mut app, manu("archive", 1443));
    assert_eq!(lines(&app)[0], "archive", "whatever happens to it");
    press(&mut app, "/ f a c Enter");
    assert_eq!(lines(&app)[0], "factory");
    press(&mut app, "Esc p");
    assert_eq!(lines(&app)[..2], ["[Manu Online]", "archive"]);
    press(&mut app, "g j b");
    assert_eq!((message_text(&app), lines(&app)[1].as_str()), ("no longer a favourite", "warehouse"));
}

#[test]
fn a_favourite_that_comes_back_is_one_again() {
    let mut app = app_of(seven());
    press(&mut app, "G b");
    learn(&mut app, EventKind::Removed.of(name("archive")));
    change(&mut app, fresh("archive"));
    assert_eq!(lines(&app)[0], "archive");
}

#[test]
fn resetting_the_view_shows_everything_as_in_the_file_and_keeps_favourites() {
    let mut app = app_of(seven());
    press(&mut app, "G b s n p Left v Space Esc / w a r Enter V");
    assert_eq!(app.kept_view(), {
        let mut fresh = app_of(seven());
        press(&mut fresh, "G b");
        fresh.kept_view()
    });
    assert_eq!(lines(&app).len(), 7);
}

#[test]
fn the_menu_of_columns_hides_moves_and_resets() {
    let mut app = app_of(seven());
    app.configure_columns(Some(&["name".into(), "status".into(), "last".into()]));
    press(&mut app, "v Space");
    assert_eq!(app.columns.shown(), Some(&[Column::Name, Column::Last][..]));
    press(&mut app, "Space j K K");
    assert_eq!(app.columns.shown(), Some(&[Column::Name, Column::Last, Column::Status][..]));
    press(&mut app, "J");
    assert_eq!(app.columns.shown(), Some(&[Column::Name, Column::Status, Column::Last][..]));
    press(&mut app, "j k J J Esc");
    assert_eq!(app.screens.top(), &Screen::Main);
    press(&mut app, "v r Esc");
    assert_eq!(app.columns.shown(), Some(&[Column::Name, Column::Status, Column::Last][..]));
    assert_eq!(app.columns.own(), None);
}

#[test]
fn chosen_columns_and_favourites_on_the_screen() {
    let mut app = app_of(seven());
    app.configure_columns(Some(&["status", "name", "next", "why", "last"].map(str::to_owned)));
    press(&mut app, "G b g");
    for (width, height) in [(60, 15), (80, 24), (120, 32)] {
        insta::assert_snapshot!(format!("chosen_columns_{width}x{height}"), picture(&mut app, width, height));
    }
    press(&mut app, "v j");
    insta::assert_snapshot!("column_menu_80x24", picture(&mut app, 80, 24));
}
