//! The form: what it shows, what it refuses, what it hands over.

use crate::config;
use crate::config::Draft;
use crate::dashboard::connection_form::Form;
use crate::dashboard::connection_form::lines::{FormLine, FormValue, lines as form_lines};
use crate::dashboard::tests::*;
use crate::domain::{EventKind, FieldFault, HostEvent};

const FILE: &str = r#"
    [[connections]]
    name = "factory"
    provider = "manu"
    client_id = "abc"
    redirect_uri = "http://127.0.0.1:8400/callback"
    [[connections]]
    name = "hr"
    provider = "manus"
    client_id = "tm_1"
"#;

fn app() -> App {
    let mut app = app_of(seven());
    let config = config::parse(FILE, std::path::Path::new("c.toml"), app.options.providers).unwrap();
    app.configure(config.connections);
    app
}

fn write(app: &mut App, text: &str) {
    for character in text.chars() {
        let key = KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE);
        assert_eq!(update(app, Msg::Input(InputEvent::Key(key)), now()), NOTHING);
    }
}

fn paste_into(app: &mut App, label: &str, text: &str) {
    if !labels(app).contains(&label) {
        unfold(app);
    }
    while labels(app)[form(app).focus()] != label {
        press(app, "Tab");
    }
    press(app, "C-u");
    paste(app, text);
}

/// Shows the rows under *Advanced*.
fn unfold(app: &mut App) {
    while labels(app)[form(app).focus()] != "Advanced" {
        press(app, "Tab");
    }
    press(app, "Enter");
}

fn form(app: &App) -> &Form {
    let Screen::Form(form) = app.screens.top() else { panic!("no form: {:?}", *app.screens.top()) };
    form
}

fn labels(app: &App) -> Vec<&'static str> {
    let row = |line| match line {
        FormLine::Row { label, .. } => Some(label),
        _ => None,
    };
    form_lines(form(app), 60).0.into_iter().filter_map(row).collect()
}

fn faults(app: &App) -> String {
    let fault = |line| match line {
        FormLine::Fault(why, _) => Some(why),
        _ => None,
    };
    form_lines(form(app), 500).0.into_iter().filter_map(fault).collect::<Vec<_>>().join("\n")
}

/// The refresh token that a saved form hands over.
fn taken_over(effects: Vec<Effect>) -> Option<Secret> {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Save { refresh_token, .. }]) => refresh_token,
        other => panic!("not saved: {other:?}"),
    }
}

/// What a saved form hands over.
fn saved(effects: Vec<Effect>) -> (Draft, Option<Secret>) {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Save { draft, client_secret, .. }]) => (*draft, client_secret),
        other => panic!("not saved: {other:?}"),
    }
}

#[test]
fn the_provider_is_picked_first_and_only_its_rows_are_shown() {
    let mut app = app();
    press(&mut app, "n");
    assert_eq!(labels(&app), ["Provider", "Name", "Client ID", "Client secret", "Redirect URI", "Advanced"]);
    press(&mut app, "Right");
    assert!(!labels(&app).contains(&"Redirect URI"), "{:?}", labels(&app));
    press(&mut app, "Space");
    assert!(labels(&app).contains(&"Redirect URI"));
}

#[test]
fn a_fault_stands_beside_its_row_as_soon_as_it_is_typed() {
    let mut app = app();
    press(&mut app, "n Tab");
    assert_eq!(faults(&app), "", "nothing was typed yet");
    write(&mut app, "hr");
    assert!(faults(&app).contains("already the name"), "{}", faults(&app));
    write(&mut app, "-sync");
    assert_eq!(faults(&app), "");
}

#[test]
fn saving_goes_to_the_first_fault_and_hands_over_what_is_right() {
    let mut app = app();
    press(&mut app, "n Tab");
    write(&mut app, "new");
    assert_eq!(press(&mut app, "C-s"), NOTHING);
    assert!(faults(&app).contains("must not be empty"), "{}", faults(&app));
    write(&mut app, "id");
    press(&mut app, "Tab");
    write(&mut app, "hush hush");
    paste_into(&mut app, "Redirect URI", "");
    press(&mut app, "S-Tab C-s");
    write(&mut app, "http://127.0.0.1:8400/callback");
    let (draft, secret) = saved(press(&mut app, "C-s"));
    assert_eq!((draft.get("name"), draft.get("client_id")), ("new", "id"));
    assert_eq!(secret, Some(Secret::new("hush hush")));
    assert!(!format!("{:?}", *app.screens.top()).contains("hush"), "no secret in what may be logged");
    assert_eq!(press(&mut app, "C-s"), NOTHING, "it is being saved already");
}

#[test]
fn defaults_are_offered_and_left_out_of_what_is_written() {
    let mut app = app();
    press(&mut app, "n");
    unfold(&mut app);
    let (lines, _) = form_lines(form(&app), 60);
    let is_default = |text: &str| {
        lines.iter().any(|line| matches!(line, FormLine::Row { value: FormValue::Default(shown), .. } if shown == text))
    };
    assert!(is_default("API_ALL") && is_default("https://auth.manuonline.com/oauth/token"), "{lines:?}");
}

#[test]
fn editing_begins_with_what_is_there_and_keeps_the_name() {
    let mut app = app();
    press(&mut app, "e");
    assert_eq!(form(&app).changes().map(ConnectionName::as_str), Some("factory"));
    press(&mut app, "Tab");
    write(&mut app, "2");
    assert!(faults(&app).contains("factory"), "{}", faults(&app));
    press(&mut app, "Backspace");
    paste_into(&mut app, "Title", "Fabrik 工場");
    let (draft, secret) = saved(press(&mut app, "C-s"));
    assert_eq!((draft.get("title"), secret), ("Fabrik 工場", None));
}

#[test]
fn changes_are_thrown_away_only_on_the_second_escape() {
    let mut app = app();
    press(&mut app, "e");
    paste_into(&mut app, "Title", "x");
    press(&mut app, "Esc");
    assert!(matches!(*app.screens.top(), Screen::Form(_)));
    press(&mut app, "Esc");
    assert_eq!(*app.screens.top(), Screen::Main);
    press(&mut app, "e Esc");
    assert_eq!(*app.screens.top(), Screen::Main, "nothing was changed");
}

#[test]
fn a_paste_is_one_line_and_the_secret_is_never_shown() {
    let mut app = app();
    press(&mut app, "n Tab Tab");
    paste(&mut app, "  client-7\n");
    press(&mut app, "Tab");
    paste(&mut app, "s3cr3t-s3cr3t\n");
    let (lines, _) = form_lines(form(&app), 60);
    let shown = format!("{lines:?}");
    assert!(!shown.contains("s3cr3t") && shown.contains("•••••"), "{shown}");
    press(&mut app, "S-Tab");
    let (lines, _) = form_lines(form(&app), 60);
    assert!(matches!(lines[2], FormLine::Row { label: "Client ID", value: FormValue::Typing, .. }), "{lines:?}");
    assert_eq!(form(&app).input().text(), "client-7");
}

#[test]
fn deleting_asks_and_says_what_goes() {
    let mut app = app();
    assert_eq!(press(&mut app, "d n"), NOTHING);
    assert_eq!(press(&mut app, "d y"), NOTHING);
    assert_eq!(undo::ticks(&mut app, SECONDS), [Effect::Delete { connection: name("factory") }]);
}

#[test]
fn the_first_start_begins_with_the_welcome_and_the_form_comes_when_it_is_asked_for() {
    let mut app = app_of(Vec::new());
    assert_eq!(*app.screens.top(), Screen::Main);
    press(&mut app, "n");
    assert_eq!(form(&app).changes(), None);
    press(&mut app, "Esc");
    assert_eq!(*app.screens.top(), Screen::Main);
    assert_eq!(press(&mut app, "d"), [Effect::OpenDemo { tour: false }]);
    assert_eq!(press(&mut app, "t"), [Effect::OpenDemo { tour: true }]);
}

#[test]
fn enter_leads_past_what_is_folded_and_the_last_enter_saves() {
    let mut app = app();
    press(&mut app, "n Enter");
    write(&mut app, "new");
    press(&mut app, "Enter");
    write(&mut app, "id");
    press(&mut app, "Enter Enter");
    assert_eq!(labels(&app)[form(&app).focus()], "Redirect URI");
    let (draft, _) = saved(press(&mut app, "Enter"));
    assert_eq!(draft.get("redirect_uri"), "http://127.0.0.1:8400/callback", "filled in");
}

#[test]
fn a_fault_under_advanced_is_unfolded() {
    let mut app = app();
    press(&mut app, "n");
    for (label, text) in [("Name", "new"), ("Client ID", "id"), ("Token URL", "nonsense")] {
        paste_into(&mut app, label, text);
    }
    while labels(&app)[form(&app).focus()] != "Advanced" {
        press(&mut app, "S-Tab");
    }
    press(&mut app, "Left");
    assert!(!labels(&app).contains(&"Token URL"));
    assert_eq!(press(&mut app, "C-s"), NOTHING);
    assert_eq!(labels(&app)[form(&app).focus()], "Token URL");
}

#[test]
fn advanced_says_what_is_set_there() {
    let mut app = app();
    press(&mut app, "n");
    paste_into(&mut app, "Title", "Werk");
    let fold = |line| match line {
        FormLine::Row { value: FormValue::Fold(text, _), .. } => Some(text),
        _ => None,
    };
    let text = form_lines(form(&app), 60).0.into_iter().find_map(fold).unwrap();
    assert_eq!(text, "set: Title");
}

#[test]
fn what_could_not_be_saved_comes_back_to_its_row_and_what_was_is_selected() {
    let mut app = app();
    press(&mut app, "e");
    paste_into(&mut app, "Client ID", "other");
    saved(press(&mut app, "C-s"));
    let fault = FieldFault { key: "client_id", what: "is another person's".into() };
    learn(&mut app, Event::Host(HostEvent::ConnectionSaved { connection: "factory".into(), result: Err(vec![fault]) }));
    assert_eq!(faults(&app), "is another person's");
    write(&mut app, "2");
    saved(press(&mut app, "C-s"));
    let of_all = FieldFault::of_all("the disk is full");
    learn(
        &mut app,
        Event::Host(HostEvent::ConnectionSaved { connection: "factory".into(), result: Err(vec![of_all]) }),
    );
    assert_eq!(form(&app).message(), (false, "the disk is full".into()));
    saved(press(&mut app, "C-s"));
    learn(&mut app, Event::Host(HostEvent::ConnectionSaved { connection: "factory".into(), result: Ok(()) }));
    assert_eq!((message_text(&app), app.screens.top()), ("saved", &Screen::Main));
}

#[test]
fn a_new_connection_is_selected_as_soon_as_it_appears() {
    let mut app = app();
    press(&mut app, "n Right");
    paste_into(&mut app, "Name", "new");
    paste_into(&mut app, "Client ID", "tm_2");
    saved(press(&mut app, "C-s"));
    learn(&mut app, Event::Host(HostEvent::ConnectionSaved { connection: "new".into(), result: Ok(()) }));
    assert_eq!((selected(&app), app.screens.top()), ("factory", &Screen::Main));
    change(&mut app, fresh("new"));
    assert_eq!((selected(&app), message_text(&app)), ("new", "saved; l logs in"));
    learn(&mut app, EventKind::ClientSecretSet { result: Ok(()) }.of(name("new")));
    assert_eq!(message_text(&app), "client secret stored; l logs in", "the next step stays");
    learn(&mut app, EventKind::ClientSecretSet { result: Ok(()) }.of(name("factory")));
    assert_eq!(message_text(&app), "client secret stored", "factory has tokens");
}

#[test]
fn a_refresh_token_is_hidden_and_handed_over_with_the_client_secret() {
    let mut app = app();
    press(&mut app, "n");
    for (label, text) in [("Name", "new"), ("Client ID", "id"), ("Redirect URI", "http://127.0.0.1:8400/callback")] {
        paste_into(&mut app, label, text);
    }
    paste_into(&mut app, "Refresh token", "Rt-s3cr3t-s3cr3t\n");
    let shown = format!("{:?} {:?}", form_lines(form(&app), 60).0, *app.screens.top());
    assert!(!shown.contains("s3cr3t") && shown.contains("••••••••••••••••"), "{shown}");
    assert_eq!(taken_over(press(&mut app, "C-s")), Some(Secret::new("Rt-s3cr3t-s3cr3t")));
}

#[test]
fn an_answer_of_several_lines_is_pasted_into_the_refresh_token_s_row_as_one() {
    let mut app = app();
    press(&mut app, "n");
    for (label, text) in [("Name", "new"), ("Client ID", "id"), ("Redirect URI", "http://127.0.0.1:8400/callback")] {
        paste_into(&mut app, label, text);
    }
    paste_into(&mut app, "Refresh token", "{\r\n  \"refresh_token\": \"Rt-1\",\r\n  \"expires_in\": 1799\r\n}\r\n");
    let token = taken_over(press(&mut app, "C-s")).unwrap();
    assert_eq!(crate::oauth::pasted::refresh_token(&token), Ok(Secret::new("Rt-1")));
}

#[test]
fn only_connections_with_refresh_tokens_have_the_row_and_what_was_typed_there_stays_behind() {
    let mut app = app();
    press(&mut app, "n");
    paste_into(&mut app, "Refresh token", "Rt-1");
    while labels(&app)[form(&app).focus()] != "Provider" {
        press(&mut app, "S-Tab");
    }
    press(&mut app, "Right");
    assert!(!labels(&app).contains(&"Refresh token"), "{:?}", labels(&app));
    paste_into(&mut app, "Name", "new");
    paste_into(&mut app, "Client ID", "tm_2");
    assert_eq!(taken_over(press(&mut app, "C-s")), None);
}

#[test]
fn tokens_that_work_are_replaced_only_after_saving_twice() {
    let mut app = app();
    press(&mut app, "e");
    paste_into(&mut app, "Refresh token", "Rt-1");
    assert_eq!(press(&mut app, "C-s"), NOTHING);
    assert_eq!(form(&app).message(), (false, "Replaces the present tokens. Save again to confirm".into()));
    write(&mut app, "2");
    assert_eq!(form(&app).message(), (true, String::new()), "another token is another question");
    assert_eq!(press(&mut app, "C-s"), NOTHING);
    assert_eq!(taken_over(press(&mut app, "C-s")), Some(Secret::new("Rt-12")));
}

#[test]
fn tokens_that_are_dead_are_replaced_at_once() {
    let mut app = app();
    let dead = Problem::NeedsLogin { why: "400 invalid_grant".into() };
    change(&mut app, with_problem(manu("factory", 60), dead));
    press(&mut app, "e");
    paste_into(&mut app, "Refresh token", "Rt-1");
    assert_eq!(taken_over(press(&mut app, "C-s")), Some(Secret::new("Rt-1")));
}

#[test]
fn a_typed_refresh_token_is_not_thrown_away_by_one_escape() {
    let mut app = app();
    press(&mut app, "e");
    paste_into(&mut app, "Refresh token", "Rt-1");
    press(&mut app, "Esc");
    assert!(matches!(*app.screens.top(), Screen::Form(_)));
    press(&mut app, "Esc");
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn how_an_import_ended_is_said_and_a_failure_stays_until_it_is_read() {
    let mut app = app();
    let imported = |replaced| EventKind::Imported { generation: 1, expires_at: now(), replaced }.of(name("factory"));
    learn(&mut app, imported(true));
    assert_eq!(message_text(&app), "refresh token taken over; the pasted copy no longer works");
    learn(&mut app, imported(false));
    assert!(message_text(&app).ends_with("still works"), "{}", message_text(&app));
    let why = "the provider does not take this refresh token".into();
    learn(&mut app, EventKind::ImportFailed { why, problem: None }.of(name("factory")));
    assert!(matches!(app.screens.top(), Screen::LoginFailed { is_import: true, .. }), "{:?}", *app.screens.top());
    assert_eq!(press(&mut app, "l"), [Command::Login { connection: name("factory") }]);
}
