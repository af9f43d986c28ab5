//! Whose tokens these are, through the real engine: kept with them, and asked about before a login
//! of another person replaces them.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::{
    Activity, Command, ConnectionEvent, ConnectionName, Event, EventKind, Exchange, Problem, Secret, Subject,
    SubjectChange, TokenRecord,
};
use manutop::engine::{Refreshed, Unfinished, UnfinishedWork};
use serde_json::json;
use url::Url;

use crate::support::login::{LOOPBACK, Person, assert_newest_is_stored, begin, failed, logged_in};
use crate::support::rig::{Rig, Running, eventually};
use crate::support::subjects::{ada, bob, jwt};

fn subject(sub: &str, email: &str) -> Subject {
    Subject { sub: Some(sub.into()), email: Some(email.into()), ..Subject::default() }
}

async fn stored(rig: &Rig, connection: &ConnectionName) -> TokenRecord {
    rig.vault().read(connection).await.expect("the store answers").record.expect("tokens are held")
}

/// A rig whose connection holds Ada's tokens, by a login.
async fn adas() -> (Rig, ConnectionName, Running, Person) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.connections[0].revoke_url = Some(rig.servers.manu().revoke_url());
    let (mut running, person) = (rig.start(false), Person::new());
    rig.servers.manu().push_fault(ada());
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
    (rig, factory, running, person)
}

/// Bob logs in, and the question comes; gives the address of the page.
async fn bob_logs_in(rig: &Rig, factory: &ConnectionName, running: &mut Running, person: &Person) -> Url {
    let login = begin(running, factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    rig.servers.manu().push_fault(bob());
    let (status, page) = person.visit(&back).await;
    assert!(status == 200 && page.contains("Waiting for confirmation in manutop"), "{page}");
    assert!(page.contains("bob@example.com") && page.contains("ada@example.com"), "{page}");
    let expected = SubjectChange { held: subject("7", "ada@example.com"), received: subject("9", "bob@example.com") };
    let change = running.until(|event| match event {
        Event::Connection(ConnectionEvent { kind: EventKind::SubjectChanged { change }, .. }) => Some(change.clone()),
        Event::Connection(ConnectionEvent { kind: EventKind::LoggedIn { .. }, .. }) => {
            panic!("the login was not confirmed")
        }
        _ => None,
    });
    assert_eq!(*change.await, expected);
    back
}

#[tokio::test]
async fn an_id_token_names_the_subject_and_a_refresh_without_one_keeps_it() {
    let (rig, factory, running, _) = adas().await;
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("7", "ada@example.com")));
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("7", "ada@example.com")));
    let shown = running.view(&factory).await;
    assert_eq!(shown.token().unwrap().subject, Some(subject("7", "ada@example.com")));
    let again = rig.start(false);
    assert_eq!(again.view(&factory).await.token().unwrap().subject, Some(subject("7", "ada@example.com")));
}

#[tokio::test]
async fn an_access_token_that_is_a_jwt_names_its_subject() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&sync, true).await, Ok(Refreshed::Obtained(1)));
    assert_eq!(stored(&rig, &sync).await.subject.unwrap().sub.as_deref(), Some("tm_hr-sync"));
}

#[tokio::test]
async fn the_same_person_and_an_unnamed_one_are_not_asked_about() {
    let (rig, factory, mut running, person) = adas().await;
    for (generation, fault) in [(2, Some(ada())), (3, None)] {
        let login = begin(&mut running, &factory).await;
        if let Some(fault) = fault {
            rig.servers.manu().push_fault(fault);
        }
        assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
        assert_eq!(logged_in(&mut running).await, generation);
    }
    assert_eq!(stored(&rig, &factory).await.subject, None, "a login is not a refresh: it may be anybody's");
}

#[tokio::test]
async fn another_persons_tokens_replace_the_ones_held_after_a_yes() {
    let (rig, factory, mut running, person) = adas().await;
    let back = bob_logs_in(&rig, &factory, &mut running, &person).await;
    let view = running.view(&factory).await;
    assert!(matches!(&view.activity, Activity::LoggingIn(login) if login.question.is_some()), "{:?}", view.activity);
    assert_eq!(stored(&rig, &factory).await.generation, 1, "nothing is overwritten before that");
    running.engine.send(Command::ConfirmLogin { connection: factory.clone(), replace: true });
    assert_eq!(logged_in(&mut running).await, 2);
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("9", "bob@example.com")));
    assert_newest_is_stored(&rig, &factory, 2).await;
    let (status, page) = person.visit(&back).await;
    assert!(status == 200 && page.contains("Logged in"), "the page that waited shows the end: {page}");
    assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
}

#[tokio::test]
async fn the_tokens_held_can_be_refreshed_meanwhile_and_the_login_is_newer_all_the_same() {
    let (rig, factory, mut running, person) = adas().await;
    bob_logs_in(&rig, &factory, &mut running, &person).await;
    let other = rig.start(false);
    other.engine.views().await;
    assert_eq!(other.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "the lock is free");
    running.engine.send(Command::ConfirmLogin { connection: factory.clone(), replace: true });
    assert_eq!(logged_in(&mut running).await, 3);
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("9", "bob@example.com")));
}

#[tokio::test]
async fn without_a_yes_the_tokens_held_stay_and_the_new_ones_are_revoked() {
    for (how, url) in [("no", true), ("cancel", true), ("no", false)] {
        let (mut rig, factory, mut running, person) = adas().await;
        if !url {
            rig.connections[0].revoke_url = None;
            running = rig.start(false);
        }
        let before = stored(&rig, &factory).await;
        let back = bob_logs_in(&rig, &factory, &mut running, &person).await;
        running.engine.send(if how == "no" {
            Command::ConfirmLogin { connection: factory.clone(), replace: false }
        } else {
            Command::Cancel { connection: factory.clone() }
        });
        let why = failed(&mut running).await;
        let fate = if url { "the new tokens were revoked" } else { "the new tokens were dropped" };
        assert!(why.contains("the tokens of ada@example.com were kept") && why.contains(fate), "{how}: {why}");
        assert_eq!(stored(&rig, &factory).await, before);
        assert_eq!(rig.servers.manu().stats().families_revoked, u64::from(url), "{how}");
        let (status, page) = person.visit(&back).await;
        assert!(status == 400 && page.contains("were kept"), "{page}");
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "Ada's go on");
    }
}

#[tokio::test]
async fn leaving_while_the_question_is_open_gives_the_new_tokens_back() {
    let (rig, factory, mut running, person) = adas().await;
    bob_logs_in(&rig, &factory, &mut running, &person).await;
    running.engine.shutdown().await;
    assert_eq!(rig.servers.manu().stats().families_revoked, 1);
    let logged = running.announced().into_iter().filter_map(|event| match event {
        Event::RequestLogged(entry) => Some(entry.exchange),
        _ => None,
    });
    assert!(logged.collect::<Vec<_>>().contains(&Exchange::Revoke));
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("7", "ada@example.com")));
}

#[tokio::test]
async fn a_record_of_an_older_version_is_recognised_by_its_access_token() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let issued = rig.logged_in(&factory, TimeDelta::zero()).await;
    let claims = json!({ "sub": "7", "email": "ada@example.com" });
    let record = TokenRecord { generation: 2, access_token: Secret::new(jwt(&claims)), ..issued };
    rig.vault().lock(&factory, |_| {}).await.unwrap().receive(record).await.unwrap();
    let (mut running, person) = (rig.start(false), Person::new());
    bob_logs_in(&rig, &factory, &mut running, &person).await;
}

#[tokio::test]
async fn an_answer_pasted_while_the_question_is_open_changes_nothing() {
    let (rig, factory, mut running, person) = adas().await;
    let back = bob_logs_in(&rig, &factory, &mut running, &person).await;
    running.engine.send(Command::FinishLogin { connection: factory.clone(), pasted: Secret::new(back.as_str()) });
    running.engine.send(Command::ReopenBrowser { connection: factory.clone() });
    running.engine.send(Command::ConfirmLogin { connection: factory.clone(), replace: true });
    assert_eq!(logged_in(&mut running).await, 2);
    eventually("no other code went out", || rig.servers.manu().stats().token_posts.authorization_code == 2).await;
    tokio::time::sleep(Duration::ZERO).await;
}

/// A person has agreed to replace the tokens, another process holds the connection, and the program ends.
#[tokio::test]
async fn tokens_that_a_person_agreed_to_are_saved_before_the_program_ends() {
    let (rig, factory, mut running, person) = adas().await;
    bob_logs_in(&rig, &factory, &mut running, &person).await;
    let held = rig.vault().lock(&factory, |_| {}).await.expect("the lock is free");
    running.engine.send(Command::ConfirmLogin { connection: factory.clone(), replace: true });
    running.until_view(&factory, |view| view.problem.as_ref().is_some_and(Problem::is_in_memory_only)).await;
    assert!(matches!(running.engine.unfinished().await[..], [UnfinishedWork { what: Unfinished::MemoryOnly(_), .. }]));
    let letting_go = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(held);
    };
    tokio::join!(running.engine.shutdown(), letting_go);
    assert_eq!(stored(&rig, &factory).await.subject, Some(subject("9", "bob@example.com")));
}
