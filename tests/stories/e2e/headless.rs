//! Without a dashboard: results alone on standard output, everything else on standard error, and
//! exit codes that scripts can rely on.

use std::time::Duration;

use manutop::domain::Secret;
use serde_json::Value;

use super::machine::{LOOPBACK, Machine};
use super::screen::row_says;
use crate::support::program::Program;

/// A machine with a live Manu connection, a Manus one that has never minted, and one without a login.
fn machine() -> Machine {
    let mut machine = Machine::new(Duration::from_secs(3600));
    machine.add_logged_in("factory");
    let secret = machine.add_manus("hr-sync");
    machine.set_secret("hr-sync", &secret);
    let secret = machine.add_manu("archive", LOOPBACK);
    machine.set_secret("archive", &secret);
    machine
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn the_doctor_finds_a_working_keyring_and_fails_once_it_is_locked() {
    let mut machine = machine();
    machine.run(&["refresh", "factory", "--force"]).expect(0);
    let well = machine.run(&["doctor"]).expect(0).stdout;
    for line in
        ["ok    secret store: ", "ok    factory: client secret: stored", "ok    factory: tokens: generation 2, saved"]
    {
        assert!(well.contains(line), "{well}");
    }
    assert!(well.contains("warn  archive: tokens: none") && well.contains("ok    clock of 127.0.0.1:"), "{well}");
    assert!(machine.keyring.lookup("rehearsal").is_none());
    machine.keyring.lock();
    let locked = machine.run(&["doctor"]).expect(1).stdout;
    assert!(locked.contains("FAIL  secret store: "), "{locked}");
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn list_refresh_and_token_print_results_alone_and_end_with_their_exit_codes() {
    let mut machine = machine();
    let listed = machine.run(&["list"]).expect(0);
    assert!(listed.stdout.contains("factory") && listed.stdout.contains("live"), "{}", listed.stdout);
    assert_eq!(listed.stderr, "");
    let json: Value = serde_json::from_str(&machine.run(&["list", "--json"]).expect(0).stdout).unwrap();
    let statuses: Vec<_> =
        json["connections"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!((&json["version"], &*statuses), (&1.into(), &["live", "never_logged_in", "never_logged_in"][..]));

    let fresh = machine.run(&["refresh", "factory"]).expect(0);
    assert!(fresh.stdout.starts_with("factory: still fresh, generation 1"), "{fresh:?}");
    let before = machine.token("factory");
    machine.run(&["refresh", "factory", "--force"]).expect(0);
    let after = machine.token("factory");
    assert_ne!(before, after);
    assert_eq!(machine.servers.manu().stats().rotations, 1);

    let minted = machine.token("hr-sync");
    assert_eq!((machine.token("hr-sync"), machine.servers.manus().stats().mints), (minted, 1));

    let never = machine.run(&["token", "archive"]).expect(3);
    assert_eq!(never.stdout, "");
    assert!(never.stderr.contains("archive: never logged in; log in with: manutop login archive"), "{never:?}");
    let all = machine.run(&["refresh", "--all"]).expect(3);
    assert!(all.stdout.contains("factory: still fresh") && all.stdout.contains("hr-sync: still fresh"), "{all:?}");

    machine.servers.manus().register_client("tm_hr-sync", &Secret::new("another secret altogether"));
    let refused = machine.run(&["refresh", "hr-sync", "--force"]).expect(4);
    assert!(refused.stderr.to_lowercase().contains("invalid_client"), "{refused:?}");
    machine.run(&["secret", "rm", "hr-sync"]).expect(0);
    machine.run(&["refresh", "hr-sync", "--force"]).expect(4);
    assert!(machine.run(&["token", "missing"]).expect(2).stderr.contains("there is no connection missing"));
    machine.sweep(&mut [], 9);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_faulty_configuration_is_named_by_file_line_and_key() {
    let mut machine = machine();
    machine.add_section("name = \"extra\"\nprovider = \"manus\"\nclient_id = \"tm_x\"\nrefresh = true\n");
    let text = std::fs::read_to_string(machine.config_file()).unwrap();
    let line = 1 + text.lines().position(|line| line == "refresh = true").unwrap();
    let refused = machine.run(&["list"]).expect(2);
    let named = format!("{}:{line}:1: refresh", machine.config_file().display());
    assert!(refused.stderr.contains(&named), "{refused:?}");
    assert_eq!(refused.stdout, "");
    assert_eq!(std::fs::read_to_string(machine.config_file()).unwrap(), text);
    machine.sweep(&mut [], 6);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn without_a_session_bus_the_store_is_named_and_nothing_is_sent() {
    let mut machine = machine();
    machine.env.remove("DBUS_SESSION_BUS_ADDRESS");
    machine.env.insert("XDG_RUNTIME_DIR", machine.keyring.home().into());
    let before = machine.servers.manu().stats().token_posts;
    for command in [&["token", "factory"][..], &["refresh", "factory", "--force"], &["list"]] {
        let refused = machine.run(command).expect(6);
        assert!(refused.stdout.is_empty() || command[0] == "list", "{refused:?}");
    }
    assert_eq!(machine.servers.manu().stats().token_posts, before);
    let mut terminal = machine.dashboard();
    terminal.until_text("no secret store can be reached");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    machine.sweep(&mut [&mut terminal], 6);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn files_are_named_before_or_after_the_command_or_in_the_environment() {
    let mut machine = machine();
    let elsewhere = machine.keyring.home().join("elsewhere.toml");
    std::fs::rename(machine.config_file(), &elsewhere).unwrap();
    std::fs::write(machine.config_file(), "").unwrap();
    let (file, data) = (elsewhere.to_str().unwrap().to_owned(), machine.keyring.home().join("data"));
    let data = data.to_str().unwrap();
    assert_eq!(machine.run(&["list"]).expect(0).stdout, "");
    for command in [&["--config", &file, "list"][..], &["list", "--config", &file]] {
        assert!(machine.run(command).expect(0).stdout.contains("live"));
    }
    // Another data directory is another set of tokens.
    for command in
        [&["--data-dir", data, "--config", &file, "list"][..], &["list", "--config", &file, "--data-dir", data]]
    {
        assert!(!machine.run(command).expect(0).stdout.contains("live"));
    }
    machine.env.insert("MANUTOP_CONFIG", file.into());
    assert!(machine.run(&["list"]).expect(0).stdout.contains("live"));
    machine.env.insert("MANUTOP_DATA_DIR", data.into());
    assert!(!machine.run(&["list"]).expect(0).stdout.contains("live"));
    machine.sweep(&mut [], 6);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_secret_typed_at_the_prompt_is_not_shown() {
    let mut machine = Machine::new(Duration::from_secs(600));
    let secret = machine.add_manus("hr-sync");
    let mut prompt = machine.in_terminal(super::machine::PROGRAM, &["secret", "set", "hr-sync"], (80, 24));
    prompt.until_text("Client secret of hr-sync:");
    prompt.keys(&format!("{secret}\r"));
    assert_eq!(prompt.ended(), 0);
    prompt.assert_given_back();
    let lines: Vec<String> = prompt.screen().rows(0, 80).collect();
    assert_eq!(lines[1], "manutop: the client secret of hr-sync is stored", "{lines:?}");
    assert_eq!(machine.keyring.lookup("hr-sync/client-secret").as_deref(), Some(&*secret));
    machine.sweep(&mut [&mut prompt], 1);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn the_served_demo_prints_a_configuration_that_works() {
    let mut machine = Machine::new(Duration::from_secs(600));
    let mut demo = Program::start(&mut machine.command(&["demo", "--serve"]));
    demo.until_stderr("Ctrl-C ends both");
    let printed = demo.stdout();
    let file = machine.keyring.home().join("demo.toml");
    std::fs::write(&file, &printed).unwrap();
    machine.env.insert("MANUTOP_CONFIG", file.into());
    assert_eq!(machine.run(&["list"]).expect(0).stdout.lines().count(), 7, "{printed}");
    let line = printed.lines().find(|line| line.ends_with("secret set hr-sync")).unwrap();
    let secret = line.split('\'').nth(1).unwrap();
    machine.set_secret("hr-sync", secret);
    machine.run(&["login", "hr-sync"]).expect(0);
    assert!(!machine.token("hr-sync").is_empty());
    demo.signal("TERM");
    demo.end().expect(0);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_connection_gets_another_name_beside_a_dashboard_and_its_tokens_move_along() {
    let mut machine = machine();
    let before = machine.token("factory");
    let mut terminal = machine.dashboard();
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));
    let renamed = machine.run(&["rename", "factory", "plant"]).expect(0);
    assert_eq!(renamed.stdout, "factory is now called plant; generation 1 moved along, read back\n");
    terminal.until("the new name live", |screen| row_says(screen, "plant", "● live"));
    for item in ["factory/token", "factory/client-secret"] {
        assert!(machine.keyring.lookup(item).is_none(), "{item} is still there");
    }
    assert_eq!(machine.token("plant"), before);
    machine.run(&["refresh", "plant", "--force"]).expect(0);
    terminal.until_text("generation 2");
    machine.run(&["refresh", "plant", "--force"]).expect(0);
    let stats = machine.servers.manu().stats();
    assert_eq!((stats.rotations, stats.reuses_detected), (2, 0));
    assert!(machine.run(&["token", "factory"]).expect(2).stderr.contains("there is no connection factory"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    machine.sweep(&mut [&mut terminal], 9);
}
