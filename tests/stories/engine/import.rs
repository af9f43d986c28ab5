//! Taking over a refresh token of another program, through the real engine, against a server that
//! revokes a login when a replaced token is used.

use std::time::Duration;

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{
    Command, ConnectionEvent, ConnectionName, Event, EventKind, Exchange, Holding, LogEntry, Obtained, Problem, Secret,
};
use manutop::engine::Refreshed;
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::Call;

use crate::support::login::{LOOPBACK, assert_newest_is_stored};
use crate::support::rig::{Rig, Running, SECRET};
use crate::support::stage::{Person, Stage};

/// A rig with one connection and no tokens.
async fn rig() -> (Rig, ConnectionName) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    (rig, factory)
}

/// A refresh token as another program holds it.
fn elsewhere(rig: &Rig) -> Secret {
    rig.servers.manu().issue("app-factory", "API_ALL").refresh_token.unwrap()
}

async fn start(rig: &Rig) -> Running {
    let running = rig.start(false);
    running.engine.views().await;
    running
}

/// How an import ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Imported { generation: u64, replaced: bool },
    Failed { why: String, problem: Option<Problem> },
}

async fn import(running: &mut Running, connection: &ConnectionName, text: &str) -> End {
    running.engine.send(Command::Import { connection: connection.clone(), refresh_token: Secret::new(text) });
    end(running).await
}

async fn end(running: &mut Running) -> End {
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::Imported { generation, replaced, .. }, .. }) => {
                Some(End::Imported { generation: *generation, replaced: *replaced })
            }
            Event::Connection(ConnectionEvent { kind: EventKind::ImportFailed { why, problem }, .. }) => {
                Some(End::Failed { why: why.to_string(), problem: problem.clone() })
            }
            _ => None,
        })
        .await
}

async fn failure(running: &mut Running, connection: &ConnectionName, text: &str) -> (String, Option<Problem>) {
    match import(running, connection, text).await {
        End::Failed { why, problem } => (why, problem),
        end @ End::Imported { .. } => panic!("{end:?}"),
    }
}

/// The status that the server answers when a refresh token is used elsewhere.
async fn use_elsewhere(rig: &Rig, token: &Secret) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose());
    form.append_pair("client_id", "app-factory").append_pair("client_secret", SECRET);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = client.post(rig.servers.manu().token_url()).body(form.finish());
    let post = post.header("content-type", "application/x-www-form-urlencoded");
    post.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_imported_token_is_replaced_at_once_and_the_pasted_copy_is_void() {
    let (rig, factory) = rig().await;
    let pasted = elsewhere(&rig);
    let mut running = start(&rig).await;
    let imported = import(&mut running, &factory, pasted.expose()).await;
    assert_eq!(imported, End::Imported { generation: 1, replaced: true });
    assert_newest_is_stored(&rig, &factory, 1).await;
    let view = running.view(&factory).await;
    assert!(view.problem.is_none() && view.token().is_some(), "{view:?}");
    let history = rig.vault().history(&factory).await.unwrap();
    assert_eq!(history.iter().map(|one| (one.generation, one.how)).collect::<Vec<_>>(), [(1, Obtained::Import)]);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
    assert_eq!(use_elsewhere(&rig, &pasted).await, 400);
    assert_eq!(rig.servers.manu().stats().reuses_detected, 1);
}

#[tokio::test]
async fn a_damaged_journal_does_not_stop_an_import_and_its_generation_is_not_used_again() {
    for damage in ["", "garbage", "{\"version\":1,\"state\":\"received\",\"generation\":7}"] {
        let (rig, factory) = rig().await;
        rig.logged_in(&factory, TimeDelta::zero()).await;
        std::fs::write(rig.dir.path().join("journals/factory.json"), damage).unwrap();
        let mut running = start(&rig).await;
        let End::Imported { generation, replaced: true } =
            import(&mut running, &factory, elsewhere(&rig).expose()).await
        else {
            panic!("{damage}: not imported")
        };
        assert!(generation > 1, "{damage}: {generation}");
        assert_newest_is_stored(&rig, &factory, generation).await;
        assert_eq!(running.view(&factory).await.problem, None, "{damage}");
    }
}

#[tokio::test]
async fn the_exchange_is_logged_and_nothing_of_the_pasted_token_is_readable_anywhere() {
    let (rig, factory) = rig().await;
    let mut running = start(&rig).await;
    let (good, dead) = (elsewhere(&rig), elsewhere(&rig));
    rig.servers.manu().revoke(&dead);
    let mut events = Vec::new();
    for token in [&dead, &good] {
        let command = Command::Import { connection: factory.clone(), refresh_token: token.clone() };
        assert!(!format!("{command:?}").contains(token.expose()));
        running.engine.send(command);
        let ended =
            |event: &Event| matches!(event.kind(), Some(EventKind::Imported { .. } | EventKind::ImportFailed { .. }));
        running
            .until(|event| {
                events.push(event.clone());
                ended(event).then_some(())
            })
            .await;
    }
    running.engine.shutdown().await;
    let logged: Vec<&LogEntry> = events
        .iter()
        .filter_map(|event| if let Event::RequestLogged(entry) = event { Some(&**entry) } else { None })
        .collect();
    assert_eq!(logged.len(), 2);
    assert!(logged.iter().all(|entry| entry.exchange == Exchange::Refresh && entry.path == "/oauth/token"));
    assert_eq!(logged[0].oauth_error.as_deref(), Some("invalid_grant"));
    let mut written = format!("{events:?} {}", serde_json::to_string(&logged).unwrap());
    for dir in ["journals", "history"] {
        for file in std::fs::read_dir(rig.dir.path().join(dir)).unwrap() {
            written += &std::fs::read_to_string(file.unwrap().path()).unwrap();
        }
    }
    for secret in [good.expose(), dead.expose(), SECRET] {
        // Any piece of it is as bad as all of it.
        for piece in secret.as_bytes().windows(12) {
            assert!(!written.contains(std::str::from_utf8(piece).unwrap()), "{written}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_taken_leaves_everything_as_it_was() {
    let (mut rig, factory) = rig().await;
    rig.manu("warehouse", LOOPBACK).await;
    let held = rig.logged_in(&factory, TimeDelta::zero()).await;
    let revoked = elsewhere(&rig);
    rig.servers.manu().revoke(&revoked);
    let foreign = rig.servers.manu().issue("app-warehouse", "API_ALL").refresh_token.unwrap();
    let access = rig.servers.manu().issue("app-warehouse", "API_ALL").access_token;
    let mut running = start(&rig).await;
    let before = running.view(&factory).await;
    for wrong in [revoked.expose(), foreign.expose(), access.expose(), "never-issued"] {
        let (why, problem) = failure(&mut running, &factory, wrong).await;
        assert!(why.starts_with("the provider does not take this refresh token: 400 invalid_grant: "), "{why}");
        assert!(why.ends_with("; it may have been replaced already; copy the newest one, or log in"), "{why}");
        assert!(matches!(problem, Some(Problem::NeedsLogin { .. })), "{problem:?}");
        let standing = rig.vault().read(&factory).await.unwrap();
        assert_eq!((standing.record.as_ref(), standing.hazard), (Some(&held), None));
        assert_eq!(rig.journal_state(&factory), "settled");
        let view = running.view(&factory).await;
        assert_eq!((&view.holding, &view.problem), (&before.holding, &before.problem));
    }
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn an_import_replaces_the_existing_tokens_whatever_their_problem() {
    let (rig, factory) = rig().await;
    let held = rig.logged_in(&factory, TimeDelta::zero()).await;
    // Its refresh token was sent by a process that died.
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&held).await.unwrap();
    let mut running = start(&rig).await;
    let imported = import(&mut running, &factory, elsewhere(&rig).expose()).await;
    assert_eq!(imported, End::Imported { generation: 2, replaced: true });
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(running.view(&factory).await.problem, None);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_provider_that_does_not_replace_it_leaves_the_pasted_token_in_force() {
    for fault in [
        DemoFault::Rewrite(|mut answer| {
            answer.as_object_mut().unwrap().remove("refresh_token");
            answer.to_string()
        }),
        DemoFault::Rewrite(|mut answer| {
            answer["refresh_token"] = "".into();
            answer.to_string()
        }),
        DemoFault::Rewrite(|mut answer| {
            answer["refresh_token"] = "Rt-kept".into();
            answer.to_string()
        }),
    ] {
        let (rig, factory) = rig().await;
        rig.servers.manu().push_fault(fault.clone());
        let mut running = start(&rig).await;
        // The last of them echoes what was sent; the server must know it as well.
        let echoes =
            matches!(&fault, DemoFault::Rewrite(rewrite) if rewrite(serde_json::json!({})).contains("Rt-kept"));
        let pasted = if echoes { Secret::new("Rt-kept") } else { elsewhere(&rig) };
        if echoes {
            rig.servers.manu().clear_faults();
            let body = r#"{"access_token":"A","token_type":"bearer","expires_in":1799,"refresh_token":"Rt-kept"}"#;
            rig.servers.manu().push_fault(DemoFault::Instead(Reply::Body(body.into())));
        }
        let imported = import(&mut running, &factory, pasted.expose()).await;
        assert_eq!(imported, End::Imported { generation: 1, replaced: false });
        let record = rig.vault().read(&factory).await.unwrap().record.unwrap();
        assert_eq!(record.refresh_token.unwrap().token, pasted);
        // It is held now; that is no reason to send it outside a refresh.
        let (why, _) = failure(&mut running, &factory, pasted.expose()).await;
        assert_eq!(why, "it holds this refresh token already; nothing was sent");
    }
}

#[tokio::test]
async fn an_answer_without_an_access_token_is_saved_and_the_next_refresh_gets_one() {
    let (rig, factory) = rig().await;
    rig.servers.manu().push_fault(DemoFault::Rewrite(|mut answer| {
        answer.as_object_mut().unwrap().remove("access_token");
        answer.to_string()
    }));
    let mut running = start(&rig).await;
    let imported = import(&mut running, &factory, elsewhere(&rig).expose()).await;
    assert_eq!(imported, End::Imported { generation: 1, replaced: true });
    assert_newest_is_stored(&rig, &factory, 1).await;
    assert_eq!(running.engine.refresh(&factory, false).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn a_lost_answer_stores_nothing_and_says_what_to_do() {
    for fault in [
        DemoFault::lost_answer(),
        DemoFault::Truncated,
        DemoFault::Instead(Reply::Nothing),
        DemoFault::Afterwards(Reply::Html { code: 200 }),
        DemoFault::Instead(Reply::Body(String::new())),
    ] {
        for holds in [false, true] {
            let (rig, factory) = rig().await;
            if holds {
                rig.logged_in(&factory, TimeDelta::zero()).await;
            }
            let which = format!("{fault:?}, tokens: {holds}");
            let before = rig.vault().read(&factory).await.unwrap().record;
            rig.servers.manu().push_fault(fault.clone());
            let mut running = start(&rig).await;
            let (why, problem) = failure(&mut running, &factory, elsewhere(&rig).expose()).await;
            assert!(why.contains("may have replaced the pasted refresh token"), "{which}: {why}");
            assert!(why.ends_with("import it again, and log in if it is refused then"), "{which}: {why}");
            assert!(matches!(problem, Some(Problem::Uncertain { .. })), "{which}: {problem:?}");
            let standing = rig.vault().read(&factory).await.unwrap();
            assert_eq!((standing.record, standing.hazard), (before, None), "{which}");
            if holds {
                // What is held is of another login, and as good as before.
                assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "{which}");
            } else {
                assert_eq!(running.view(&factory).await.holding, Holding::Nothing, "{which}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_the_server_did_not_look_at_can_be_imported_again() {
    for fault in [
        DemoFault::Instead(Reply::Status { code: 429, body: "{}".into(), retry_after: Some("1".into()) }),
        DemoFault::Instead(Reply::Html { code: 403 }),
        DemoFault::status(401, r#"{"error":"invalid_client"}"#),
        DemoFault::status(400, r#"{"error":"invalid_scope"}"#),
        DemoFault::Instead(Reply::Nothing),
    ] {
        let (rig, factory) = rig().await;
        let pasted = elsewhere(&rig);
        rig.servers.manu().push_fault(fault.clone());
        let mut running = start(&rig).await;
        failure(&mut running, &factory, pasted.expose()).await;
        let imported = import(&mut running, &factory, pasted.expose()).await;
        assert_eq!(imported, End::Imported { generation: 1, replaced: true }, "{fault:?}");
        assert_newest_is_stored(&rig, &factory, 1).await;
    }
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_sent() {
    let (rig, factory) = rig().await;
    let pasted = elsewhere(&rig);
    let mut running = start(&rig).await;
    for error in [StoreError::Locked, StoreError::PassphraseNeeded { new: false }] {
        rig.store.fail_always(Some(error));
        failure(&mut running, &factory, pasted.expose()).await;
    }
    rig.store.fail_always(None);
    rig.vault().remove_client_secret(&factory).await.unwrap();
    let (why, problem) = failure(&mut running, &factory, pasted.expose()).await;
    assert_eq!(why, "no client secret; set one with: manutop secret set factory");
    assert!(matches!(problem, Some(Problem::NoClientSecret { .. })), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
    rig.vault().set_client_secret(&factory, &Secret::new(SECRET)).await.unwrap();
    let imported = import(&mut running, &factory, pasted.expose()).await;
    assert_eq!(imported, End::Imported { generation: 1, replaced: true });
}

#[tokio::test]
async fn tokens_that_the_store_did_not_take_are_safe_in_the_journal() {
    let (rig, factory) = rig().await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = start(&rig).await;
    rig.store.fail_next(Call::Set, manutop::secrets::memory::InjectedFault::Error(StoreError::Locked));
    running.engine.send(Command::Import { connection: factory.clone(), refresh_token: elsewhere(&rig) });
    let saved_as = |event: &Event| match event {
        Event::Connection(ConnectionEvent { kind: EventKind::NotSaved { generation, .. }, .. }) => Some(*generation),
        Event::Connection(ConnectionEvent { kind: EventKind::Imported { .. }, .. }) => panic!("it is not saved"),
        _ => None,
    };
    assert_eq!(running.until(saved_as).await, 2);
    assert_eq!(rig.journal_state(&factory), "received");
    drop(running);
    let again = start(&rig).await;
    assert_eq!(again.engine.refresh(&factory, true).await.map(|_| ()), Ok(()));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_copy_that_is_known_to_be_replaced_is_not_sent_a_second_time() {
    let (rig, factory) = rig().await;
    let first = elsewhere(&rig);
    let mut running = start(&rig).await;
    import(&mut running, &factory, first.expose()).await;
    let second = rig.servers.manu().newest_refresh_token("app-factory").unwrap();
    running.engine.refresh(&factory, true).await.unwrap();
    let newest = rig.servers.manu().newest_refresh_token("app-factory").unwrap();
    let posts = rig.refresh_posts();
    for (token, said) in [
        (&first, "was replaced by generation 1 already"),
        (&second, "was replaced by generation 2 already"),
        (&newest, "it holds this refresh token already"),
    ] {
        let (why, problem) = failure(&mut running, &factory, token.expose()).await;
        assert!(why.contains(said) && problem.is_none(), "{why}");
    }
    assert_eq!(rig.refresh_posts(), posts);
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)));
}

#[tokio::test]
async fn a_token_that_another_connection_holds_is_not_taken_from_it() {
    let (mut rig, factory) = rig().await;
    let held = rig.logged_in(&factory, TimeDelta::zero()).await.refresh_token.unwrap().token;
    let other = rig.manu("other", LOOPBACK).await;
    let mut running = start(&rig).await;
    let (why, _) = failure(&mut running, &other, held.expose()).await;
    assert_eq!(why, "factory holds this refresh token; two connections cannot share one");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_in_words() {
    let (mut rig, factory) = rig().await;
    let users = rig.manus("users").await;
    let mut running = start(&rig).await;
    let (why, _) = failure(&mut running, &users, "Rt-1").await;
    assert_eq!(why, "not supported for Manus: it has no refresh tokens; get a token with: manutop login users");
    let (why, _) = failure(&mut running, &crate::support::rig::name("nowhere"), "Rt-1").await;
    assert_eq!(why, "there is no such connection");
    let (why, _) = failure(&mut running, &factory, "two words").await;
    assert_eq!(why, "the refresh token has white space in it; copy the token alone; nothing was sent");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn an_import_waits_for_a_refresh_that_is_out_and_is_newer_than_it() {
    let (rig, factory) = rig().await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    let mut running = start(&rig).await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_refresh_posts(1).await;
    let imported = import(&mut running, &factory, elsewhere(&rig).expose()).await;
    assert_eq!(imported, End::Imported { generation: 3, replaced: true });
    assert_newest_is_stored(&rig, &factory, 3).await;
}

#[tokio::test]
async fn leaving_waits_for_an_import_that_is_out_and_begins_none_that_waits() {
    let (rig, factory) = rig().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    let mut running = start(&rig).await;
    running.engine.send(Command::Import { connection: factory.clone(), refresh_token: elsewhere(&rig) });
    rig.until_refresh_posts(1).await;
    running.engine.shutdown().await;
    assert_eq!(end(&mut running).await, End::Imported { generation: 1, replaced: true });
    assert_newest_is_stored(&rig, &factory, 1).await;

    let mut running = start(&rig).await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_refresh_posts(2).await;
    running.engine.send(Command::Import { connection: factory.clone(), refresh_token: elsewhere(&rig) });
    running.engine.shutdown().await;
    assert!(matches!(end(&mut running).await, End::Failed { problem: Some(Problem::Cancelled), .. }));
    assert_eq!(rig.refresh_posts(), 2);
}

/// Goes to a row of the form and fills it in.
async fn fill_in(person: &Person, label: &str, text: &str) {
    for _ in 0..20 {
        let before = person.screen.text();
        if before.contains(&format!("│ ▸ {label}")) {
            // A likely redirect URI is there already.
            person.press_code(KeyCode::Char('u'), KeyModifiers::CONTROL);
            return person.paste(text);
        }
        let is_folded = before.contains("▸ Advanced       ▸");
        person.press_code(if is_folded { KeyCode::Enter } else { KeyCode::Tab }, KeyModifiers::NONE);
        person.looks("the next row", |screen| screen != before).await;
    }
    panic!("there is no row {label}:\n{}", person.screen.text());
}

fn save(person: &Person) {
    person.press_code(KeyCode::Char('s'), KeyModifiers::CONTROL);
}

#[tokio::test]
async fn a_new_connection_s_form_takes_client_secret_and_refresh_token_and_it_is_live() {
    let (mut rig, factory) = rig().await;
    let connection = rig.connections.pop().unwrap();
    rig.vault().remove_client_secret(&factory).await.unwrap();
    let pasted = elsewhere(&rig);
    let file = rig.dir.path().join("made/by/manutop/config.toml");
    let stage = Stage { config_file: Some(file.clone()), ..Stage::new() };
    let rows = [
        ("Name", "factory".to_owned()),
        ("Client ID", connection.client_id.clone()),
        ("Client secret", SECRET.to_owned()),
        ("Refresh token", format!("{{\r\n  \"refresh_token\": \"{}\"\r\n}}\r\n", pasted.expose())),
        ("Redirect URI", LOOPBACK.to_owned()),
        ("Authorize URL", rig.servers.manu().authorize_url().to_string()),
        ("Token URL", connection.token_url.to_string()),
        ("Test URL", connection.test_url.to_string()),
    ];
    stage
        .play(&rig, async |person| {
            person.sees("add a connection").await;
            person.press("n");
            person.sees("New connection").await;
            for (label, text) in &rows {
                fill_in(&person, label, text).await;
            }
            assert!(!person.screen.text().contains(pasted.expose()));
            save(&person);
            person.sees("refresh token taken over; the pasted copy no longer works").await;
            person.sees("● live").await;
            person.press("q");
        })
        .await;
    assert_newest_is_stored(&rig, &factory, 1).await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(pasted.expose()) && !text.contains(SECRET) && !text.contains("refresh_token"), "{text}");
}

#[tokio::test]
async fn the_edit_form_asks_before_it_replaces_tokens_and_a_refusal_is_shown_until_it_is_read() {
    let (rig, factory) = rig().await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    Stage::new()
        .play(&rig, async |person| {
            person.sees("● live").await;
            person.press("e");
            fill_in(&person, "Refresh token", "two words").await;
            save(&person);
            person.sees("Save again to confirm").await;
            save(&person);
            person.sees("has white space in it").await;
            person.press_code(KeyCode::Char('u'), KeyModifiers::CONTROL);
            person.paste("never-issued");
            save(&person);
            person.sees("Save again to confirm").await;
            save(&person);
            person.sees("Import failed: factory").await;
            person.press_code(KeyCode::Esc, KeyModifiers::NONE);
            person.sees_no_more("Import failed").await;
            person.sees("● live").await;
            person.press("q");
        })
        .await;
    assert_newest_is_stored(&rig, &factory, 1).await;
}
