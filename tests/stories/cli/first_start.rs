//! The first minutes on a machine without a keyring: choosing encrypted files and their passphrase, and adding a
//! connection by answering questions. The real program, in a real terminal where a person is asked.

#![cfg(target_os = "linux")]

use std::fs;

use crate::support::file_home::{FileHome, PASSPHRASE, name};
use crate::support::program::Program;
use crate::support::pty::{Terminal, shows};

const SECRET: &str = "s3cret-of-the-first";
const REDIRECT: &str = "http://127.0.0.1:8400/callback";

/// Nothing is configured, and no keyring can be reached.
fn without_a_keyring() -> FileHome {
    let mut home = FileHome::new("");
    home.env.insert("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus".into());
    home.env.insert("XDG_RUNTIME_DIR", home.dir.path().display().to_string());
    fs::remove_file(home.config()).unwrap();
    home
}

fn terminal(home: &FileHome, arguments: &[&str]) -> Terminal {
    let mut command = home.command_in_terminal(arguments);
    // Nothing is asked of the terminal at the start that could take a key for its answer.
    command.env_remove("MANUTOP_PASSPHRASE");
    command.env("MANUTOP_THEME", "dark");
    Terminal::start(command, (120, 30))
}

#[test]
fn a_store_is_chosen_from_a_shell_and_only_one_that_works() {
    let home = without_a_keyring();
    let run = |arguments: &[&str], code| Program::start(&mut home.command(arguments)).end().expect(code);
    let chosen = run(&["store", "use", "file"], 0);
    assert!(chosen.stderr.contains("now says store = \"file\""), "{chosen:?}");
    assert_eq!(home.text(), "store = \"file\"\n");
    assert!(run(&["store", "use", "file"], 0).stderr.contains("in use already"));
    assert!(home.data_dir().join("store").exists(), "made with the passphrase that was given");
    run(&["store", "use", "keyring"], 6);
    assert_eq!(home.text(), "store = \"file\"\n", "there is no keyring");
}

#[tokio::test]
async fn a_store_that_holds_secrets_is_not_left() {
    let mut home = without_a_keyring();
    let text = "store = \"file\"\n[[connections]]\nname = \"hr\"\nprovider = \"manus\"\nclient_id = \"tm_1\"\n";
    fs::write(home.config(), text).unwrap();
    home.env.insert("LANG", "C.UTF-8".into());
    home.vault().await.set_client_secret(&name("hr"), &manutop::domain::Secret::new(SECRET)).await.unwrap();
    let refused = Program::start(&mut home.command(&["store", "use", "keyring"])).end().expect(1);
    assert!(refused.stderr.contains("manutop store migrate --to keyring"), "{refused:?}");
    assert_eq!(home.text(), text);
}

#[test]
fn a_weak_passphrase_is_refused_for_a_new_store_and_never_for_one_there_is() {
    let home = without_a_keyring();
    let weak = |arguments: &[&str], code| {
        Program::start(home.command(arguments).env("MANUTOP_PASSPHRASE", "hunter2")).end().expect(code)
    };
    let refused = weak(&["store", "use", "file"], 6);
    assert!(refused.stderr.contains("too weak") && refused.stderr.contains("MANUTOP_PASSPHRASE"), "{refused:?}");
    assert!(!refused.stderr.contains("hunter2") && !home.config().exists(), "{refused:?}");
    // As an earlier version would have made it.
    let store = home.data_dir().join("store");
    let old = manutop::secrets::encrypted_file::FileStore::with_work_factor(store, None, 2);
    let mut opened = old.factory()().unwrap();
    opened.unlock(&manutop::domain::Secret::new("hunter2")).unwrap();
    weak(&["store", "use", "file"], 0);
}

#[test]
fn add_asks_its_way_through_on_a_terminal_and_makes_the_store_it_needs() {
    let home = without_a_keyring();
    let mut terminal = terminal(&home, &["add"]);
    terminal.until_text("Provider (manu, manus) [manu]: ");
    terminal.keys("\r");
    terminal.until_text("Name (");
    terminal.keys("not/one\r");
    terminal.until_text("contains '/'");
    terminal.keys("factory\r");
    terminal.until_text("Client ID (");
    terminal.keys("my-id\r");
    terminal.until_text(REDIRECT);
    terminal.keys("\r");
    terminal.until_text("Keep secrets in encrypted files instead? [y/n]");
    terminal.keys("y\r");
    terminal.until_text("New passphrase: ");
    terminal.keys("hunter2\r");
    terminal.until_text("too weak");
    terminal.keys(&format!("{PASSPHRASE}\r"));
    terminal.until_text("Repeat the passphrase: ");
    terminal.keys("another one entirely\r");
    terminal.until_text("the passphrases differ");
    terminal.keys(&format!("{PASSPHRASE}\r"));
    terminal.until("the question again", |screen| screen.contents().matches("Repeat the passphrase: ").count() == 2);
    terminal.keys(&format!("{PASSPHRASE}\r"));
    terminal.until_text("Client secret of factory");
    terminal.keys(&format!("{SECRET}\r"));
    terminal.until_text("Log factory in now? [y/n]");
    terminal.keys("n\r");
    assert_eq!(terminal.ended(), 0);
    let shown = String::from_utf8_lossy(&terminal.everything()).into_owned();
    assert!(!shown.contains(SECRET) && !shown.contains("horse"), "{shown}");
    let text = home.text();
    for line in ["store = \"file\"", "name = \"factory\"", "client_id = \"my-id\"", REDIRECT] {
        assert!(text.contains(line), "{text}");
    }
    // The passphrase is the one that was typed.
    Program::start(&mut home.command(&["secret", "rm", "factory"])).end().expect(0);
}

#[test]
fn without_a_terminal_add_says_what_is_missing() {
    let home = without_a_keyring();
    let refused = Program::start(&mut home.command(&["add"])).end().expect(2);
    for missing in ["NAME: must not be empty", "--provider: must not be empty", "--client-id: must not be empty"] {
        assert!(refused.stderr.contains(missing), "{refused:?}");
    }
    assert!(!home.config().exists());
}

#[test]
fn the_dashboard_welcomes_offers_files_and_loses_nothing_that_was_typed() {
    let home = without_a_keyring();
    let mut terminal = terminal(&home, &[]);
    terminal.until_text("add a connection");
    terminal.until_text("no keyring here: u");
    terminal.keys("n");
    terminal.until_text("use encrypted files");
    terminal.keys("n");
    terminal.until_text("New connection");
    terminal.keys("\t");
    terminal.paste("factory");
    terminal.keys("\t");
    terminal.paste("my-id");
    terminal.keys("\t");
    terminal.paste(SECRET);
    terminal.until_text("•••••");
    terminal.keys("\x13");
    terminal.until_text("use encrypted files");
    terminal.keys("y");
    terminal.until_text("Choose its passphrase");
    terminal.paste(PASSPHRASE);
    terminal.keys("\r");
    terminal.until_text("Repeat the passphrase");
    terminal.paste(PASSPHRASE);
    terminal.keys("\r");
    terminal.until("the form as it was", |screen| !shows(screen, "passphrase") && shows(screen, "my-id"));
    terminal.keys("\x13");
    terminal.until("the new connection", |screen| !shows(screen, "New connection") && shows(screen, "factory"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    Program::start(&mut home.command(&["secret", "rm", "factory"])).end().expect(0);
    assert!(home.text().contains("store = \"file\"") && home.text().contains("name = \"factory\""), "{}", home.text());
}

#[test]
fn the_welcome_leads_into_the_demo_and_its_tour() {
    for (key, words) in [("d", "factory"), ("t", "Space")] {
        let home = without_a_keyring();
        let mut terminal = terminal(&home, &[]);
        terminal.until_text("no keyring here: u");
        terminal.keys(key);
        terminal.until_text(words);
        terminal.keys("\x03");
        assert_eq!(terminal.ended(), 0);
        terminal.assert_given_back();
    }
}
