//! A login finishes during a refresh: the newer login wins, whichever comes first at the lock, and
//! nothing vanishes silently: every result is reported, every refusal says why.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Activity, Command, ConnectionEvent, Event, EventKind};
use manutop::engine::Refreshed;

use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, logged_in};
use crate::support::rig::{Rig, eventually};

#[tokio::test]
async fn a_login_that_ends_while_a_refresh_is_out_elsewhere_waits_for_it_and_wins() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (mut refreshing, mut running, person) = (rig.start(true), rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    refreshing.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
    refreshing.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    let waiting =
        running.until_view(&factory, |view| matches!(view.activity, Activity::WaitingForLock { pid: Some(_), .. }));
    let (page, _) = tokio::join!(person.visit(&back), waiting);
    assert_eq!(page.0, 200);
    refreshing
        .until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(()))
        .await;
    assert_eq!(logged_in(&mut running).await, 3);
    refreshing
        .until(|event| matches!(event.kind(), Some(EventKind::Adopted { generation: 3, .. })).then_some(()))
        .await;
    assert_newest_is_stored(&rig, &factory, 3).await;
}

#[tokio::test]
async fn a_refresh_that_waits_for_a_login_elsewhere_adopts_its_tokens_and_sends_nothing() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (refreshing, mut running, person) = (rig.start(false), rig.start(false), Person::new());
    refreshing.engine.views().await;
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    rig.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_secs(1)));
    let refreshed = async {
        let posts = || rig.servers.manu().stats().token_posts.authorization_code;
        eventually("the code was sent", || posts() == 1).await;
        refreshing.engine.refresh(&factory, true).await
    };
    let (page, refreshed) = tokio::join!(person.visit(&back), refreshed);
    assert_eq!(page.0, 200);
    assert!(matches!(refreshed, Ok(Refreshed::Adopted(2, Some(_)))), "{refreshed:?}");
    assert_eq!(logged_in(&mut running).await, 2);
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.refresh_posts(), 0);
}

#[tokio::test]
async fn in_one_process_a_login_asked_for_during_a_refresh_is_refused_with_the_reason() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    rig.until_rotations(1).await;
    running.engine.send(Command::Login { connection: factory.clone() });
    let refused = |event: &Event| {
        if let Event::Connection(ConnectionEvent { kind: EventKind::Refused { why }, .. }) = event {
            Some(why.clone())
        } else {
            None
        }
    };
    assert_eq!(running.until(refused).await, "a refresh is under way");
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}
