//! The status snapshot: what the next start shows before any store has answered.

use chrono::TimeDelta;
use manutop::domain::{Command, ConnectionView, Status};
use manutop::tokens::status_snapshot;

use crate::support::rig::{Rig, SECRET};

#[tokio::test]
async fn a_dashboard_leaves_the_facts_of_its_connections_and_a_command_nothing() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1:8085/callback").await;
    let sync = rig.manus("sync").await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    let command = rig.start(false);
    command.engine.views().await;
    command.engine.shutdown().await;
    assert_eq!(status_snapshot::read(rig.dir.path()), status_snapshot::StatusSnapshot::default());

    let mut dashboard = rig.start(true);
    dashboard.until_view(&sync, |view| view.token().is_some()).await;
    dashboard.engine.shutdown().await;
    let text = std::fs::read_to_string(rig.dir.path().join("overview")).unwrap();
    assert!(!text.contains(SECRET) && !text.contains(record.access_token.expose()), "no secret: {text}");
    let snapshot = status_snapshot::read(rig.dir.path());
    assert_eq!(snapshot.facts(&sync).unwrap().refresh, None);
    let facts = snapshot.facts(&factory).unwrap();
    assert_eq!((facts.generation, &facts.access_fingerprint), (1, &record.facts().access_fingerprint));

    let view = ConnectionView::remembered(&rig.connections[0], facts);
    assert_eq!((view.token(), view.status(record.obtained_at)), (None, Status::Loading), "it is for the eye alone");
    assert_eq!(view.shown_token().unwrap().generation, 1);
}

#[tokio::test]
async fn a_logout_takes_the_connection_out() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1:8085/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    for logs_out in [false, true] {
        let mut dashboard = rig.start(true);
        dashboard.until_view(&factory, |view| view.token().is_some()).await;
        if logs_out {
            dashboard.engine.send(Command::Logout { connection: factory.clone() });
            dashboard.until_view(&factory, |view| view.token().is_none()).await;
        }
        dashboard.engine.shutdown().await;
        assert_eq!(status_snapshot::read(rig.dir.path()).facts(&factory).is_none(), logs_out);
    }
}
