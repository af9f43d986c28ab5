//! What the engine says of a connection's tokens when asked: their history, from one process to the
//! next, and what an access token says of itself.

use chrono::TimeDelta;
use manutop::domain::{
    Command, ConnectionEvent, ConnectionName, Event, EventKind, Fingerprint, Inspection, Obtained, Program, Rotation,
    TokenForm, TokenRecord,
};
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::{Call, InjectedFault};

use crate::support::rig::{Rig, Running};

const REDIRECT: &str = "http://127.0.0.1/callback";

async fn inspect(running: &mut Running, connection: &ConnectionName) -> Inspection {
    running.engine.send(Command::Inspect { connection: connection.clone() });
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { connection: of, kind: EventKind::Inspected { inspection } })
                if of == connection =>
            {
                Some(inspection.as_ref().clone())
            }
            _ => None,
        })
        .await
}

async fn record(rig: &Rig, connection: &ConnectionName) -> TokenRecord {
    rig.vault().read(connection).await.unwrap().record.unwrap()
}

fn no_piece_of(record: &TokenRecord, reported: &str) {
    let secrets = [Some(&record.access_token), record.refresh_token.as_ref().map(|refresh| &refresh.token)];
    for secret in secrets.into_iter().flatten() {
        for piece in secret.expose().as_bytes().windows(16) {
            assert!(!reported.contains(std::str::from_utf8(piece).unwrap()), "a token is readable in {reported}");
        }
    }
}

fn reported(history: &[Rotation]) -> Vec<(u64, Obtained, Option<Program>)> {
    history.iter().map(|rotation| (rotation.generation, rotation.how, rotation.by)).collect()
}

#[tokio::test]
async fn every_generation_is_remembered_from_one_program_to_the_next() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let running = rig.start(false);
    running.engine.refresh(&factory, true).await.unwrap();
    running.engine.shutdown().await;
    let mut running = rig.start(true);
    running.engine.refresh(&factory, true).await.unwrap();
    let inspection = inspect(&mut running, &factory).await;
    let history = inspection.history.clone().unwrap();
    assert_eq!(
        reported(&history),
        [(3, Obtained::Refresh, Some(Program::Dashboard)), (2, Obtained::Refresh, Some(Program::Command))]
    );
    let newest = record(&rig, &factory).await;
    assert_eq!(history[0].access, Fingerprint::of(&newest.access_token));
    assert_eq!(history[0].refresh, newest.refresh_token.as_ref().map(|refresh| Fingerprint::of(&refresh.token)));
    assert_eq!((history[0].at, history[0].pid), (newest.obtained_at, std::process::id()));
    assert_eq!(inspection.token, TokenForm::Opaque, "Manu Online's tokens say nothing");
    no_piece_of(&newest, &format!("{inspection:?}"));

    // A logout leaves it; removing the connection takes it away.
    running.engine.send(Command::Logout { connection: factory.clone() });
    running.until(|event| matches!(event.kind(), Some(EventKind::LoggedOut { .. })).then_some(())).await;
    let inspection = inspect(&mut running, &factory).await;
    assert_eq!(inspection.history.unwrap().len(), 2);
    assert_eq!(inspection.token, TokenForm::Nothing);
    rig.vault().remove_history(&factory).await.unwrap();
    assert_eq!(inspect(&mut running, &factory).await.history, Ok(Vec::new()));
}

#[tokio::test]
async fn a_jwt_is_decoded_without_a_piece_of_its_text() {
    let mut rig = Rig::new();
    let staff = rig.manus("hr-sync").await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.refresh(&staff, true).await.unwrap();
    let inspection = inspect(&mut running, &staff).await;
    assert_eq!(reported(inspection.history.as_ref().unwrap()), [(1, Obtained::Mint, Some(Program::Command))]);
    let TokenForm::Jwt(jwt) = &inspection.token else { panic!("{:?}", inspection.token) };
    let newest = record(&rig, &staff).await;
    assert!(jwt.header.iter().any(|line| line.contains("\"alg\": \"HS256\"")), "{:?}", jwt.header);
    assert!(jwt.claims.iter().any(|line| line.contains("\"sub\": \"tm_hr-sync\"")), "{:?}", jwt.claims);
    assert!((jwt.expires_at.unwrap() - newest.expires_at).abs() <= TimeDelta::seconds(1));
    assert!(jwt.issued_at.is_some() && jwt.not_before.is_none());
    no_piece_of(&newest, &format!("{inspection:?}"));
}

#[tokio::test]
async fn a_history_that_cannot_be_written_prevents_no_rotation() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    // A file where the directory should be.
    std::fs::write(rig.dir.path().join("history"), "").unwrap();
    let mut running = rig.start(false);
    running.engine.refresh(&factory, true).await.unwrap();
    assert!(rig.vault().read(&factory).await.unwrap().saved);
    let inspection = inspect(&mut running, &factory).await;
    let why = inspection.history.unwrap_err();
    assert!(why.contains("history"), "{why}");
}

#[tokio::test]
async fn a_generation_that_was_saved_late_is_remembered_once_and_as_what_it_was() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.store.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.refresh(&factory, true).await.unwrap();
    running.engine.refresh(&factory, false).await.unwrap();
    assert!(rig.vault().read(&factory).await.unwrap().saved);
    let history = inspect(&mut running, &factory).await.history.unwrap();
    assert_eq!(reported(&history), [(2, Obtained::Refresh, Some(Program::Command))]);
}
