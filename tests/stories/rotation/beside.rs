//! Beside the table: what a refresh must also be, whatever happens around it.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::{Command, Event, EventKind, Problem, Secret};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::rig::{Rig, SECRET};

#[tokio::test]
async fn a_fresh_token_is_left_alone_unless_forced() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, false).await, Ok(Refreshed::StillFresh(1)));
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn a_missing_client_secret_is_named_with_the_command_that_fixes_it() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    rig.vault().remove_client_secret(&sync).await.unwrap();
    let running = rig.start(false);
    let problem = running.engine.refresh(&sync, true).await.unwrap_err();
    assert_eq!(problem.to_string(), "no client secret; set one with: manutop secret set hr-sync");
}

#[tokio::test]
async fn the_log_has_everything_but_secrets() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().revoke(&record.refresh_token.as_ref().unwrap().token);
    let mut running = rig.start(false);
    let _ = running.engine.refresh(&factory, true).await;
    let entry =
        running.until(|event| if let Event::RequestLogged(entry) = event { Some(entry.clone()) } else { None }).await;
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str(), entry.oauth_error.as_deref()),
        ("POST", "/oauth/token", Some("invalid_grant"))
    );
    assert!(entry.header("date").is_some() && entry.attempt == 1);
    let line = serde_json::to_string(&entry).unwrap();
    for secret in [SECRET, record.refresh_token.as_ref().unwrap().token.expose(), record.access_token.expose()] {
        assert!(!line.contains(secret), "{line}");
    }
}

#[tokio::test]
async fn a_connection_that_lacks_its_client_secret_says_so_before_any_login() {
    let mut rig = Rig::new();
    let (factory, users) = (rig.manu("factory", REDIRECT).await, rig.manus("users").await);
    for name in [&factory, &users] {
        rig.vault().remove_client_secret(name).await.unwrap();
    }
    for automatic in [false, true] {
        let mut running = rig.start(automatic);
        for view in running.engine.views().await {
            let lacks = Problem::NoClientSecret { name: view.name.to_string() };
            assert_eq!(view.problem, Some(lacks), "{}", view.name);
        }
        // Setting it is enough: the next try finds it.
        rig.vault().set_client_secret(&users, &Secret::new(SECRET)).await.unwrap();
        running.engine.send(Command::Login { connection: users.clone() });
        running.until_view(&users, |view| view.problem.is_none() && view.token().is_some()).await;
        running.engine.send(Command::Logout { connection: users.clone() });
        running.until(|event| matches!(event.kind(), Some(EventKind::LoggedOut { .. })).then_some(())).await;
        rig.vault().remove_client_secret(&users).await.unwrap();
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_blocks_no_other_and_is_left_untouched() {
    for damaged in ["{\"version\":1,\"torn", "{\"version\":99}"] {
        let mut rig = Rig::new();
        let (broken, factory) = (rig.manu("broken", REDIRECT).await, rig.manu("factory", REDIRECT).await);
        rig.logged_in(&broken, TimeDelta::zero()).await;
        rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.store.put("broken/token", &Secret::new(damaged));
        for automatic in [false, true] {
            let running = rig.start(automatic);
            let views = running.engine.views().await;
            assert!(views[1].problem.is_none() && views[1].token().is_some(), "{:?}", views[1]);
            let problem = running.engine.refresh(&broken, true).await.unwrap_err();
            // A login replaces damage, but never what a newer version wrote.
            match damaged {
                "{\"version\":99}" => {
                    assert!(matches!(problem, Problem::Misconfigured { refused: false, .. }), "{problem:?}");
                }
                _ => assert!(matches!(problem, Problem::NeedsLogin { .. }), "{problem:?}"),
            }
            assert_eq!(running.engine.refresh(&factory, false).await, Ok(Refreshed::StillFresh(1)));
        }
        assert_eq!(rig.store.item("broken/token").unwrap().expose(), damaged);
        assert_eq!(rig.refresh_posts(), 0);
    }
}

/// A look at the journals that comes while the store is being read takes nothing there for news.
#[tokio::test]
async fn what_has_yet_to_be_read_is_not_said_to_be_refreshed_by_another_process() {
    let mut rig = Rig::new();
    for number in 0..200 {
        let connection = rig.manu(&format!("c{number}"), REDIRECT).await;
        rig.logged_in(&connection, TimeDelta::seconds(80)).await;
    }
    let before = rig.start(true);
    rig.until_rotations(200).await;
    before.engine.shutdown().await;
    rig.store.hang();
    let mut running = rig.start(false);
    running.engine.send(Command::TakeOver);
    // The look has come to its end by now, while nothing is read.
    tokio::time::sleep(Duration::from_millis(300)).await;
    rig.store.release();
    running.engine.views().await;
    let adopted: Vec<_> = running
        .announced()
        .into_iter()
        .filter(|event| matches!(event.kind(), Some(EventKind::Adopted { .. })))
        .collect();
    assert_eq!(adopted, []);
}
