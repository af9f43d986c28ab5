//! `invalid_client`: the connection is misconfigured and says so; its tokens are kept, and the
//! provider is asked again only slowly, or when a person asks.

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Command, ConnectionEvent, Event, EventKind, Problem, Secret};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::rig::{Rig, SECRET};

#[tokio::test]
async fn a_refused_client_is_misconfigured_and_keeps_its_tokens() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().delete_client("app-factory");
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(
        matches!(&problem, Problem::Misconfigured { why, refused: true } if why.to_string().contains("invalid_client")),
        "{problem:?}"
    );
    let standing = rig.vault().read(&factory).await.unwrap();
    assert_eq!((standing.record, standing.hazard), (Some(record), None));
}

#[tokio::test]
async fn the_provider_is_asked_again_slowly_on_a_service_reload_and_when_a_person_asks() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().delete_client("app-factory");
    let mut running = rig.start(true);
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::Misconfigured { .. }))).await;
    assert_eq!(view.token().unwrap().generation, 1);
    rig.schedule_looks(&running, TimeDelta::minutes(50)).await;
    assert_eq!(rig.refresh_posts(), 1);
    rig.schedule_looks(&running, TimeDelta::minutes(11)).await;
    rig.until_refresh_posts(2).await;
    let refused = running.engine.refresh(&factory, true).await;
    assert!(matches!(refused, Err(Problem::Misconfigured { .. })), "{refused:?}");
    rig.servers.manu().register_client("app-factory", &Secret::new(SECRET), &[REDIRECT]);
    running.engine.send(Command::AskAgain);
    let is_it = |event: &Event| matches!(event, Event::Connection(ConnectionEvent { connection, kind: EventKind::Refreshed { .. } }) if *connection == factory);
    running.until(|event| is_it(event).then_some(())).await;
    assert_eq!(running.view(&factory).await.problem, None);
}

#[tokio::test]
async fn every_process_knows_it_now_and_after_a_restart_until_the_client_secret_changes() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let beside = rig.start(false);
    beside.engine.views().await;
    rig.servers.manu().register_client("app-factory", &Secret::new("another secret"), &[REDIRECT]);
    let mut running = rig.start(true);
    running.until_view(&factory, |view| matches!(view.problem, Some(Problem::Misconfigured { .. }))).await;
    for other in [&beside, &rig.start(false)] {
        let problem = other.engine.refresh(&factory, false).await.unwrap_err();
        assert!(matches!(problem, Problem::Misconfigured { .. }), "{problem:?}");
    }
    assert_eq!(rig.refresh_posts(), 1, "no other process asks");
    rig.vault().set_client_secret(&factory, &Secret::new("another secret")).await.unwrap();
    let restarted = rig.start(false);
    assert_eq!(restarted.view(&factory).await.problem, None, "void with the secret");
    assert_eq!(restarted.engine.refresh(&factory, false).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn another_client_id_or_token_endpoint_makes_a_refusal_void() {
    for change in ["client_id", "token_url"] {
        let mut rig = Rig::new();
        let hr = rig.manus("hr").await;
        rig.servers.manus().delete_client("tm_hr");
        let running = rig.start(false);
        let problem = running.engine.refresh(&hr, false).await.unwrap_err();
        assert!(matches!(problem, Problem::Misconfigured { .. }), "{problem:?}");
        assert!(matches!(rig.start(false).view(&hr).await.problem, Some(Problem::Misconfigured { .. })), "{change}");
        match change {
            "client_id" => rig.connections[0].client_id = "tm_other".into(),
            _ => rig.connections[0].token_url.set_query(Some("tenant=7")),
        }
        let changed = rig.start(false);
        assert_eq!(changed.view(&hr).await.problem, None, "{change}");
        let posts = || rig.servers.manus().stats().token_posts.total();
        let before = posts();
        let _ = changed.engine.refresh(&hr, false).await;
        assert_eq!(posts(), before + 1, "{change}");
    }
}

#[tokio::test]
async fn a_refusal_is_lasting_only_with_an_oauth_error_wherever_it_stands() {
    let lasting = [
        (401, r#"{"error":"invalid_client"}"#),
        (200, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (403, r#"{"Error":"UnauthorizedClient"}"#),
        (400, r#"{"error":"unsupported_grant_type"}"#),
        (400, r#"{"code":"INVALID_GRANT_TYPE","message":"no"}"#),
        (400, r#"{"errors":[{"code":"INVALID-SCOPE"}]}"#),
        (400, "error=invalid_client"),
        (400, r#"{"error":"invalid_request"}"#),
    ];
    for (code, body) in lasting {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        let record = rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.servers.manu().push_fault(DemoFault::status(code, body));
        let running = rig.start(false);
        let problem = running.engine.refresh(&factory, true).await.unwrap_err();
        let Problem::Misconfigured { why, refused: true } = &problem else { panic!("{code} {body}: {problem:?}") };
        assert_eq!(why.to_string().contains("log in"), body.contains("invalid_request"), "{why}");
        let standing = rig.vault().read(&factory).await.unwrap();
        assert_eq!((standing.record, standing.hazard), (Some(record), None), "{code} {body}");
    }
}
