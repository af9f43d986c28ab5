//! The `curl` line of a logged test call, as a person would paste it: a real shell reads it, a real
//! curl sends it, and the server takes it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command as Process, Output};

use chrono::TimeDelta;
use manutop::domain::{Command, CopyWhat, Event, LogEntry};
use manutop::request_log::export::curl::curl;

use crate::support::rig::{Rig, Running, name};

async fn logged(running: &mut Running, ask: Command) -> LogEntry {
    running.engine.send(ask);
    running
        .until(|event| match event {
            Event::RequestLogged(entry) => Some(entry.as_ref().clone()),
            _ => None,
        })
        .await
}

/// Runs a script with a `manutop` that gives out `token` first in the `PATH`.
fn run(script: &str, token: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let stub = dir.path().join("manutop");
    let body = format!("#!/bin/sh\ntest \"$*\" = 'token hr-sync' && printf '%s\\n' '{token}'\n");
    fs::write(&stub, body).unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    Process::new("sh").args(["-c", script]).env("PATH", path).env_remove("http_proxy").output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl; scripts/test runs it"]
async fn the_line_of_a_test_call_makes_it_again_and_holds_no_token() {
    let mut rig = Rig::new();
    let staff = rig.manus("hr-sync").await;
    rig.logged_in(&staff, TimeDelta::zero()).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    let entry = logged(&mut running, Command::Test { connection: staff.clone() }).await;
    let token = running.engine.reveal(&staff, CopyWhat::AccessToken).await.unwrap();
    let line = curl(&entry);
    assert!(!line.contains(&token.expose()[..12]), "{line}");
    let again = run(&line, token.expose());
    let answer = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{line}\n{again:?}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"limit\":1"), "{line}\n{answer}");
    let refused = run(&line, "another-token");
    assert!(String::from_utf8_lossy(&refused.stdout).starts_with("HTTP/1.1 401"), "{refused:?}");
}

#[tokio::test]
async fn every_line_is_one_that_a_shell_can_read() {
    let mut rig = Rig::new();
    let (staff, factory) = (rig.manus("hr-sync").await, rig.manu("factory", "http://127.0.0.1/callback").await);
    for connection in [&staff, &factory] {
        rig.logged_in(connection, TimeDelta::zero()).await;
    }
    let mut running = rig.start(false);
    running.engine.views().await;
    for connection in ["hr-sync", "factory"].map(name) {
        for ask in [Command::Test { connection: connection.clone() }, Command::Refresh { connection, force: true }] {
            let line = curl(&logged(&mut running, ask).await);
            let read = Process::new("sh").args(["-n", "-c", &line]).output().unwrap();
            assert!(read.status.success() && read.stderr.is_empty(), "{line}\n{read:?}");
        }
    }
}
