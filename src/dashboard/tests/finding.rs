//! The filter: what it finds, in which order, and what it selects.

use crate::dashboard::fuzzy::Finder;
use crate::dashboard::tests::*;
use crate::oauth::providers::MANU;

fn filtered(text: &str) -> App {
    let mut app = app_of(seven());
    press(&mut app, "/");
    paste(&mut app, text);
    app
}

#[test]
fn a_few_letters_of_a_name_find_it() {
    for (filter, names) in [
        ("whs", vec!["warehouse"]),
        ("fty", vec!["factory"]),
        ("usimp", vec!["users-import"]),
        ("xyz", vec![]),
        // In words for providers and statuses letters must stand together.
        ("mns", vec![]),
    ] {
        assert_eq!(lines(&filtered(filter)), names, "{filter}");
    }
}

#[test]
fn every_word_must_match_in_whatever_order() {
    assert_eq!(lines(&filtered("manus hr")), ["hr-sync"]);
    assert_eq!(lines(&filtered("hr manus")), ["hr-sync"]);
    assert_eq!(lines(&filtered("hr manu factory")), [""; 0]);
    assert_eq!(lines(&filtered("  live   MANUS ")), ["hr-sync", "users-import"]);
}

#[test]
fn the_best_match_comes_first_and_is_selected() {
    let views = ["log-store", "old-gate", "login", "blog-in-use"].map(|label| manu(label, 1443)).to_vec();
    let mut app = app_of(views);
    press(&mut app, "/ l o g i n");
    assert_eq!(lines(&app), ["login", "blog-in-use"]);
    assert_eq!(selected(&app), "login");
    press(&mut app, "Enter");
    assert_eq!(press(&mut app, "t"), [Command::Test { connection: name("login") }]);
}

#[test]
fn equal_matches_stay_in_the_order_of_the_table() {
    let mut app = app_of(seven());
    press(&mut app, "s n / m a n u");
    assert_eq!(lines(&app), ["archive", "factory", "hr-sync", "planning", "sandbox", "users-import", "warehouse"]);
    assert!(app.connections.is_best_first());
}

#[test]
fn a_word_with_is_names_a_status_or_how_bad_it_is() {
    for (filter, names) in [
        ("is:live", vec!["factory", "hr-sync", "users-import"]),
        ("is:needs-login", vec!["sandbox"]),
        ("IS:needs_l", vec!["sandbox"]),
        ("is:bad", vec!["sandbox"]),
        ("is:warn", vec!["planning"]),
        ("is:ok users", vec!["users-import"]),
        ("is:nonsense", vec![]),
    ] {
        assert_eq!(lines(&filtered(filter)), names, "{filter}");
    }
    assert_eq!(filtered("is:").connections.shown(), 7);
}

#[test]
fn narrowing_letter_by_letter_finds_what_the_whole_word_finds() {
    for text in ["is:bad", "manus hr", "an i", "isy", "login needs", "ön"] {
        let mut app = app_of(every_status());
        press(&mut app, "/");
        for letter in text.chars() {
            paste(&mut app, &letter.to_string());
        }
        let mut whole = app_of(every_status());
        press(&mut whole, "/");
        paste(&mut whole, text);
        assert_eq!(lines(&app), lines(&whole), "{text}");
    }
}

#[test]
fn the_letters_that_matched_are_known() {
    let finder = Finder::new("ft y is:ok");
    assert_eq!(finder.search().hits("factory"), [0, 3, 6]);
    assert_eq!(Finder::new("").search().hits("factory"), [0; 0]);
}

#[test]
fn clearing_the_filter_keeps_what_it_found_selected() {
    let mut app = filtered("arch");
    press(&mut app, "Esc");
    assert_eq!((selected(&app), app.connections.shown()), ("archive", 7));
    assert_eq!(lines(&app)[0], "factory", "the table is in its order again");
}

#[test]
fn a_new_connection_is_filtered_and_put_in_order_too() {
    let mut app = filtered("fact");
    change(&mut app, manu("factor", 1443));
    change(&mut app, manu("warm", 1443));
    change(&mut app, crate::domain::ConnectionView { provider: &MANU, ..manus("f-a-c-t", 1443) });
    let found = lines(&app);
    assert_eq!(found.len(), 3);
    assert_eq!(found[2], "f-a-c-t", "scattered letters match worst: {found:?}");
    assert_eq!(selected(&app), "factory", "news move no selection");
}

#[test]
fn any_text_is_a_filter() {
    for text in ["'", "!", "^$", "is:é", "\\ ", "ﬁ", "é\u{301}", "日本", &"x".repeat(3000)] {
        let app = filtered(text);
        assert!(app.connections.shown() <= 7, "{text}");
    }
}
