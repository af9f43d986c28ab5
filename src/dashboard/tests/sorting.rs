//! Orders of the table.

use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::sort::Order;
use crate::dashboard::tests::*;

#[test]
fn the_menu_sorts_by_every_column() {
    let cases = [
        ("n", ["archive", "factory", "hr-sync", "planning", "sandbox", "users-import", "warehouse"]),
        ("p", ["factory", "warehouse", "sandbox", "planning", "archive", "hr-sync", "users-import"]),
        ("s", ["sandbox", "planning", "warehouse", "factory", "hr-sync", "users-import", "archive"]),
        ("a", ["sandbox", "warehouse", "planning", "factory", "hr-sync", "users-import", "archive"]),
        ("r", ["sandbox", "warehouse", "planning", "factory", "hr-sync", "users-import", "archive"]),
        ("u", ["factory", "warehouse", "hr-sync", "users-import", "planning", "archive", "sandbox"]),
        ("l", ["planning", "sandbox", "factory", "warehouse", "hr-sync", "users-import", "archive"]),
        ("x", ["warehouse", "factory", "hr-sync", "users-import", "sandbox", "planning", "archive"]),
        ("f", ["factory", "warehouse", "hr-sync", "sandbox", "users-import", "planning", "archive"]),
    ];
    for (key, names) in cases {
        let mut app = app_of(seven());
        press(&mut app, "s");
        if key == "f" {
            press(&mut app, "n s");
        }
        press(&mut app, key);
        assert_eq!((lines(&app), app.screens.top()), (names.map(str::to_owned).to_vec(), &Screen::Main), "{key}");
        assert_eq!(selected(&app), "factory", "the selection is a name");
    }
}

#[test]
fn the_same_again_reverses_and_what_has_nothing_stays_last() {
    let mut app = app_of(seven());
    press(&mut app, "s a s a");
    assert_eq!(lines(&app)[..2], ["users-import", "hr-sync"]);
    assert_eq!(lines(&app)[6], "archive", "it has no token either way round");
    press(&mut app, "s a");
    assert_eq!(lines(&app)[0], "sandbox");
    press(&mut app, "s f s f");
    assert_eq!(lines(&app)[0], "archive", "the file from its end");
}

#[test]
fn the_menu_opens_on_the_present_order() {
    let mut app = app_of(seven());
    press(&mut app, "s j j j j Enter s");
    assert_eq!(app.connections.order().by, Some(Column::Status));
    press(&mut app, "Enter");
    assert!(app.connections.order().reversed);
}

#[test]
fn a_change_moves_one_row_and_the_clock_moves_what_has_changed() {
    let mut app = app_of(vec![manu("b", 300), manu("a", 1443), manu("c", 1443)]);
    press(&mut app, "s s");
    assert_eq!(lines(&app), ["b", "a", "c"], "equals stay in the order of the file");
    change(&mut app, fresh("a"));
    assert_eq!(lines(&app), ["b", "c", "a"]);
    change(&mut app, with_problem(manu("c", 1443), Problem::NeedsLogin { why: "x".into() }));
    assert_eq!(lines(&app), ["c", "b", "a"]);
    change(&mut app, manu("c", 1443));
    assert_eq!(lines(&app), ["b", "c", "a"]);
    assert_eq!(update(&mut app, Msg::Tick, now() + TimeDelta::seconds(1300)), NOTHING);
    assert_eq!(lines(&app), ["b", "c", "a"], "expired comes before expiring");
}

#[test]
fn an_order_that_is_kept_is_the_order_sorted_afresh() {
    let mut app = app_of(every_status());
    for keys in ["s n", "s s", "s a s a", "s l", "p", "/ n e Enter", "s r"] {
        press(&mut app, keys);
        let mut views = every_status();
        views.reverse();
        for (at, view) in views.into_iter().enumerate() {
            let turned = if at % 2 == 0 { fresh(view.name.as_str()) } else { manu(view.name.as_str(), 100) };
            change(&mut app, turned);
            change(&mut app, view);
        }
        let kept = lines(&app);
        let filter = app.connections.filter().to_owned();
        if app.connections.is_best_first() {
            app.connections.set_filter(&filter, now());
        } else {
            app.connections.toggle_groups();
            app.connections.toggle_groups();
        }
        assert_eq!(kept, lines(&app), "{keys}");
    }
}

#[test]
fn sorting_while_filtered_puts_the_order_before_the_best_match() {
    let mut app = app_of(seven());
    press(&mut app, "/ a Enter");
    assert!(app.connections.is_best_first());
    press(&mut app, "s n");
    assert!(!app.connections.is_best_first());
    assert_eq!(lines(&app), ["archive", "factory", "hr-sync", "planning", "sandbox", "users-import", "warehouse"]);
}

#[test]
fn a_heading_shows_the_order_in_however_little_room() {
    let order = Order { by: Some(Column::Auto), reversed: false };
    assert_eq!(Column::Auto.heading(4, order), "AUT↑");
    assert_eq!(Column::Auto.heading(6, order), "AUTO ↑");
    let order = Order { by: Some(Column::Refresh), reversed: true };
    assert_eq!(Column::Refresh.heading(13, order), "REFRESH ↓");
    assert_eq!(Column::Refresh.heading(15, order), "REFRESH TOKEN ↓");
    assert_eq!(Column::Refresh.heading(9, order), "REFRESH ↓");
    let order = Order { by: Some(Column::Access), reversed: false };
    assert_eq!(Column::Ends.heading(8, order), "ENDS ↑", "it shows the same moment");
}
