//! Two processes refresh the same connection at once: one request goes out, the other process
//! adopts its result, and no old token is ever sent.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Author, EventKind, Program};
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::login::assert_newest_is_stored;
use crate::support::rig::Rig;

#[tokio::test]
async fn of_two_engines_on_one_store_one_sends_and_the_other_adopts() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(300)));
    let (one, other) = (rig.start(false), rig.start(false));
    tokio::join!(one.engine.views(), other.engine.views());
    let (first, second) = tokio::join!(one.engine.refresh(&factory, true), other.engine.refresh(&factory, true));
    let mut results = [first.unwrap(), second.unwrap()];
    results.sort_by_key(|result| matches!(result, Refreshed::Adopted(..)));
    let by = Author { program: Some(Program::Command), pid: std::process::id() };
    assert_eq!(results, [Refreshed::Obtained(2), Refreshed::Adopted(2, Some(by))]);
    let tokens = tokio::join!(
        one.engine.access_token(&factory, Duration::from_secs(60)),
        other.engine.access_token(&factory, Duration::from_secs(60))
    );
    assert_eq!(tokens.0.unwrap(), tokens.1.unwrap());
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}

#[tokio::test]
async fn five_engines_that_find_it_due_send_one_request() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    let mut all: Vec<_> = (0..5).map(|_| rig.start(true)).collect();
    for running in &mut all {
        running.until_view(&factory, |view| view.token().is_some_and(|token| token.generation == 2)).await;
    }
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}

#[tokio::test]
async fn a_running_engine_takes_over_what_another_process_has_refreshed() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut dashboard = rig.start(true);
    dashboard.engine.views().await;
    let script = rig.start(false);
    script.engine.views().await;
    assert_eq!(script.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    dashboard.until(|event| matches!(event.kind(), Some(EventKind::Adopted { generation: 2, .. })).then_some(())).await;
    assert_eq!(dashboard.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)), "from the newest");
    assert_newest_is_stored(&rig, &factory, 3).await;
}

/// Real processes, real keyring.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn of_four_programs_on_one_keyring_one_sends_and_the_others_adopt() {
    use super::program::{Program, said};
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::seconds(80)).await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(1500)));
    let program = Program::install(&rig);
    let first = program.start(&["refresh", "factory"]);
    rig.until_refresh_posts(1).await;
    let others: Vec<_> = (0..3).map(|_| program.start(&["token", "factory"])).collect();
    let pid = first.id();
    let (out, err, code) = said(first.wait_with_output().unwrap());
    assert_eq!((out.as_str(), code), ("factory: refreshed, generation 2\n", Some(0)), "{err}");
    let line: serde_json::Value = serde_json::from_str(&program.line(&factory)).unwrap();
    for other in others {
        let (out, err, code) = said(other.wait_with_output().unwrap());
        assert_eq!((out.trim_end(), code), (line["access_token"].as_str().unwrap(), Some(0)), "{err}");
        assert!(err.contains(&format!("factory: waiting for process {pid}")), "{err}");
    }
    program.assert_newest_is_stored(&factory, 2);
    assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
}
