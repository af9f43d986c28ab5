//! `manutop remove`: all there is of a connection, or nothing.

use super::bench::{Bench, commented};
use crate::support::file_home::name;
use crate::support::program::Program;

/// What is left of the connection in store and data directory.
async fn is_forgotten(bench: &Bench) -> bool {
    let vault = bench.vault().await;
    let secret = vault.client_secret(&name("factory")).await.unwrap();
    let record = vault.read(&name("factory")).await.unwrap().record;
    let files = ["journals/factory.json", "history/factory.jsonl"];
    let files = files.iter().any(|file| bench.data_dir().join(file).exists());
    assert_eq!(secret.is_none(), record.is_none());
    secret.is_none() && !files
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_client_secret_history_and_configuration_go() {
    let bench = commented().await;
    bench.run(&["refresh", "factory", "--force"], 0);
    let refused = bench.run(&["remove", "factory"], 2);
    assert!(refused.stderr.contains("pass --yes"), "{refused:?}");
    assert!(!is_forgotten(&bench).await);
    let ended = bench.run(&["remove", "factory", "--yes"], 0);
    assert_eq!(
        ended.stdout,
        "factory: removed, with its tokens and client secret; the provider revoked the refresh token\n"
    );
    assert_eq!(ended.stderr, "");
    assert_eq!(bench.text(), "# mine\nstore = \"file\"   # encrypted\n");
    assert!(is_forgotten(&bench).await);
    assert!(bench.run(&["log"], 0).stdout.contains("factory"), "the log stays");
    assert!(bench.run(&["remove", "factory", "--yes"], 2).stderr.contains("there is no connection factory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_the_tokens_needs_no_store_and_adding_it_again_finds_them() {
    let bench = commented().await;
    let before = bench.text();
    let mut command = bench.command(&["remove", "factory", "-y", "--keep-tokens", "--json"]);
    let ended = Program::start(command.env_remove("MANUTOP_PASSPHRASE")).end().expect(0);
    let reported: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&reported["version"], &reported["connection"]), (&1.into(), &"factory".into()));
    assert_eq!(
        (&reported["tokens_kept"], &reported["config_file"]),
        (&true.into(), &bench.config().display().to_string().into())
    );
    assert!(!bench.text().contains("factory") && !is_forgotten(&bench).await);
    std::fs::write(bench.config(), before).unwrap();
    assert!(!bench.run(&["token", "factory"], 0).stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_in_use_is_waited_for() {
    let bench = commented().await;
    let before = bench.text();
    let locked = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
    let reported = format!("factory: waiting for process {}, which is using this connection", std::process::id());
    let mut given_up = Program::start(&mut bench.command(&["remove", "factory", "--yes"]));
    given_up.until_stderr(&reported);
    given_up.signal("TERM");
    let ended = given_up.end().expect(1);
    assert!(ended.stderr.contains("nothing was forgotten; it is still in "), "{ended:?}");
    assert_eq!(bench.text(), before);
    let mut patient = Program::start(&mut bench.command(&["remove", "factory", "--yes"]));
    patient.until_stderr(&reported);
    assert!(bench.text() == before && patient.stdout().is_empty());
    drop(locked);
    patient.end().expect(0);
    assert!(is_forgotten(&bench).await && !bench.text().contains("factory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_erased_stays_in_the_configuration() {
    let bench = commented().await;
    let before = bench.text();
    let mut command = bench.command(&["remove", "factory", "--yes", "--json"]);
    let closed = Program::start(command.env_remove("MANUTOP_PASSPHRASE")).end().expect(6);
    assert!(closed.stdout.contains("\"store_unavailable\""), "{closed:?}");
    assert_eq!(bench.text(), before);

    // The store lets nothing be taken out any more.
    let store = bench.data_dir().join("store");
    let kept = bench.path("store as it was");
    std::fs::rename(&store, &kept).unwrap();
    std::fs::write(&store, "no directory").unwrap();
    bench.run(&["remove", "factory", "--yes"], 6);
    assert_eq!(bench.text(), before);
    std::fs::remove_file(&store).unwrap();
    std::fs::rename(&kept, &store).unwrap();
    bench.run(&["remove", "factory", "--yes"], 0);
    assert!(is_forgotten(&bench).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_shown_and_confirmed() {
    let bench = commented().await;
    for (answer, code) in [("", 1), ("n", 1), ("y", 0)] {
        let mut terminal = bench.terminal_with(&["remove", "factory"], &[]);
        terminal.until_text("Remove factory? [n/y]");
        assert!(terminal.shows("None of that can be brought back."), "{}", terminal.picture());
        terminal.keys(&format!("{answer}\r"));
        assert_eq!(terminal.ended(), code);
        assert_eq!(bench.text().contains("factory"), code == 1);
        assert_eq!(is_forgotten(&bench).await, code == 0);
    }
}
