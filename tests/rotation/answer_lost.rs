//! The answer is lost on the wire, or is a 200 that cannot be read: the connection is uncertain
//! and says so, also after a restart. Nothing is sent again by itself. The person chooses between
//! one try and a new login; both are tested against a server that revokes on reuse.

use chrono::TimeDelta;
use manutop::demo::{Fault, Reply};
use manutop::domain::{Command, ConnectionName, Event, Problem};
use manutop::engine::Refreshed;
use manutop::store::Hazard;

use crate::REDIRECT;
use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, logged_in};
use crate::support::rig::{Rig, Running};

/// A rig whose connection has just met the fault in its first refresh.
async fn met(fault: Fault, redirect: &str) -> (Rig, Running, ConnectionName) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", redirect).await;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(fault);
    let running = rig.start(true);
    running.engine.views().await;
    assert_uncertain(&running.engine.refresh(&factory, true).await);
    (rig, running, factory)
}

fn assert_uncertain(result: &Result<Refreshed, Problem>) {
    assert!(matches!(result, Err(Problem::Uncertain { .. })), "{result:?}");
}

#[tokio::test]
async fn every_way_to_lose_an_answer_is_uncertain_and_keeps_the_old_tokens() {
    for fault in [
        Fault::lost_answer(),
        Fault::Truncated,
        Fault::Afterwards(Reply::Html { code: 200 }),
        Fault::Instead(Reply::Body(String::new())),
        Fault::Instead(Reply::Body(r#"{"token_type":"bearer","expires_in":1799}"#.into())),
        Fault::Rewrite(|answer| answer.to_string().replace("_token\"", "_told\"")),
    ] {
        let which = format!("{fault:?}");
        let (rig, _running, factory) = met(fault, REDIRECT).await;
        let standing = rig.vault().read(&factory).await.unwrap();
        assert_eq!(standing.record.unwrap().generation, 1, "{which}");
        assert!(matches!(standing.hazard, Some(Hazard::Uncertain { generation: 1, .. })), "{which}");
    }
}

#[tokio::test]
async fn nothing_is_sent_again_by_itself_not_even_after_a_restart() {
    let (rig, running, factory) = met(Fault::lost_answer(), REDIRECT).await;
    rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    assert_uncertain(&running.engine.refresh(&factory, false).await);
    running.engine.shutdown().await;
    let mut again = rig.start(true);
    again.until_view(&factory, |view| matches!(view.problem, Some(Problem::Uncertain { .. }))).await;
    rig.schedule_looks(&again, TimeDelta::hours(2)).await;
    assert_uncertain(&again.engine.refresh(&factory, false).await);
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_force_by_whoever_was_not_shown_the_doubt_sends_nothing() {
    let (rig, mut running, factory) = met(Fault::lost_answer(), REDIRECT).await;
    running.engine.send(Command::ForceIfSure { connection: factory.clone() });
    for _of in ["the first refresh", "the forced one"] {
        let told = |event: &Event| matches!(event, Event::RefreshFailed { problem: Problem::Uncertain { .. }, .. });
        running.until(|event| told(event).then_some(())).await;
    }
    assert_eq!(rig.refresh_posts(), 1);
    // Whoever has seen it may choose to.
    running.engine.send(Command::Refresh { connection: factory, force: true });
    running.until(|event| matches!(event, Event::RefreshFailed { .. }).then_some(())).await;
    assert_eq!(rig.refresh_posts(), 2);
}

#[tokio::test]
async fn a_force_of_what_is_sure_is_an_exchange() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::ForceIfSure { connection: factory.clone() });
    running.until(|event| matches!(event, Event::Refreshed { generation: 2, .. }).then_some(())).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn one_try_works_where_the_server_had_not_replaced_the_token() {
    let (rig, running, factory) = met(Fault::Instead(Reply::Nothing), REDIRECT).await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(running.view(&factory).await.problem, None);
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn one_try_says_that_a_login_is_needed_where_the_server_had_replaced_it() {
    let (rig, running, factory) = met(Fault::lost_answer(), REDIRECT).await;
    let result = running.engine.refresh(&factory, true).await;
    assert!(matches!(result, Err(Problem::NeedsLogin { .. })), "{result:?}");
    assert_eq!(rig.refresh_posts(), 2, "the one lost and the one try");
    rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    assert_eq!(rig.refresh_posts(), 2);
}

#[tokio::test]
async fn a_new_login_heals_it_without_a_try() {
    let (rig, mut running, factory) = met(Fault::lost_answer(), LOOPBACK).await;
    let person = Person::new();
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    let generation = logged_in(&mut running).await;
    assert_newest_is_stored(&rig, &factory, generation).await;
    assert_eq!(running.view(&factory).await.problem, None);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(generation + 1)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
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
async fn a_key_pressed_while_the_journal_is_read_again_sends_nothing_that_turns_out_uncertain() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&record).await.unwrap();
    let running = rig.start(true);
    // Asked at once: before the first reading can have told that it is uncertain.
    assert_uncertain(&running.engine.refresh(&factory, true).await);
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}
