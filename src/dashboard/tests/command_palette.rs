//! The command line: what it finds, completes and remembers, and what it carries out.

use crate::dashboard::command_palette::{Found, Palette, PaletteCommand};
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::tests::*;

fn palette(app: &App) -> &Palette {
    match app.screens.top() {
        Screen::Palette(palette) => palette,
        screen => panic!("no command line in {screen:?}"),
    }
}

fn found(app: &App) -> &[Found] {
    &palette(app).found
}

fn lines_found(app: &App) -> Vec<&str> {
    found(app).iter().map(|found| found.line.as_str()).collect()
}

fn chosen(app: &App) -> &str {
    let palette = palette(app);
    &palette.found[palette.choice].line
}

fn typed(text: &str) -> App {
    let mut app = app_of(seven());
    press(&mut app, ":");
    paste(&mut app, text);
    app
}

/// Types a command and runs it.
fn run(app: &mut App, text: &str) -> Vec<Effect> {
    press(app, ":");
    paste(app, text);
    press(app, "Enter")
}

#[test]
fn it_lists_what_applies_now_once_with_its_key() {
    let mut app = app_of(seven());
    press(&mut app, ":");
    let keys: Vec<_> = found(&app).iter().map(|found| found.keys.as_str()).collect();
    for key in ["l", "R", "C", "s", "x", "q", "?", "*", "p"] {
        assert_eq!(keys.iter().filter(|other| **other == key).count(), 1, "{key} in {keys:?}");
    }
    assert!(!keys.contains(&"j") && !keys.contains(&"u") && !keys.contains(&":"), "{keys:?}");
    let mut app = app_of(vec![fresh("archive")]);
    press(&mut app, ":");
    assert!(!found(&app).iter().any(|found| found.keys == "C" || found.keys == "t"), "it has no token");
}

#[test]
fn an_exact_name_or_alias_comes_before_everything_similar() {
    for (text, line) in [
        ("q", "quit"),
        ("q!", "quit"),
        (":quit", "quit"),
        ("QUIT", "quit"),
        ("export", "export"),
        ("save", "export"),
        ("log", "log"),
        ("copy", "copy"),
        ("refresh", "refresh"),
        ("refresh!", "force-refresh"),
        ("force_refresh", "force-refresh"),
        ("auto", "auto"),
        ("rm", "delete"),
        ("h", "help"),
    ] {
        assert_eq!(chosen(&typed(text)), line, "{text}");
    }
}

#[test]
fn a_beginning_comes_before_scattered_letters_and_the_shorter_name_first() {
    assert_eq!(chosen(&typed("exp")), "export");
    assert_eq!(chosen(&typed("copy-")), "copy-request");
    assert_eq!(chosen(&typed("time")), "timeline");
    let names = typed("co");
    let aliases = lines_found(&names).iter().position(|line| *line == "theme").unwrap();
    assert_eq!(
        lines_found(&names)[..aliases],
        ["copy", "columns", "copy-request", "copy-access-token"],
        "then :colorscheme"
    );
    assert_eq!(chosen(&typed("authoriz")), "copy authorization-header", "what a menu holds is found, too");
    assert_eq!(chosen(&typed("real api")), "test", "and words of the help");
}

#[test]
fn a_command_does_what_its_key_does() {
    for (text, key) in [("refresh!", "R"), ("test", "t"), ("copy header", "C h"), ("q", "q"), ("login", "l")] {
        let mut app = app_of(seven());
        let by_command = run(&mut app, text);
        assert_eq!(by_command, press(&mut app_of(seven()), key), "{text}");
        assert_eq!((by_command.len(), app.screens.top()), (1, &Screen::Main));
    }
    for (text, key) in [("sort", "s"), ("copy", "C"), ("filter", "/"), ("export", "Tab Tab x"), ("logout", "o")] {
        let (mut app, mut other) = (app_of(seven()), app_of(seven()));
        assert_eq!(run(&mut app, text), press(&mut other, key), "{text}");
        assert_eq!(app.screens, other.screens, "{text}");
    }
}

#[test]
fn what_asks_first_asks_here_too() {
    let mut app = app_of(seven());
    assert_eq!(run(&mut app, "copy refresh"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::CopyRefreshToken(name("factory"))));
}

#[test]
fn a_connection_can_follow_and_is_meant_whatever_is_selected_or_marked() {
    let mut app = app_of(seven());
    press(&mut app, "*");
    assert_eq!(run(&mut app, "refresh warehouse"), [Command::Refresh { connection: name("warehouse"), force: false }]);
    assert_eq!(run(&mut app, "LOGIN Archive"), [Command::Login { connection: name("archive") }]);
    assert_eq!(selected(&app), "factory");
    assert_eq!(run(&mut app, "logout hr-sync"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Confirm(Question::Logout(name("hr-sync"))));
    press(&mut app, "Esc");
    assert!(app.screens.is_main(), "one layer");
    run(&mut app, "details planning");
    assert!(matches!(app.screens.top(), Screen::Details { connection, .. } if *connection == name("planning")));
}

#[test]
fn what_is_named_exactly_and_does_nothing_now_says_why() {
    let mut app = app_of(seven());
    assert_eq!(run(&mut app, "test archive"), NOTHING);
    assert_eq!((message_text(&app), app.screens.is_main()), ("there are no tokens; l logs in", true));
    let mut app = app_of(vec![fresh("archive")]);
    run(&mut app, "test");
    assert_eq!(message_text(&app), "there are no tokens; l logs in");
    run(&mut app, "unlock");
    assert_eq!(message_text(&app), "unlock does nothing now");
}

#[test]
fn tab_completes_names_and_arguments() {
    for (text, keys, line) in [
        ("exp", "Tab", "export "),
        ("exp", "Tab j Tab", "export json-lines"),
        ("sort exp", "Tab", "sort access-token"),
        ("login whs", "Tab", "login warehouse"),
        ("time", "Tab", "timeline"),
        ("theme d", "Tab", "theme dark"),
        ("filter is:b", "Tab", "filter is:b"),
    ] {
        let mut app = typed(text);
        assert_eq!(press(&mut app, keys), NOTHING);
        assert_eq!(palette(&app).field.text(), line, "{text}");
    }
}

#[test]
fn the_list_shows_what_can_follow() {
    let mut app = typed("theme ");
    let names: Vec<_> = found(&app).iter().map(Found::name).collect();
    assert_eq!(names, ThemeName::ALL.map(ThemeName::word));
    press(&mut app, "Esc");
    let mut app = typed("login ");
    assert_eq!(lines_found(&app)[..2], ["login", "login factory"], "without a name, the selected one");
    press(&mut app, "Esc");
    assert!(!lines_found(&typed("logout ")).contains(&"logout archive"), "it has no tokens");
}

#[test]
fn what_is_needed_is_asked_for() {
    let mut app = typed("theme");
    assert_eq!(press(&mut app, "Enter"), NOTHING);
    assert_eq!((palette(&app).field.text(), chosen(&app)), ("theme ", "theme auto"));
    let mut app = typed("go");
    press(&mut app, "Enter h r Enter");
    assert_eq!((selected(&app), app.screens.is_main()), ("hr-sync", true));
}

#[test]
fn a_theme_changes_at_once_and_says_how_to_keep_it() {
    let mut app = app_of(seven());
    assert_eq!(run(&mut app, "theme dark"), NOTHING);
    assert_eq!(app.options.appearance.theme, ThemeName::Dark);
    assert!(message_text(&app).ends_with("; to keep it, set theme = \"dark\""), "{}", message_text(&app));
    run(&mut app, "theme color_blind");
    assert_eq!(app.options.appearance.theme, ThemeName::ColourBlind);
}

#[test]
fn sorting_filtering_and_the_log_take_their_words() {
    let mut app = app_of(seven());
    run(&mut app, "sort expires");
    assert_eq!(app.connections.order().by, Some(crate::dashboard::connections::column::Column::Access));
    run(&mut app, "filter is:bad");
    assert_eq!(lines(&app), ["sandbox"]);
    run(&mut app, "log 4xx");
    assert_eq!((app.pane, app.requests.filter_field().text()), (Pane::Requests, "4xx"));
    run(&mut app, "filter manus");
    assert_eq!((app.pane, app.connections.filter()), (Pane::Connections, "manus"));
    press(&mut app, ":");
    paste(&mut app, "to the requests");
    press(&mut app, "Enter");
    assert_eq!((app.pane, app.requests.filter_field().text()), (Pane::Requests, "4xx"), "those were no words of it");
}

#[test]
fn an_unknown_command_or_argument_says_so_and_what_may_be_meant() {
    for (text, fault) in [
        ("quti", "no such command; did you mean quit?"),
        ("zzzz", "no such command"),
        ("quit zzzz", "quit takes no argument"),
        ("theme drak", "no such theme; did you mean dark?"),
        ("export pdf", "export does not know this; known are har, json-lines"),
        ("login factroy", "no connection has this name; did you mean factory?"),
        ("refresh zzzz", "no connection has this name"),
    ] {
        let mut app = typed(text);
        assert_eq!(palette(&app).fault, fault, "{text}");
        assert_eq!(press(&mut app, "Enter Tab Down Enter"), NOTHING, "{text}");
        assert_eq!(palette(&app).field.text(), text);
        press(&mut app, "C-u");
        assert!(!found(&app).is_empty() && palette(&app).fault.is_empty());
    }
}

#[test]
fn it_goes_to_a_connection_through_filter_and_fold() {
    let mut app = app_of(seven());
    press(&mut app, "p G Left / f a c t Enter Tab :");
    paste(&mut app, "users");
    assert_eq!(chosen(&app), "go users-import");
    press(&mut app, "Enter");
    assert_eq!((selected(&app), app.pane, app.filter.text()), ("users-import", Pane::Connections, ""));
    assert!(app.connections.selected_index().is_some());
}

#[test]
fn the_latest_come_first_next_time() {
    let mut app = app_of(seven());
    for text in ["sort status", "go hr-sync", "freeze", "go hr-sync"] {
        run(&mut app, text);
    }
    press(&mut app, ":");
    assert_eq!(lines_found(&app)[..3], ["go hr-sync", "freeze", "sort status"]);
}

#[test]
fn up_on_the_first_line_shows_older_commands_and_down_newer_ones() {
    let mut app = app_of(seven());
    for text in ["sort status", "filter is:bad", "theme dark"] {
        run(&mut app, text);
    }
    press(&mut app, ":");
    for (key, line) in [
        ("Up", "theme dark"),
        ("Up", "filter is:bad"),
        ("Up", "sort status"),
        ("Up", "sort status"),
        ("Down", "filter is:bad"),
        ("Down", "theme dark"),
        ("Down", ""),
    ] {
        press(&mut app, key);
        assert_eq!(palette(&app).field.text(), line, "{key}");
    }
    press(&mut app, "Down");
    assert_eq!(palette(&app).choice, 1, "now it moves in the list");
    press(&mut app, "Up Up Enter");
    assert_eq!(app.options.appearance.theme, ThemeName::Dark);
}

#[test]
fn what_is_typed_is_in_no_debug_output() {
    let mut app = app_of(seven());
    run(&mut app, "filter s3cr3t");
    press(&mut app, ":");
    paste(&mut app, "log s3cr3t");
    let app = App { connections: app_of(seven()).connections, ..app };
    assert!(!format!("{:?}", app.recent).contains("s3cr3t"));
    assert!(!format!("{:?}", app.screens).contains("s3cr3t"));
}

#[test]
fn esc_closes_it_and_changes_nothing() {
    let mut app = app_of(seven());
    let before = app.clone();
    assert_eq!(press(&mut app, ": x y Down Up Left Esc"), NOTHING);
    assert!(app == before);
}

#[test]
fn it_opens_on_other_screens_and_closes_to_them() {
    for open in ["T", "Enter", "Tab Tab Enter", "?"] {
        let mut app = app_of(seven());
        press(&mut app, open);
        let before = app.screens.clone();
        press(&mut app, ": Esc");
        assert_eq!(app.screens, before, "{open}");
        assert_eq!(run(&mut app, "q"), [Effect::Quit], "{open}");
        run(&mut app, "sort status");
        assert!(app.screens.is_main(), "it is a command of the main screen");
    }
    let mut app = app_of(seven());
    press(&mut app, "T");
    run(&mut app, "zoom-in");
    assert_eq!(app.screens.top(), &Screen::Timeline);
    run(&mut app, "go hr-sync");
    assert_eq!((app.screens.top(), selected(&app)), (&Screen::Timeline, "hr-sync"));
    press(&mut app, "Enter");
    assert_eq!(run(&mut app, "test"), [Command::Test { connection: name("hr-sync") }]);
    assert!(matches!(app.screens.top(), Screen::Details { .. }));
}

#[test]
fn the_list_is_bounded_and_scrolls() {
    let views = (0..1000).map(|at| manu(&format!("c{at}"), 1443)).collect();
    let mut app = app_of(views);
    press(&mut app, ": g o");
    paste(&mut app, " ");
    assert_eq!(found(&app).len(), 200);
    press(&mut app, "PgDn PgDn PgDn");
    let Screen::Palette(palette) = app.screens.top() else { panic!() };
    assert!(palette.choice > 20 && palette.first(10) == palette.choice - 9, "{}", palette.choice);
    press(&mut app, "9 9 9");
    assert_eq!(chosen(&app), "go c999");
}

#[test]
fn it_works_without_a_connection() {
    let mut app = app_of(vec![]);
    press(&mut app, "Esc");
    run(&mut app, "help");
    assert!(matches!(*app.screens.top(), Screen::Help(_)));
    assert!(found(&typed("go x")).iter().all(|found| found.does != PaletteCommand::GoTo(name("x"))));
}
