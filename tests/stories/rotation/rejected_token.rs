//! The API rejects an access token that seems to live: it is refreshed once, however many ask, and a
//! newer one that exists is handed out instead of a second refresh. The rejected one is never given.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{AfterLostAnswer, Command, ConnectionName, Problem, Secret};
use manutop::engine::{AccessToken, Refreshed};
use manutop::secrets::error::StoreError;

use super::REDIRECT;
use crate::support::login::assert_newest_is_stored;
use crate::support::rig::{Rig, Running};

const MINUTE: Duration = Duration::from_secs(60);

/// Whether a problem is the one that is to be said.
type IsRight = fn(&Problem) -> bool;

/// A rig with one connection whose access token is new, an engine on it, and that token.
async fn rejected() -> (Rig, Running, ConnectionName, Secret) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let token = rig.logged_in(&factory, TimeDelta::zero()).await.access_token;
    let running = rig.start(false);
    running.engine.views().await;
    (rig, running, factory, token)
}

impl Running {
    async fn other_than(&self, connection: &ConnectionName, token: &Secret) -> Result<AccessToken, Problem> {
        self.engine.access_token_other_than(connection, token, MINUTE).await
    }
}

#[tokio::test]
async fn a_token_that_seems_to_live_is_refreshed_once_and_the_newer_one_is_given_from_then_on() {
    let (rig, running, factory, token) = rejected().await;
    let newer = running.other_than(&factory, &token).await.unwrap();
    assert_eq!((newer.generation, newer.token == token), (2, false));
    for running in [&running, &rig.start(false)] {
        assert_eq!(running.other_than(&factory, &token).await.unwrap().token, newer.token);
    }
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}

#[tokio::test]
async fn a_token_that_was_never_ours_leaves_the_present_one_alone() {
    let (rig, running, factory, token) = rejected().await;
    let given = running.other_than(&factory, &Secret::new("of-another-program")).await.unwrap();
    assert_eq!((given.token, rig.refresh_posts()), (token, 0));
}

#[tokio::test]
async fn twenty_engines_with_the_same_rejected_token_send_one_refresh() {
    let (rig, _running, factory, token) = rejected().await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(300)));
    let all: Vec<_> = (0..20).map(|_| rig.start(false)).collect();
    join_all(all.iter().map(|running| running.engine.views())).await;
    let given = join_all(all.iter().map(|running| running.other_than(&factory, &token))).await;
    assert!(given.iter().all(|given| given.as_ref().is_ok_and(|given| given.generation == 2)), "{given:?}");
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}

#[tokio::test]
async fn a_newer_token_that_is_itself_the_rejected_one_is_no_way_out() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let (running, script) = (rig.start(false), rig.start(false));
    tokio::join!(running.engine.views(), script.engine.views());
    assert_eq!(script.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    let newer = script.engine.present_token(&factory).await.unwrap().token;
    assert_eq!(running.other_than(&factory, &newer).await.unwrap().generation, 3);
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (2, 0));
}

#[tokio::test]
async fn a_refresh_that_is_under_way_is_waited_for_and_its_token_is_given() {
    let (rig, running, factory, token) = rejected().await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(300)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_refresh_posts(1).await;
    assert_eq!(running.other_than(&factory, &token).await.unwrap().generation, 2);
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_token_of_client_credentials_is_minted_once() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let token = rig.logged_in(&sync, TimeDelta::zero()).await.access_token;
    rig.servers.manus().revoke(&token);
    let all: Vec<_> = (0..5).map(|_| rig.start(false)).collect();
    join_all(all.iter().map(|running| running.engine.views())).await;
    let given = join_all(all.iter().map(|running| running.other_than(&sync, &token))).await;
    assert!(given.iter().all(|given| given.as_ref().is_ok_and(|given| given.token != token)), "{given:?}");
    assert_eq!(rig.servers.manus().stats().mints, 1);
}

#[tokio::test]
async fn what_prevents_a_refresh_is_reported_and_the_rejected_token_is_kept_back() {
    let is_lost: IsRight = |problem| matches!(problem, Problem::AnswerLost { .. });
    let cases: [(DemoFault, IsRight); 5] = [
        (DemoFault::status(400, r#"{"error":"invalid_grant"}"#), |problem| {
            matches!(problem, Problem::NeedsLogin { .. })
        }),
        (DemoFault::status(401, r#"{"error":"invalid_client"}"#), |problem| {
            matches!(problem, Problem::Misconfigured { .. })
        }),
        (DemoFault::status(429, "{}"), |problem| matches!(problem, Problem::RateLimited { .. })),
        (DemoFault::Instead(Reply::Nothing), is_lost),
        (DemoFault::lost_answer(), is_lost),
    ];
    for (fault, is_right) in cases {
        let which = format!("{fault:?}");
        let (rig, running, factory, token) = rejected().await;
        rig.servers.manu().push_fault(fault);
        for running in [&running, &rig.start(false)] {
            running.engine.views().await;
            let problem = running.other_than(&factory, &token).await.unwrap_err();
            assert!(is_right(&problem), "{which}: {problem:?}");
            assert_eq!(running.engine.access_token(&factory, MINUTE).await.unwrap().token, token, "it is asked for");
        }
        assert_eq!(rig.refresh_posts(), 1, "{which}: the second to ask is given the same answer");
    }
}

#[tokio::test]
async fn where_a_person_decides_about_a_lost_answer_nothing_is_sent() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.connections[0].after_lost_answer = AfterLostAnswer::Ask;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&record).await.unwrap();
    let problem = rig.start(false).other_than(&factory, &record.access_token).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 0);
}

#[tokio::test]
async fn one_that_is_in_the_journal_alone_is_not_given_back() {
    let (rig, running, factory, token) = rejected().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(300)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    rig.store.fail_always(Some(StoreError::Locked));
    let unsaved = running.other_than(&factory, &token).await.unwrap();
    assert!(matches!(unsaved.problem, Some(Problem::NotSaved { durable: true, .. })), "{unsaved:?}");
    let problem = running.other_than(&factory, &unsaved.token).await.unwrap_err();
    assert!(matches!(problem, Problem::NotSaved { .. } | Problem::StoreUnavailable { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 1, "nothing is sent while a token is unsaved");
}

#[tokio::test]
async fn a_provider_that_gives_the_rejected_token_again_is_asked_once() {
    let (rig, running, factory, _) = rejected().await;
    let always_the_same = || {
        DemoFault::Rewrite(|mut answer| {
            answer["access_token"] = "always-the-same".into();
            answer.to_string()
        })
    };
    rig.servers.manu().push_fault(always_the_same());
    running.engine.refresh(&factory, true).await.unwrap();
    rig.servers.manu().push_fault(always_the_same());
    let problem = running.other_than(&factory, &Secret::new("always-the-same")).await.unwrap_err();
    let words = problem.to_string();
    assert_eq!(words, "the provider answered with the rejected access token again");
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (2, 0));
}
