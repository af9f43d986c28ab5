//! `manutop add`: the connection and its client secret, or neither.

use std::fs;

use manutop::config::MAX_FILE_SIZE;
use manutop::domain::Secret;

use super::bench::{Bench, commented};
use crate::support::file_home::name;
use crate::support::program::Program;

const SECRET: &str = "s3cret-of-a-new-one";

/// Runs `add` with this on standard input.
fn add(bench: &Bench, arguments: &[&str], input: &str) -> Program {
    let mut program = Program::start(&mut bench.command(&[&["add"], arguments].concat()));
    // A program that must not read it may have ended by now.
    if arguments.contains(&"--client-secret-stdin") {
        program.send(input);
    }
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_added_from_a_script_can_be_used_at_once() {
    let bench = commented().await;
    let before = bench.text();
    let manus = bench.factory.servers.manus();
    manus.register_client("tm_new", &Secret::new(SECRET));
    let (token_url, test_url) = (manus.token_url().to_string(), manus.test_url().to_string());
    let arguments = ["hr-sync", "--provider", "manus", "--client-id", "tm_new", "--token-url", &token_url];
    let more = ["--test-url", &test_url, "--title", "Menschen 人", "--no-auto-refresh", "--client-secret-stdin"];
    let ended = add(&bench, &[&arguments[..], &more].concat(), &format!("{SECRET}\n")).end().expect(0);
    assert_eq!(ended.stdout, format!("hr-sync: added to {}\n", bench.config().display()));
    assert_eq!(ended.stderr, "manutop: log in with: manutop login hr-sync\n");
    let after = bench.text();
    assert!(after.starts_with(&before) && after.contains("auto_refresh = false"), "{after}");
    bench.assert_no_secret(&[&ended.stdout, &ended.stderr], &[SECRET]);
    bench.run(&["login", "hr-sync"], 0);
    assert_eq!(manus.stats().mints, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_connection_as_it_is_configured() {
    let bench = commented().await;
    let reported = bench.json(
        &[
            "add",
            "new",
            "--provider",
            "manu",
            "--client-id",
            "x",
            "--redirect-uri",
            "http://127.0.0.1:8400/cb",
            "--json",
            "--client-secret-command",
            "pass show 'my app'",
        ],
        0,
    );
    let connection = &reported["connection"];
    assert_eq!((&connection["name"], &connection["title"]), (&"new".into(), &serde_json::Value::Null));
    assert_eq!((&connection["pkce"], &connection["scope"]), (&true.into(), &"API_ALL".into()));
    assert_eq!(connection["client_secret_command"], serde_json::json!(["pass", "show", "my app"]));
    assert_eq!(
        (&reported["client_secret_stored"], &reported["config_file"]),
        (&false.into(), &bench.config().display().to_string().into())
    );
    let refused = bench.json(&["add", "new", "--provider", "manus", "--client-id", "x", "--json"], 2);
    assert_eq!((&refused["error"]["kind"], &refused["error"]["connection"]), (&"usage".into(), &"new".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_reported_by_option_and_nothing_is_written() {
    let bench = commented().await;
    let before = bench.text();
    for (arguments, reported) in [
        (&["FACTORY", "--provider", "manus", "--client-id", "x"][..], &["NAME: is already the name"][..]),
        (
            &["new", "--provider", "manu", "--client-id", "x", "--token-url", "http://a.example/"],
            &["--redirect-uri: must not be empty", "--token-url: plain http"],
        ),
        (
            &["new", "--provider", "manus", "--client-id", "x", "--scope", "A", "--no-pkce"],
            &["--scope: not supported for Manus", "--no-pkce: not supported for Manus"],
        ),
        (&["new", "--provider", "unknown", "--client-id", "x"], &["possible values: manu, manus"]),
        (&["new", "--provider", "manus"], &["--client-id"]),
        (&["new/er", "--provider", "manus", "--client-id", "x"], &["contains '/'"]),
        (
            &["new", "--provider", "manus", "--client-id", "x", "--client-secret-stdin"],
            &["the client secret holds a line break"],
        ),
    ] {
        let ended = add(&bench, arguments, "two\nlines\n").end().expect(2);
        for words in reported {
            assert!(ended.stderr.contains(words), "{words}: {ended:?}");
        }
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
    assert_eq!(bench.text(), before);
    assert_eq!(bench.vault().await.client_secret(&name("new")).await.unwrap(), None);
    fs::write(bench.config(), "theme = 7\n").unwrap();
    bench.run(&["add", "new", "--provider", "manus", "--client-id", "x"], 2);
    assert_eq!(bench.text(), "theme = 7\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_of_both_cannot_be_written_neither_is() {
    let bench = commented().await;
    let before = bench.text();
    let arguments = ["new", "--provider", "manus", "--client-id", "x", "--client-secret-stdin"];
    // No passphrase: the store stays closed.
    let mut command = bench.command(&[&["add"], &arguments[..]].concat());
    let closed = Program::start(command.env_remove("MANUTOP_PASSPHRASE")).end().expect(6);
    assert!(closed.stderr.contains("MANUTOP_PASSPHRASE_FILE"), "{closed:?}");
    assert_eq!(bench.text(), before);

    // A file with no room for one connection more: the client secret is stored by then, and put back.
    let full = format!("{before}# {}\n", "x".repeat(usize::try_from(MAX_FILE_SIZE).unwrap() - before.len() - 3));
    fs::write(bench.config(), &full).unwrap();
    bench.run(&["config", "check"], 0);
    for old in [None, Some(Secret::new("of one that was there before"))] {
        if let Some(old) = &old {
            bench.vault().await.set_client_secret(&name("new"), old).await.unwrap();
        }
        let ended = add(&bench, &arguments, SECRET).end().expect(1);
        assert!(ended.stderr.contains("the configuration cannot be changed"), "{ended:?}");
        assert_eq!(bench.vault().await.client_secret(&name("new")).await.unwrap(), old);
        assert!(bench.text() == full);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_client_secret_is_asked_for_and_not_shown() {
    let bench = commented().await;
    for (at, typed) in [(1, SECRET), (2, "")] {
        let id = format!("new{at}");
        let mut terminal = bench.terminal_with(&["add", &id, "--provider", "manus", "--client-id", &id], &[]);
        terminal.until_text(&format!("Client secret of {id} (Enter for later): "));
        terminal.keys(&format!("{typed}\r"));
        assert_eq!(terminal.ended(), 0);
        assert_eq!(terminal.shows(&format!("manutop secret set {id}")), typed.is_empty(), "{}", terminal.picture());
        assert!(terminal.shows(&format!("manutop login {id}")), "{}", terminal.picture());
        let shown = String::from_utf8_lossy(&terminal.everything()).into_owned();
        bench.assert_no_secret(&[&shown], &[SECRET]);
        let stored = bench.vault().await.client_secret(&name(&id)).await.unwrap();
        assert_eq!(stored.map(|secret| secret.expose().to_owned()), (!typed.is_empty()).then(|| typed.to_owned()));
    }
}
