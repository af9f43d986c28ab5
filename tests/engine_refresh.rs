//! Refreshing, through the real engine, against servers that revoke on reuse.

mod support;

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::{Fault, RateLimit, Reply};
use manutop::domain::{Command, Event, Problem, Secret};
use manutop::engine::Refreshed;
use manutop::store::StoreError;
use support::rig::{Rig, SECRET};

const REDIRECT: &str = "http://127.0.0.1/callback";

#[tokio::test]
async fn a_forced_refresh_replaces_both_tokens_and_saves_them() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    let standing = rig.vault().read(&factory).await.unwrap();
    let record = standing.record.unwrap();
    assert!(standing.saved && standing.hazard.is_none());
    assert_eq!(Some(record.refresh_token.unwrap().token), rig.servers.manu().newest_refresh_token("app-factory"));
    assert_ne!(record.access_token, first.access_token);
}

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
async fn a_hundred_triggers_share_one_exchange() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::DelayBefore(Duration::from_millis(300)));
    let running = rig.start(false);
    running.engine.views().await;
    let all = futures_util::future::join_all((0..100).map(|_| running.engine.refresh(&factory, true))).await;
    assert!(all.iter().all(|result| *result == Ok(Refreshed::Obtained(2))), "{all:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
}

#[tokio::test]
async fn of_two_engines_on_one_store_the_second_adopts() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::DelayBefore(Duration::from_millis(300)));
    let (one, other) = (rig.start(false), rig.start(false));
    tokio::join!(one.engine.views(), other.engine.views());
    let (first, second) = tokio::join!(one.engine.refresh(&factory, true), other.engine.refresh(&factory, true));
    let mut results = [first.unwrap(), second.unwrap()];
    results.sort_by_key(|result| matches!(result, Refreshed::Adopted(_)));
    assert_eq!(results, [Refreshed::Obtained(2), Refreshed::Adopted(2)]);
    let stats = rig.servers.manu().stats();
    assert_eq!((stats.token_posts.refresh_token, stats.reuses_detected), (1, 0));
}

#[tokio::test]
async fn invalid_grant_needs_a_login_and_deletes_nothing() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().revoke(&record.refresh_token.as_ref().unwrap().token);
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(&problem, Problem::NeedsLogin { why } if why.contains("invalid_grant")), "{problem:?}");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, Some(record));
}

#[tokio::test]
async fn a_refused_client_is_misconfigured_and_keeps_its_tokens() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().delete_client("app-factory");
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(&problem, Problem::Misconfigured { why } if why.contains("invalid_client")), "{problem:?}");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, Some(record));
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_nothing_is_sent_again_by_itself() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::lost_answer());
    let running = rig.start(true);
    running.engine.views().await;
    for _ in 0..2 {
        let problem = running.engine.refresh(&factory, false).await;
        assert_eq!(problem, Ok(Refreshed::StillFresh(1)), "not due yet");
    }
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    rig.clock.advance(TimeDelta::seconds(200));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let problem = running.engine.refresh(&factory, false).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
    // A new process knows it from the journal.
    let again = rig.start(false);
    let problem = again.engine.refresh(&factory, false).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
}

#[tokio::test]
async fn a_key_pressed_before_the_token_became_uncertain_sends_nothing_and_the_next_one_does() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(true);
    running.engine.views().await;
    // Another process dies while its answer is out; nobody here has been told.
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&record).await.unwrap();
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "a choice, made knowingly");
}

#[tokio::test]
async fn an_answer_lost_to_this_process_may_be_tried_once_with_one_key() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::Instead(Reply::Nothing));
    let running = rig.start(false);
    running.engine.views().await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn transient_failures_keep_everything_and_are_tried_again() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().push_fault(Fault::status(503, "<h1>down</h1>"));
    rig.servers.manu().push_fault(Fault::Instead(Reply::Html { code: 502 }));
    let mut running = rig.start(true);
    let view =
        running.until_view(&factory, |view| matches!(view.problem, Some(Problem::Retrying { at: Some(_), .. }))).await;
    assert_eq!(view.token().unwrap().generation, 1);
    running.until(|event| matches!(event, Event::Refreshed { generation: 2, .. }).then_some(())).await;
}

#[tokio::test]
async fn retry_after_is_obeyed_by_the_schedule_and_by_the_unforced_key() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let limited = Reply::Status { code: 429, body: "{}".into(), retry_after: Some("3600".into()) };
    rig.servers.manu().push_fault(Fault::Instead(limited));
    let mut running = rig.start(true);
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::RateLimited { .. }))).await;
    let Some(Problem::RateLimited { until }) = view.problem else { unreachable!() };
    assert!(until - view.last.unwrap().at >= TimeDelta::seconds(3590));
    let problem = running.engine.refresh(&factory, false).await.unwrap_err();
    assert!(matches!(problem, Problem::RateLimited { .. }), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "one key, one exchange");
}

#[tokio::test]
async fn no_request_goes_out_while_the_store_is_locked() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.views().await;
    rig.store.fail_always(Some(StoreError::Locked));
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem:?}");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn a_save_that_fails_is_made_good_when_the_store_is_back() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::DelayAfter(Duration::from_millis(500)));
    let mut running = rig.start(true);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    let stats = || rig.servers.manu().stats();
    while stats().rotations == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rig.store.fail_always(Some(StoreError::Locked));
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::NotSaved { .. }))).await;
    assert_eq!(view.token().unwrap().generation, 2, "safe in the journal");
    rig.store.fail_always(None);
    running
        .until_view(&factory, |view| view.problem.is_none() && view.token().is_some_and(|token| token.generation == 2))
        .await;
    let standing = rig.vault().read(&factory).await.unwrap();
    assert!(standing.saved && standing.record.unwrap().generation == 2);
    assert_eq!(stats().token_posts.refresh_token, 1, "nothing was sent for it");
}

#[tokio::test]
async fn automatic_refresh_goes_on_for_generations() {
    let mut rig = Rig::with(|options| options.manu_lifetime = Duration::from_secs(3));
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.until_view(&factory, |view| view.token().is_some_and(|token| token.generation == 4)).await;
    let stats = rig.servers.manu().stats();
    assert!(stats.reuses_detected == 0 && stats.rotations >= 3, "{stats:?}");
}

#[tokio::test]
async fn asleep_past_expiry_means_exactly_one_request_after_waking() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    rig.clock.advance(TimeDelta::hours(9));
    running.until(|event| matches!(event, Event::Refreshed { generation: 2, .. }).then_some(())).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
}

#[tokio::test]
async fn a_clock_that_jumps_either_way_costs_one_request_a_jump_and_no_storm() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    for (jump, generation) in [(1, 2), (-1, 3)] {
        rig.clock.advance(TimeDelta::hours(jump));
        running.until_view(&factory, |view| view.token().is_some_and(|token| token.generation == generation)).await;
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 2);
}

#[tokio::test]
async fn a_running_engine_takes_over_what_another_process_refreshes() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut dashboard = rig.start(true);
    dashboard.engine.views().await;
    let script = rig.start(false);
    script.engine.views().await;
    assert_eq!(script.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    dashboard.until(|event| matches!(event, Event::Adopted { generation: 2, .. }).then_some(())).await;
    assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
}

#[tokio::test]
async fn the_servers_clock_is_compared_with_ours() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    let view = running.until_view(&factory, |view| view.clock_skew.is_some()).await;
    assert!(view.clock_skew.unwrap().num_seconds().abs() <= 2, "{:?}", view.clock_skew);
}

#[tokio::test]
async fn a_minted_token_is_reused_after_a_restart() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let first = rig.start(false);
    let token = first.engine.access_token(&sync, Duration::from_secs(60)).await.unwrap();
    first.engine.shutdown().await;
    let second = rig.start(false);
    assert_eq!(second.engine.access_token(&sync, Duration::from_secs(60)).await, Ok(token));
    assert_eq!(rig.servers.manus().stats().mints, 1);
}

#[tokio::test]
async fn too_many_mints_are_rate_limited_with_a_moment() {
    let mut rig = Rig::with(|options| options.manus_limit = Some(RateLimit::per_minute(1)));
    let sync = rig.manus("hr-sync").await;
    let running = rig.start(false);
    assert_eq!(running.engine.refresh(&sync, true).await, Ok(Refreshed::Obtained(1)));
    let problem = running.engine.refresh(&sync, true).await.unwrap_err();
    assert!(matches!(problem, Problem::RateLimited { .. }), "{problem:?}");
    let unforced = running.engine.access_token(&sync, Duration::from_secs(3600)).await.unwrap_err();
    assert!(matches!(unforced, Problem::RateLimited { .. }), "{unforced:?}");
    assert!(running.engine.access_token(&sync, Duration::from_secs(60)).await.is_ok(), "the one there is good enough");
    assert_eq!(rig.servers.manus().stats().token_posts.client_credentials, 2);
}

#[tokio::test]
async fn a_missing_client_secret_is_named_with_the_command_that_mends_it() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    rig.vault().remove_client_secret(&sync).await.unwrap();
    let running = rig.start(false);
    let problem = running.engine.refresh(&sync, true).await.unwrap_err();
    assert_eq!(problem.to_string(), "no client secret; set one with: manutop secret set hr-sync");
}

#[tokio::test]
async fn secrets_never_follow_a_redirect() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/", elsewhere.local_addr().unwrap());
    rig.servers.manu().push_fault(Fault::Instead(Reply::Redirect(target)));
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Misconfigured { .. }), "{problem:?}");
    let visited = tokio::time::timeout(Duration::from_millis(300), elsewhere.accept()).await;
    assert!(visited.is_err(), "the redirect was followed");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_and_said_to_be_uncertain() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::Afterwards(Reply::Oversized(64 * 1024 * 1024)));
    let mut running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{problem:?}");
    let size =
        running.until(|event| if let Event::RequestLogged(entry) = event { Some(entry.size) } else { None }).await;
    assert_eq!(size, 1024 * 1024);
}

#[tokio::test]
async fn quitting_during_a_refresh_leaves_after_the_save() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(Fault::DelayAfter(Duration::from_millis(700)));
    let running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    while rig.servers.manu().stats().rotations == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.engine.shutdown().await;
    let standing = rig.vault().read(&factory).await.unwrap();
    assert!(standing.saved && standing.hazard.is_none() && standing.record.unwrap().generation == 2);
}

#[tokio::test]
async fn a_hung_store_holds_up_neither_the_exit_nor_the_answer() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.store.hang();
    let running = rig.start(false);
    let started = std::time::Instant::now();
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::StoreUnavailable { .. }), "{problem:?}");
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    running.engine.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(15));
    rig.store.release();
}

#[tokio::test]
async fn the_log_tells_everything_but_secrets() {
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
async fn a_connection_that_lacks_its_client_secret_says_so_before_anybody_logs_in() {
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
        running.until(|event| matches!(event, Event::LoggedOut { .. }).then_some(())).await;
        rig.vault().remove_client_secret(&users).await.unwrap();
    }
}
