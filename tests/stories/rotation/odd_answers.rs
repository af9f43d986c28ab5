//! 429, 5xx, HTML, a slow drip, an oversized body, a redirect: the token is kept, time and memory
//! are bounded, secrets never follow a redirect; and whatever holds a token pair is rescued.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::demo::{DemoFault, RateLimit, Reply};
use manutop::domain::{CopyWhat, Event, EventKind, Problem};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::login::assert_newest_is_stored;
use crate::support::rig::Rig;

#[tokio::test]
async fn a_5xx_before_the_request_was_taken_keeps_everything_and_is_tried_again() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().push_fault(DemoFault::unavailable(1));
    rig.servers.manu().push_fault(DemoFault::status(500, r#"{"error":"server_error"}"#));
    let mut running = rig.start(true);
    let view =
        running.until_view(&factory, |view| matches!(view.problem, Some(Problem::Retrying { at: Some(_), .. }))).await;
    assert_eq!(view.token().unwrap().generation, 1);
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_429_holds_back_the_schedule_and_the_unforced_key() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let limited = Reply::Status { code: 429, body: "{}".into(), retry_after: Some("7200".into()) };
    rig.servers.manu().push_fault(DemoFault::Instead(limited));
    let mut running = rig.start(true);
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::RateLimited { .. }))).await;
    let Some(Problem::RateLimited { until }) = view.problem else { unreachable!("just looked") };
    assert!(until - view.last.unwrap().at >= TimeDelta::seconds(7190));
    rig.schedule_looks(&running, TimeDelta::hours(1)).await;
    let problem = running.engine.refresh(&factory, false).await.unwrap_err();
    assert!(matches!(problem, Problem::RateLimited { .. }), "{problem:?}");
    assert_eq!(rig.refresh_posts(), 1);
    rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
}

#[tokio::test]
async fn a_429_stops_no_forced_key_one_key_one_exchange() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let limited = Reply::Status { code: 429, body: "{}".into(), retry_after: Some("3600".into()) };
    rig.servers.manu().push_fault(DemoFault::Instead(limited));
    let running = rig.start(false);
    running.engine.views().await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::RateLimited { .. }), "{problem:?}");
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn a_429_for_a_mint_leaves_the_token_there_in_use() {
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
async fn a_token_pair_is_rescued_from_every_odd_answer() {
    for rewrite in [
        |answer: serde_json::Value| format!("\u{feff}{answer} trailing"),
        |answer: serde_json::Value| format!(r#"{{"ok":true,"data":{answer}}}"#),
        |answer: serde_json::Value| {
            // The whole key: a random token may hold a 90 of its own.
            answer.to_string().replace("\"expires_in\":90", "\"expires_in\":\"90\"").replace("token_type", "type")
        },
        |answer: serde_json::Value| answer.to_string().trim_end_matches('}').to_owned(),
        |answer: serde_json::Value| answer.to_string().replacen('{', r#"{"refresh_token":"x","#, 1),
    ] {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.servers.manu().push_fault(DemoFault::Rewrite(rewrite));
        let running = rig.start(false);
        running.engine.views().await;
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
        assert_newest_is_stored(&rig, &factory, 2).await;
    }
}

#[tokio::test]
async fn a_slow_drip_is_waited_for() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::Drip { bytes: 8, every: Duration::from_millis(20) });
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
#[ignore = "takes a minute; scripts/test runs it"]
async fn a_drip_that_does_not_end_is_cut_off_after_a_minute_and_what_came_of_it_is_rescued() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    // The refresh token's last byte comes after 50 s, the rest of the answer would take another 14.
    let tokens = first.access_token.expose().len() + first.refresh_token.unwrap().token.expose().len();
    let until_rescued = r#"{"access_token":"","expires_in":90,"refresh_token":"""#.len() + tokens;
    let every = Duration::from_secs(50) / u32::try_from(until_rescued).unwrap();
    rig.servers.manu().push_fault(DemoFault::Drip { bytes: 1, every });
    let running = rig.start(false);
    running.engine.views().await;
    let began = Instant::now();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert!((58..=75).contains(&began.elapsed().as_secs()), "bounded: {:?}", began.elapsed());
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn an_oversized_body_is_cut_off_and_said_to_be_lost() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::Afterwards(Reply::Oversized(1 << 30)));
    let mut running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::AnswerLost { .. }), "{problem:?}");
    let size =
        running.until(|event| if let Event::RequestLogged(entry) = event { Some(entry.size) } else { None }).await;
    assert_eq!(size, 1 << 20, "1 MiB of 1 GiB was read");
}

/// In another process, whose memory is its own.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_oversized_body_costs_no_more_memory_than_is_read_of_it() {
    use super::process::{Process, Role, part};
    use crate::support::again::this_test;

    if let Some(part) = part() {
        return part.play().await;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut process = Process::start(&rig, Role::Command, this_test!());
    process.say("refresh");
    process.until("refreshed 2");
    let before = peak_memory(process.id());
    rig.servers.manu().push_fault(DemoFault::Instead(Reply::Oversized(1 << 30)));
    process.say("refresh");
    process.until("failed answer lost");
    let grown = peak_memory(process.id()) - before;
    assert!(grown < 16 * 1024, "by {grown} KiB");
}

/// The most memory a process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn secrets_never_follow_a_redirect() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/", elsewhere.local_addr().unwrap());
    rig.servers.manu().push_fault(DemoFault::Instead(Reply::Redirect(target)));
    let running = rig.start(false);
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Retrying { .. }), "a proxy sent it, which passes: {problem:?}");
    let visited = tokio::time::timeout(Duration::from_millis(300), elsewhere.accept()).await;
    assert!(visited.is_err(), "the redirect was followed");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, Some(record));
}

fn without_access_token(mut answer: serde_json::Value) -> String {
    answer.as_object_mut().unwrap().remove("access_token");
    answer.to_string()
}

/// The answer had a refresh token alone; it is saved and sent at once, and that fails.
#[tokio::test]
async fn what_was_saved_is_what_is_shown_though_the_request_after_it_fails() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::Rewrite(without_access_token));
    rig.servers.manu().push_fault(DemoFault::status(500, r#"{"error":"server_error"}"#));
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    let view = running.view(&factory).await;
    assert_eq!(view.token().unwrap().generation, 2);
    assert!(matches!(view.problem, Some(Problem::Retrying { .. })), "{:?}", view.problem);
    let stored = rig.vault().read(&factory).await.unwrap().record.unwrap();
    let shown = running.engine.reveal(&factory, CopyWhat::RefreshToken).await.unwrap();
    assert_eq!(Some(shown), stored.refresh_token.map(|refresh| refresh.token));
}
