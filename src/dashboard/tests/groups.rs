//! Groups by provider.

use crate::dashboard::frame::footer;
use crate::dashboard::tests::*;

const BOTH: [&str; 9] =
    ["[Manu Online]", "factory", "warehouse", "sandbox", "planning", "archive", "[Manus]", "hr-sync", "users-import"];

#[test]
fn p_groups_by_provider_and_back_and_keeps_the_selection() {
    let mut app = app_of(seven());
    press(&mut app, "j j p");
    assert_eq!((lines(&app), selected(&app)), (BOTH.map(str::to_owned).to_vec(), "hr-sync"));
    press(&mut app, "p");
    assert_eq!((lines(&app).len(), selected(&app)), (7, "hr-sync"));
}

#[test]
fn left_folds_right_unfolds_and_enter_does_either() {
    let mut app = app_of(seven());
    press(&mut app, "p Left");
    assert_eq!(lines(&app), ["[Manu Online]", "[Manus]", "hr-sync", "users-import"]);
    assert_eq!(selected(&app), "", "the heading is selected");
    assert_eq!(press(&mut app, "Right"), NOTHING);
    assert_eq!(lines(&app), BOTH);
    press(&mut app, "Enter");
    assert_eq!(lines(&app).len(), 4);
    press(&mut app, "Enter j");
    assert_eq!((lines(&app).len(), selected(&app)), (9, "factory"));
}

#[test]
fn the_footer_says_what_enter_and_esc_do_here() {
    let mut app = app_of(seven());
    let word = |app: &App, action| {
        let hint = footer::hints(app, 300, now()).into_iter().find(|hint| hint.action == action);
        hint.map_or_else(String::new, |hint| hint.word.into_owned())
    };
    assert_eq!((word(&app, Action::Open), word(&app, Action::Cancel)), ("details".into(), String::new()));
    press(&mut app, "p g");
    assert_eq!(word(&app, Action::Open), "fold");
    press(&mut app, "Enter");
    assert_eq!(word(&app, Action::Open), "unfold");
    press(&mut app, "Space");
    assert_eq!(word(&app, Action::Cancel), "clear");
    let waits = with_activity(manu("factory", 1443), Activity::WaitingForLock { pid: Some(7), since: now() });
    change(&mut app, waits);
    press(&mut app, "p / f a c Enter");
    assert_eq!((selected(&app), word(&app, Action::Cancel)), ("factory", "cancel".into()));
}

#[test]
fn a_group_counts_its_severities_folded_or_not() {
    let mut app = app_of(seven());
    press(&mut app, "p Left");
    let group = app.connections.selected_group().unwrap();
    assert_eq!((group.size(), group.severities), (5, [1, 1, 1, 1, 1]));
    change(&mut app, manu("sandbox", 1443));
    change(&mut app, fresh("factory"));
    let group = app.connections.selected_group().unwrap();
    assert_eq!((group.size(), group.severities), (5, [2, 1, 1, 1, 0]));
}

#[test]
fn sorting_and_filtering_work_within_groups() {
    let mut app = app_of(seven());
    press(&mut app, "p s n");
    assert_eq!(lines(&app)[..3], ["[Manu Online]", "archive", "factory"]);
    press(&mut app, "/ h r Enter");
    assert_eq!(lines(&app), ["[Manus]", "hr-sync"], "an empty group has no heading");
    press(&mut app, "Esc");
    assert_eq!((lines(&app).len(), selected(&app)), (9, "hr-sync"));
}

#[test]
fn keys_on_a_heading_say_what_they_act_on() {
    let mut app = app_of(seven());
    press(&mut app, "p g");
    for key in ["r", "R", "l", "a", "c", "C", "t", "o"] {
        assert_eq!(press(&mut app, key), NOTHING, "{key}");
        assert_eq!(message_text(&app), "a group is selected: Space marks all of it, Enter folds it");
        assert_eq!(*app.screens.top(), Screen::Main);
    }
}

#[test]
fn space_on_a_heading_marks_its_members_even_folded_ones() {
    let mut app = app_of(seven());
    press(&mut app, "p Left Space");
    assert_eq!(app.connections.marks(), (5, 5));
    assert_eq!(press(&mut app, "r").len(), 5);
    assert_eq!(message_text(&app), "refresh: 5 marked connections, 5 of them hidden");
    press(&mut app, "g Right");
    assert_eq!(app.connections.marks(), (5, 0));
    press(&mut app, "Space");
    assert_eq!(app.connections.marks(), (0, 0));
}

#[test]
fn nothing_selects_what_is_folded_away() {
    let mut app = app_of(seven());
    press(&mut app, "p Left / w a r e");
    assert_eq!(lines(&app), ["[Manu Online]"]);
    assert!(app.connections.selected_group().is_some());
    press(&mut app, "Enter Right");
    assert_eq!(lines(&app), ["[Manu Online]", "warehouse"]);
}

#[test]
fn a_first_connection_of_another_provider_brings_its_group() {
    let mut app = app_of(vec![manu("factory", 1443)]);
    press(&mut app, "p");
    change(&mut app, manus("hr-sync", 1443));
    assert_eq!(lines(&app), ["[Manu Online]", "factory", "[Manus]", "hr-sync"]);
}

#[test]
fn without_groups_the_arrows_fold_nothing() {
    let mut app = app_of(seven());
    press(&mut app, "Left Right");
    assert_eq!((lines(&app).len(), selected(&app)), (7, "factory"));
}
