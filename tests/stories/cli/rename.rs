//! `manutop rename` on the encrypted file store: what it prints, what it refuses, whom it waits
//! for, and that nothing on disk can be read.

use std::fs;
use std::path::Path;

use manutop::domain::{Secret, TokenRecord};

use crate::support::bench::Bench;
use crate::support::factory::Factory;
use crate::support::file_home::{PASSPHRASE, name};
use crate::support::program::Ended;

impl Bench {
    /// Everything is as it was.
    async fn assert_untouched(&self) {
        assert_eq!(self.text(), self.factory.configuration);
        let standing = self.stored().await;
        assert_eq!((standing.record, standing.hazard), (Some(self.factory.record.clone()), None));
    }
}

/// All connections of the demo are configured.
async fn all_connections() -> Bench {
    let mut factory = Factory::new();
    factory.configuration = factory.configuration.replace("store = \"keyring\"", "store = \"file\" # mine");
    let configuration = factory.configuration.clone();
    Bench::with(factory, &configuration).await
}

fn assert_unreadable(dir: &Path, secrets: &[&str]) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_unreadable(&path, secrets);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret is readable in {}", path.display());
    }
}

#[tokio::test]
async fn everything_moves_along_and_the_next_commands_know_the_new_name_only() {
    let bench = all_connections().await;
    let before = bench.run(&["token", "factory"], 0).stdout;
    let ended = bench.run(&["rename", "factory", "plant"], 0);
    assert_eq!(ended.stdout, "factory is now called plant; generation 41 moved along, read back\n");
    assert_eq!(ended.stderr, "");
    assert_eq!(bench.text(), bench.factory.configuration.replace("\"factory\"", "\"plant\""));
    assert_eq!(bench.run(&["token", "plant"], 0).stdout, before);
    assert_eq!(bench.run(&["refresh", "plant", "--force"], 0).stdout, "plant: refreshed, generation 42\n");
    assert_eq!(bench.manu().stats().reuses_detected, 0);
    let gone = bench.run(&["token", "factory"], 2);
    assert!(gone.stderr.contains("there is no connection factory; it has plant"), "{gone:?}");
    let again = bench.run(&["rename", "factory", "plant"], 0);
    assert_eq!(again.stdout, "factory is already renamed to plant; nothing to do\n");
    let record = bench.vault().await.read(&name("plant")).await.unwrap().record.unwrap();
    let refresh_token = record.refresh_token.unwrap().token;
    let secrets =
        [PASSPHRASE, bench.factory.client_secret.expose(), record.access_token.expose(), refresh_token.expose()];
    assert_unreadable(bench.dir.path(), &secrets);
}

#[tokio::test]
async fn the_result_and_a_failure_are_objects_where_json_was_asked_for() {
    let bench = all_connections().await;
    let parse = |ended: Ended| serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap();
    let refused = parse(bench.run(&["rename", "factory", "factory", "--json"], 2));
    assert_eq!(refused["error"]["kind"], "usage");
    let there = parse(bench.run(&["rename", "factory", "plant", "--json"], 0));
    let expected = serde_json::json!({
        "version": 1,
        "renamed": {
            "from": "factory", "to": "plant", "already": false,
            "generation": 41, "uncertain": false, "client_secret": true
        }
    });
    assert_eq!(there, expected);
    let again = parse(bench.run(&["rename", "factory", "plant", "--json"], 0));
    assert_eq!((&again["renamed"]["already"], &again["renamed"]["generation"]), (&true.into(), &().into()));
}

#[tokio::test]
async fn a_name_that_will_not_do_is_refused_with_2_and_nothing_is_touched() {
    let bench = all_connections().await;
    let other = "hr-sync";
    assert!(bench.factory.configuration.contains(&format!("\"{other}\"")), "{}", bench.factory.configuration);
    for (old, new, reported) in [
        ("factory", "a/b", "contains '/'"),
        ("factory", "", "must not be empty"),
        ("factory", "FACTORY", "count as the same name"),
        ("factory", other, "hr-sync is the name of another connection"),
        ("factory", "HR-Sync", "HR-Sync is the name of another connection"),
        ("missing", "plant", "there is no connection missing; it has "),
        ("missing", other, "there is no connection missing; it has "),
    ] {
        let refused = bench.run(&["rename", old, new], 2);
        assert!(refused.stderr.contains(reported) && refused.stdout.is_empty(), "{refused:?}");
    }
    bench.assert_untouched().await;
}

#[tokio::test]
async fn what_an_earlier_connection_left_under_the_name_is_kept_and_reported() {
    let bench = all_connections().await;
    let vault = bench.vault().await;
    let theirs = TokenRecord { generation: 7, ..bench.factory.record.clone() };
    vault.lock(&name("plant"), |_| {}).await.unwrap().receive(theirs).await.unwrap();
    let refused = bench.run(&["rename", "factory", "plant"], 2);
    assert!(refused.stderr.contains("tokens of an earlier connection are kept under the name plant"), "{refused:?}");
    bench.assert_untouched().await;
    vault.lock(&name("plant"), |_| {}).await.unwrap().forget().await.unwrap();
    vault.set_client_secret(&name("plant"), &Secret::new("another")).await.unwrap();
    let refused = bench.run(&["rename", "factory", "plant"], 2);
    assert!(refused.stderr.contains("remove it with: manutop secret rm plant"), "{refused:?}");
    bench.assert_untouched().await;
    bench.run(&["secret", "rm", "plant"], 0);
    bench.run(&["rename", "factory", "plant"], 0);
}

#[tokio::test]
async fn a_process_at_work_on_it_is_waited_for_and_ctrl_c_gives_up_with_nothing_changed() {
    let bench = all_connections().await;
    let holder = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
    let mut waiting = bench.start(&["rename", "factory", "plant"]);
    waiting
        .until_stderr(&format!("factory: waiting for process {}, which is using this connection", std::process::id()));
    waiting.signal("INT");
    let given_up = waiting.end().expect(1);
    assert!(given_up.stderr.contains("cancelled; nothing has changed"), "{given_up:?}");
    bench.assert_untouched().await;
    let mut waiting = bench.start(&["rename", "factory", "plant"]);
    waiting.until_stderr("waiting for process");
    drop(holder);
    assert!(waiting.end().expect(0).stdout.starts_with("factory is now called plant; generation 41"));
}

#[tokio::test]
async fn one_whose_configuration_changes_while_it_waits_does_nothing() {
    let bench = all_connections().await;
    let holder = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
    let mut waiting = bench.start(&["rename", "factory", "plant"]);
    waiting.until_stderr("waiting for process");
    let config = bench.factory.configuration.replace("store = \"file\" # mine", "store = \"keyring\"");
    fs::write(bench.config(), &config).unwrap();
    drop(holder);
    let refused = waiting.end().expect(5);
    assert!(refused.stderr.contains("the configuration was changed meanwhile"), "{refused:?}");
    assert_eq!(bench.text(), config);
    let standing = bench.stored().await;
    assert_eq!(standing.record, Some(bench.factory.record.clone()));
}

#[tokio::test]
async fn tokens_that_were_rolled_back_are_not_moved_and_the_login_is_named() {
    let bench = all_connections().await;
    let store = bench.path("data/store");
    let backup: Vec<_> = fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path()).collect();
    let backup: Vec<_> = backup.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    let newer = TokenRecord { generation: 42, ..bench.factory.record.clone() };
    bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap().receive(newer).await.unwrap();
    for (bytes, path) in backup {
        fs::write(path, bytes).unwrap();
    }
    let refused = bench.run(&["rename", "factory", "plant"], 3);
    assert!(refused.stderr.contains("the store holds generation 41, but 42 has been saved"), "{refused:?}");
    assert!(refused.stderr.contains("manutop login factory"), "{refused:?}");
    assert_eq!(bench.text(), bench.factory.configuration);
}

/// A journal that says what a rename left that was killed in its middle.
#[tokio::test]
async fn one_that_was_cut_off_is_named_by_every_command_and_blocks_the_name() {
    let bench = all_connections().await;
    let journal = bench.path("data/journals/factory.json");
    let mut moving: serde_json::Value = serde_json::from_str(&fs::read_to_string(&journal).unwrap()).unwrap();
    let mut arrives = moving.clone();
    arrives.as_object_mut().unwrap().remove("version");
    moving = serde_json::json!({ "version": moving["version"], "state": "moving", "to": "plant", "arrives": arrives });
    fs::write(&journal, moving.to_string()).unwrap();
    for command in [&["token", "factory"][..], &["refresh", "factory", "--force"]] {
        let refused = bench.run(command, 4);
        assert!(refused.stderr.contains("finish it with: manutop rename factory plant"), "{refused:?}");
    }
    let other = bench.run(&["rename", "factory", "works"], 4);
    assert!(other.stderr.contains("finish it with: manutop rename factory plant"), "{other:?}");
    assert_eq!(bench.manu().stats().token_posts.refresh_token, 0);
    bench.run(&["rename", "factory", "plant"], 0);
    assert_eq!(bench.run(&["refresh", "plant", "--force"], 0).stdout, "plant: refreshed, generation 42\n");
    assert_eq!(bench.manu().stats().reuses_detected, 0);
}
