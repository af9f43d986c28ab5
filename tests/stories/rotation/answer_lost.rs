//! The answer is lost on the wire, or is a 200 that cannot be read, or its process is killed. By
//! default the refresh token is sent again when the connection is due: a request that never arrived
//! and a server with a grace period answer it, one that revokes on reuse says that only a login helps.
//! Where the configuration asks for a person, nothing is sent automatically.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{
    AfterLostAnswer, Command, ConnectionEvent, ConnectionName, Event, EventKind, LossOutcome, LostAnswer, Obtained,
    Problem, Secret,
};
use manutop::engine::Refreshed;
use manutop::tokens::reconcile::Hazard;

use super::REDIRECT;
use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, logged_in};
use crate::support::rig::{LOST_PAUSE, Rig, Running};

/// The grace period of servers that have one.
const GRACE: Duration = Duration::from_secs(30);
/// Access tokens of 90 s that are so old are due.
const DUE: TimeDelta = TimeDelta::seconds(80);

/// A rig whose connection has just met the fault in its first, forced refresh.
async fn met(fault: DemoFault, after: AfterLostAnswer, redirect: &str) -> (Rig, Running, ConnectionName) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", redirect).await;
    rig.connections[0].after_lost_answer = after;
    rig.clockwork().await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(fault);
    let running = rig.start(true);
    running.engine.views().await;
    let result = running.engine.refresh(&factory, true).await;
    match after {
        AfterLostAnswer::Ask => assert_uncertain(&result),
        AfterLostAnswer::Retry => assert!(matches!(result, Err(Problem::AnswerLost { .. })), "{result:?}"),
    }
    (rig, running, factory)
}

/// The same with a connection that was due, at a server with this grace period.
async fn due(fault: DemoFault, grace: Duration) -> (Rig, Running, ConnectionName) {
    let mut rig = Rig::with(|options| {
        (options.manu_limit, options.manus_limit, options.manu_grace) = (None, None, grace);
    });
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    rig.logged_in(&factory, DUE).await;
    rig.servers.manu().push_fault(fault);
    let mut running = rig.start(true);
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::AnswerLost { .. }))).await;
    assert!(matches!(view.lost_answer, Some((LostAnswer { sends: 1, .. }, LossOutcome::Pending))), "{view:?}");
    (rig, running, factory)
}

fn assert_uncertain(result: &Result<Refreshed, Problem>) {
    assert!(matches!(result, Err(Problem::Uncertain { .. })), "{result:?}");
}

/// How the connection's answer was lost and what became of it, as a process that starts now sees it.
async fn after_a_restart(rig: &Rig, connection: &ConnectionName) -> Option<(u32, LossOutcome)> {
    let running = rig.start(false);
    let view = running.view(connection).await;
    running.engine.shutdown().await;
    view.lost_answer.map(|(lost, outcome)| (lost.sends, outcome))
}

#[tokio::test]
async fn every_way_to_lose_an_answer_keeps_the_old_tokens_and_says_so() {
    for fault in [
        DemoFault::lost_answer(),
        DemoFault::Truncated,
        DemoFault::Afterwards(Reply::Html { code: 200 }),
        DemoFault::Instead(Reply::Body(String::new())),
        DemoFault::Instead(Reply::Body(r#"{"token_type":"bearer","expires_in":1799}"#.into())),
        DemoFault::Rewrite(|answer| answer.to_string().replace("_token\"", "_told\"")),
    ] {
        for after in [AfterLostAnswer::Retry, AfterLostAnswer::Ask] {
            let which = format!("{fault:?}");
            let (rig, _running, factory) = met(fault.clone(), after, REDIRECT).await;
            let standing = rig.vault().read(&factory).await.unwrap();
            assert_eq!(standing.record.unwrap().generation, 1, "{which}");
            assert!(matches!(standing.hazard, Some(Hazard::Uncertain { generation: 1, .. })), "{which}");
            assert_eq!(after_a_restart(&rig, &factory).await, Some((1, LossOutcome::Pending)), "{which}");
        }
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_and_a_grace_period_recover_without_a_person() {
    for (fault, grace) in [(DemoFault::Instead(Reply::Nothing), Duration::ZERO), (DemoFault::lost_answer(), GRACE)] {
        let (rig, mut running, factory) = due(fault, grace).await;
        rig.moves_on(&running, LOST_PAUSE).await;
        let recovered = running
            .until(|event| match event {
                Event::Connection(ConnectionEvent {
                    kind: EventKind::Refreshed { generation: 2, recovered }, ..
                }) => Some(*recovered),
                _ => None,
            })
            .await;
        assert_eq!(recovered.map(|lost| lost.sends), Some(1));
        let view = running.view(&factory).await;
        assert_eq!((view.problem, view.lost_answer), (None, recovered.map(|lost| (lost, LossOutcome::Recovered))));
        assert_newest_is_stored(&rig, &factory, 2).await;
        let history = rig.vault().history(&factory).await.unwrap();
        assert_eq!((history[0].how, history[0].recovered), (Obtained::Refresh, recovered));
        assert_eq!(after_a_restart(&rig, &factory).await, Some((1, LossOutcome::Recovered)));
        assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (2, 0));
    }
}

#[tokio::test]
async fn a_server_that_revokes_on_reuse_leaves_a_login_and_the_reason_is_known_after_a_restart() {
    let (rig, mut running, factory) = due(DemoFault::lost_answer(), Duration::ZERO).await;
    rig.moves_on(&running, LOST_PAUSE).await;
    let view = running.until_view(&factory, |view| matches!(view.problem, Some(Problem::NeedsLogin { .. }))).await;
    let problem = view.problem.unwrap().to_string();
    assert!(problem.contains("the provider had already replaced the token"), "{problem}");
    assert!(problem.contains("the answer to the refresh at "), "{problem}");
    running.engine.shutdown().await;
    let again = rig.start(true);
    rig.schedule_looks(&again, TimeDelta::hours(2)).await;
    let view = again.view(&factory).await;
    assert_eq!(view.problem.map(|problem| problem.to_string()), Some(problem));
    assert_eq!(view.lost_answer.map(|(lost, outcome)| (lost.sends, outcome)), Some((1, LossOutcome::Replaced)));
    for force in [false, true] {
        let refused = again.engine.refresh(&factory, force).await;
        assert!(matches!(refused, Err(Problem::NeedsLogin { .. })), "{refused:?}");
    }
    assert_eq!(rig.refresh_posts(), 2, "a dead token is not presented again");
}

#[tokio::test]
async fn while_the_access_token_is_good_it_is_handed_out_and_nothing_is_sent() {
    let (rig, running, factory) = met(DemoFault::Instead(Reply::Nothing), AfterLostAnswer::Retry, REDIRECT).await;
    rig.moves_on(&running, TimeDelta::seconds(1)).await;
    let token = running.engine.access_token(&factory, Duration::from_secs(60)).await.unwrap();
    assert!(matches!(token.problem, Some(Problem::AnswerLost { .. })), "{token:?}");
    assert_eq!(running.engine.refresh(&factory, false).await, Ok(Refreshed::StillFresh(1)));
    assert!(matches!(running.view(&factory).await.problem, Some(Problem::AnswerLost { .. })), "it is still so");
    assert_eq!(rig.refresh_posts(), 1);
    rig.moves_on(&running, DUE).await;
    rig.until_rotations(1).await;
}

#[tokio::test]
async fn it_is_sent_again_after_pauses_that_grow_and_a_person_need_not_wait() {
    let (rig, mut running, factory) = due(DemoFault::lost_answer(), TimeDelta::hours(9).to_std().unwrap()).await;
    rig.servers.manu().break_down(None, DemoFault::Instead(Reply::Nothing));
    rig.moves_on(&running, TimeDelta::seconds(1)).await;
    assert_eq!(rig.refresh_posts(), 1, "the lost request may still be on its way");
    for sends in 2..=4 {
        rig.moves_on(&running, LOST_PAUSE * (1 << (sends - 2))).await;
        running.until_view(&factory, |view| view.lost_answer.is_some_and(|(lost, _)| lost.sends == sends)).await;
        assert_eq!(rig.refresh_posts(), u64::from(sends));
    }
    rig.servers.manu().clear_faults();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(after_a_restart(&rig, &factory).await, Some((4, LossOutcome::Recovered)));
}

#[tokio::test]
async fn what_a_killed_process_left_is_sent_again_when_it_is_due() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.clockwork().await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&record).await.unwrap();
    let running = rig.start(true);
    rig.moves_on(&running, TimeDelta::seconds(30)).await;
    let view = running.view(&factory).await;
    assert!(matches!(view.problem, Some(Problem::AnswerLost { .. })), "{view:?}");
    assert_eq!(rig.refresh_posts(), 0, "its access token is good");
    rig.moves_on(&running, DUE).await;
    rig.until_rotations(1).await;
    rig.until_journal(&factory, "settled").await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn a_token_found_later_in_an_answer_that_could_not_be_read_is_saved_and_nothing_is_sent() {
    let (rig, running, factory) =
        met(DemoFault::Afterwards(Reply::Html { code: 200 }), AfterLostAnswer::Ask, REDIRECT).await;
    running.engine.shutdown().await;
    // What a version that reads more finds in the sealed answer.
    let newest = rig.servers.manu().newest_refresh_token("app-factory").unwrap();
    let answer = format!(r#"{{"access_token":"A","expires_in":90,"refresh_token":"{}"}}"#, newest.expose());
    let mut locked = rig.vault().lock(&factory, |_| {}).await.unwrap();
    locked.preflight().await.unwrap();
    locked.answer_lost(&"unreadable".into(), Some(&Secret::new(BASE64_STANDARD.encode(answer)))).await.unwrap();
    drop(locked);
    let mut again = rig.start(true);
    let recovered = again
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::Refreshed { generation: 2, recovered }, .. }) => {
                Some(*recovered)
            }
            _ => None,
        })
        .await;
    assert!(recovered.is_some());
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.vault().history(&factory).await.unwrap()[0].how, Obtained::Recovered);
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn where_a_person_is_asked_nothing_is_sent_by_itself_not_even_after_a_restart() {
    let (rig, running, factory) = met(DemoFault::lost_answer(), AfterLostAnswer::Ask, REDIRECT).await;
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
async fn a_force_by_one_who_was_not_shown_the_doubt_sends_nothing() {
    let (rig, mut running, factory) = met(DemoFault::lost_answer(), AfterLostAnswer::Ask, REDIRECT).await;
    running.engine.send(Command::ForceIfSure { connection: factory.clone() });
    for _of in ["the first refresh", "the forced one"] {
        let said = |event: &Event| {
            matches!(event.kind(), Some(EventKind::RefreshFailed { problem: Problem::Uncertain { .. } }))
        };
        running.until(|event| said(event).then_some(())).await;
    }
    assert_eq!(rig.refresh_posts(), 1);
    // One who has seen it may choose to.
    running.engine.send(Command::Refresh { connection: factory, force: true });
    running.until(|event| matches!(event.kind(), Some(EventKind::RefreshFailed { .. })).then_some(())).await;
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
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 2, .. })).then_some(())).await;
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn one_try_works_where_the_server_had_not_replaced_the_token() {
    let (rig, running, factory) = met(DemoFault::Instead(Reply::Nothing), AfterLostAnswer::Ask, REDIRECT).await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(running.view(&factory).await.problem, None);
    assert_newest_is_stored(&rig, &factory, 2).await;
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn one_try_says_that_a_login_is_needed_where_the_server_had_replaced_it() {
    let (rig, running, factory) = met(DemoFault::lost_answer(), AfterLostAnswer::Ask, REDIRECT).await;
    let result = running.engine.refresh(&factory, true).await;
    assert!(matches!(result, Err(Problem::NeedsLogin { .. })), "{result:?}");
    assert_eq!(rig.refresh_posts(), 2, "the one lost and the one try");
    rig.schedule_looks(&running, TimeDelta::hours(2)).await;
    assert_eq!(rig.refresh_posts(), 2);
}

#[tokio::test]
async fn a_new_login_heals_it_without_a_try() {
    let (rig, mut running, factory) = met(DemoFault::lost_answer(), AfterLostAnswer::Ask, LOOPBACK).await;
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
    rig.connections[0].after_lost_answer = AfterLostAnswer::Ask;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(true);
    running.engine.views().await;
    // Another process dies while its answer is out; this one does not know.
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
    rig.connections[0].after_lost_answer = AfterLostAnswer::Ask;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.vault().lock(&factory, |_| {}).await.unwrap().spending(&record).await.unwrap();
    let running = rig.start(true);
    // Asked at once: before the first reading can have said that it is uncertain.
    assert_uncertain(&running.engine.refresh(&factory, true).await);
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

/// What a failing server echoes is no answer: nothing is recovered by it, and where a person is asked
/// nothing is sent.
#[tokio::test]
async fn an_echo_of_the_refresh_token_that_was_sent_recovers_nothing() {
    for shape in ["json", "form", "accepted"] {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        rig.connections[0].after_lost_answer = AfterLostAnswer::Ask;
        let sent = rig.logged_in(&factory, DUE).await.refresh_token.unwrap().token;
        let sent = sent.expose();
        let (code, body) = match shape {
            "json" => (500, format!(r#"{{"message":"boom","request":{{"refresh_token":"{sent}"}}}}"#)),
            "form" => (502, format!("grant_type=refresh_token&refresh_token={sent}")),
            _ => (200, format!(r#"{{"status":"accepted","refresh_token":"{sent}"}}"#)),
        };
        rig.servers.manu().push_fault(DemoFault::Afterwards(Reply::Status { code, body, retry_after: None }));
        let running = rig.start(false);
        running.engine.views().await;
        for _ in 0..2 {
            assert_uncertain(&running.engine.refresh(&factory, false).await);
        }
        assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0), "{shape}");
        assert_eq!(rig.vault().read(&factory).await.unwrap().record.unwrap().generation, 1, "{shape}");
    }
}
