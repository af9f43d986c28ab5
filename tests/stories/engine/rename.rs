//! A connection that gets another name while engines and dashboards run: those that read the
//! configuration again have it live at once, those that do not can send nothing.

use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use manutop::config;
use manutop::domain::{
    Activity, Command, Connection, ConnectionEvent, ConnectionName, Event, EventKind, Holding, Problem, SecretSource,
};
use manutop::engine::Refreshed;
use manutop::oauth::providers::ALL;
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::{Call, InjectedFault};
use manutop::tokens::rename::Renaming;

use crate::support::rig::{Rig, Running, SECRET, name};
use crate::support::stage::{Person, Stage};

const REDIRECT: &str = "http://127.0.0.1/callback";

async fn hold(rig: &Rig, old: &ConnectionName) -> Renaming {
    Renaming::begin(rig.vault(), old, &name("plant"), |_, _| {}).await.unwrap()
}

fn renamed(connection: &Connection) -> Connection {
    Connection { name: name("plant"), ..connection.clone() }
}

/// The new name holds the newest refresh token that the old one's client was ever given.
async fn assert_plant_has_the_newest(rig: &Rig) {
    let standing = rig.vault().read(&name("plant")).await.unwrap();
    let held = standing.record.unwrap().refresh_token.unwrap().token;
    assert_eq!(rig.servers.manu().newest_refresh_token("app-factory"), Some(held));
    assert_eq!((standing.saved, standing.hazard), (true, None));
}

fn configure(running: &Running, connection: Connection) {
    let login_timeout = Duration::from_secs(60);
    running.engine.send(Command::Configure { connections: vec![connection], login_timeout });
}

/// An engine with the old configuration, one refresh of which waited while the tokens moved to the
/// new name, and was refused.
async fn refused_after_waiting(rig: &Rig, old: &ConnectionName) -> Running {
    let mut stale = rig.start(true);
    stale.engine.views().await;
    let held = hold(rig, old).await;
    stale.engine.send(Command::Refresh { connection: old.clone(), force: true });
    stale.until_view(old, |view| matches!(view.activity, Activity::WaitingForLock { .. })).await;
    held.carry().await.unwrap().empty_old().await.unwrap();
    let problem = stale
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::RefreshFailed { problem }, .. }) => {
                Some(problem.clone())
            }
            _ => None,
        })
        .await;
    assert!(matches!(&problem, Problem::NeedsLogin { why } if why.to_string().contains("renamed")), "{problem:?}");
    stale
}

#[tokio::test]
async fn with_the_new_configuration_the_old_name_goes_and_the_new_one_is_live_at_once() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    let carried = hold(&rig, &factory).await.carry().await.unwrap();
    configure(&running, renamed(&rig.connections[0]));
    let live = running.until_view(&name("plant"), |view| view.holding != Holding::Unknown).await;
    assert_eq!((live.token().unwrap().generation, live.problem), (1, None));
    carried.empty_old().await.unwrap();
    assert_eq!(running.engine.refresh(&name("plant"), true).await, Ok(Refreshed::Obtained(2)));
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
    let names: Vec<_> = running.engine.views().await.into_iter().map(|view| view.name).collect();
    assert_eq!(names, [name("plant")]);
}

#[tokio::test]
async fn with_the_old_configuration_nothing_is_sent_though_its_refresh_was_waiting_already() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let stale = refused_after_waiting(&rig, &factory).await;
    assert_eq!(stale.view(&factory).await.holding, Holding::Nothing);
    assert!(stale.engine.refresh(&factory, true).await.is_err());
    assert_eq!(rig.refresh_posts(), 0);
    // The process that has the new name continues with the same tokens.
    rig.connections[0] = renamed(&rig.connections[0]);
    let running = rig.start(true);
    assert_eq!(running.engine.refresh(&name("plant"), true).await, Ok(Refreshed::Obtained(2)));
    assert_plant_has_the_newest(&rig).await;
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn an_idle_engine_with_the_old_configuration_notices_that_its_tokens_are_given_up() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut stale = rig.start(true);
    stale.engine.views().await;
    hold(&rig, &factory).await.carry().await.unwrap().empty_old().await.unwrap();
    stale.until_view(&factory, |view| view.holding == Holding::Nothing).await;
    assert_eq!(rig.refresh_posts(), 0);
}

/// Client credentials spend nothing, but what is minted under the old name would lie there for ever.
#[tokio::test]
async fn nothing_is_minted_under_a_name_that_was_given_up_meanwhile() {
    let mut rig = Rig::new();
    let hr = rig.manus("hr").await;
    rig.connections[0].client_secret = SecretSource::Command(vec!["echo".into(), SECRET.into()]);
    rig.logged_in(&hr, TimeDelta::zero()).await;
    refused_after_waiting(&rig, &hr).await;
    assert_eq!(rig.servers.manus().stats().mints, 0);
    assert!(!rig.store.items().contains(&"hr/token".into()), "{:?}", rig.store.items());
}

#[tokio::test]
async fn one_that_was_cut_off_is_shown_with_the_command_that_finishes_it_and_nothing_is_sent() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.store.fail_next(Call::Set, InjectedFault::None);
    rig.store.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    assert!(hold(&rig, &factory).await.carry().await.is_err());
    let mut running = rig.start(true);
    let shown = running.until_view(&factory, |view| view.problem.is_some()).await;
    let Some(Problem::Misconfigured { why, refused: false }) = shown.problem else { panic!("{:?}", shown.problem) };
    assert!(why.to_string().ends_with("manutop rename factory plant"), "{why}");
    let refused = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(refused, Problem::Misconfigured { .. }), "{refused:?}");
    running.engine.send(Command::Login { connection: factory.clone() });
    let why = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::LoginFailed { why, .. }, .. }) => Some(why.clone()),
            _ => None,
        })
        .await;
    assert!(why.to_string().ends_with("manutop rename factory plant"), "{why}");
    assert!(rig.browser.0.lock().unwrap().is_empty(), "no browser is opened");
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
    hold(&rig, &factory).await.carry().await.unwrap().empty_old().await.unwrap();
    configure(&running, renamed(&rig.connections[0]));
    running.until_view(&name("plant"), |view| view.token().is_some()).await;
    assert_eq!(running.engine.refresh(&name("plant"), true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn a_dashboard_that_runs_shows_the_new_name_live_and_continues() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let file = rig.dir.path().join("config.toml");
    fs::write(&file, format!("# mine\n{}", rig.configuration())).unwrap();
    let act = async |person: Person| {
        person.looks("factory live", |screen| screen.contains("factory") && screen.contains("● live")).await;
        let carried = hold(&rig, &factory).await.carry().await.unwrap();
        config::rename_connection(&file, &factory, &name("plant"), ALL).unwrap();
        carried.empty_old().await.unwrap();
        person
            .looks("plant live", |screen| {
                let mut rows = screen.lines().filter(|line| line.contains("● live"));
                rows.next().is_some_and(|row| row.contains("plant")) && rows.all(|row| !row.contains("factory"))
            })
            .await;
        person.press("R");
        person.sees("generation 2").await;
        assert_eq!((rig.refresh_posts(), rig.servers.manu().stats().reuses_detected), (1, 0));
        person.press("q");
    };
    let stage = Stage { config_file: Some(file.clone()), ..Stage::new() };
    stage.play(&rig, act).await;
    assert_plant_has_the_newest(&rig).await;
}
