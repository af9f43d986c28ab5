//! The binary with `store = "file"` and with no store at all: secret, refresh, token, list,
//! prompt, migration; what its files hold and who may read them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use manutop::demo::Servers;
use manutop::domain::{Secret, TokenRecord};

use crate::support::factory::Factory;
use crate::support::file_home::{BINARY, FileHome, PASSPHRASE, name};

/// A configuration for the demo servers and a data directory.
struct Bench {
    home: FileHome,
    servers: Servers,
    client_secret: Secret,
    record: TokenRecord,
}

/// A bench is a home with more in it.
impl Deref for Bench {
    type Target = FileHome;

    fn deref(&self) -> &FileHome {
        &self.home
    }
}

impl Bench {
    fn new(kind: &str) -> Self {
        let Factory { servers, configuration, client_secret, record } = Factory::new();
        let config = configuration.replace("store = \"keyring\"", &format!("store = \"{kind}\" # mine"));
        Self { home: FileHome::new(&config), servers, client_secret, record }
    }

    /// Puts the tokens there that a login would have brought.
    async fn log_in(&self) {
        self.vault().await.lock(&name("factory"), |_| {}).await.unwrap().receive(self.record.clone()).await.unwrap();
    }

    /// Makes a command's environment this bench's own, without a passphrase.
    fn prepare(&self, command: &mut Command, args: &[&str]) {
        for variable in ["CREDENTIALS_DIRECTORY", "MANUTOP_PASSPHRASE", "MANUTOP_PASSPHRASE_FILE"] {
            command.env_remove(variable);
        }
        command.env("MANUTOP_CONFIG", self.config()).env("MANUTOP_DATA_DIR", self.data_dir());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        self.prepare(&mut command, args);
        command
    }

    /// Runs the binary with the passphrase; gives what it printed.
    fn run(&self, args: &[&str], input: &str) -> String {
        let mut command = self.command(args);
        done(finish(command.env("MANUTOP_PASSPHRASE", PASSPHRASE), input))
    }
}

fn finish(command: &mut Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it said, after making sure that it failed with this code.
fn failed(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test]
async fn secret_refresh_token_and_list_work_and_nothing_on_disk_can_be_read() {
    let bench = Bench::new("file");
    bench.log_in().await;
    bench.run(&["secret", "set", "factory"], bench.client_secret.expose());
    assert_eq!(bench.run(&["refresh", "factory", "--force"], ""), "factory: refreshed, generation 42\n");
    assert_eq!(bench.servers.manu().stats().rotations, 1);
    let record = bench.vault().await.read(&name("factory")).await.unwrap().record.unwrap();
    let refresh_token = record.refresh_token.unwrap().token;
    assert_eq!(Some(&refresh_token), bench.servers.manu().newest_refresh_token("demo-factory").as_ref());
    assert_eq!(bench.run(&["token", "factory"], "").trim_end(), record.access_token.expose());
    let list: serde_json::Value = serde_json::from_str(&bench.run(&["list", "--json"], "")).unwrap();
    let factory = list["connections"].as_array().unwrap().iter().find(|view| view["name"] == "factory").unwrap();
    assert_eq!((&factory["status"], &factory["generation"]), (&"live".into(), &42.into()));

    let secrets = [PASSPHRASE, bench.client_secret.expose(), record.access_token.expose(), refresh_token.expose()];
    let files = all_files(&bench.data_dir());
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets.iter().chain(&["AGE-SECRET-KEY"]) {
            assert!(!text.contains(secret), "a secret is readable in {}", path.display());
        }
    }
}

#[tokio::test]
async fn without_the_right_passphrase_a_command_says_so_and_ends_with_6() {
    let bench = Bench::new("file");
    bench.log_in().await;
    for args in [&["token", "factory"][..], &["list"], &["refresh", "--all"], &["secret", "rm", "factory"]] {
        let without = failed(&finish(&mut bench.command(args), ""), 6);
        for choice in ["$CREDENTIALS_DIRECTORY/manutop", "MANUTOP_PASSPHRASE_FILE", "MANUTOP_PASSPHRASE"] {
            assert!(without.contains(choice), "{without}");
        }
        let wrong = failed(&finish(bench.command(args).env("MANUTOP_PASSPHRASE", "hunter2"), ""), 6);
        assert!(wrong.contains("the passphrase is wrong (of MANUTOP_PASSPHRASE)"), "{wrong}");
        assert!(!wrong.contains("hunter2"), "{wrong}");
    }
    let file = bench.dir.path().join("passphrase");
    fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    for (mode, code) in [(0o644, 6), (0o600, 0)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let output = finish(bench.command(&["token", "factory"]).env("MANUTOP_PASSPHRASE_FILE", &file), "");
        assert_eq!(output.status.code(), Some(code), "{mode:o}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"), code == 6);
    }
}

#[tokio::test]
async fn a_passphrase_from_a_pipe_is_read_once() {
    let bench = Bench::new("file");
    bench.log_in().await;
    for line in ["\"$0\" list", "\"$0\" token factory"] {
        let line = format!("printf %s '{PASSPHRASE}' | MANUTOP_PASSPHRASE_FILE=/dev/fd/0 {line}");
        let mut shell = bench.shell(&line);
        shell.env_remove("MANUTOP_PASSPHRASE");
        done(shell.output().unwrap());
    }
}

#[test]
fn a_person_chooses_the_passphrase_at_the_terminal_twice_and_it_is_not_echoed() {
    let bench = Bench::new("file");
    let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(BINARY);
    command.arg("list");
    for variable in ["CREDENTIALS_DIRECTORY", "MANUTOP_PASSPHRASE", "MANUTOP_PASSPHRASE_FILE"] {
        command.env_remove(variable);
    }
    command.env("MANUTOP_CONFIG", bench.config());
    command.env("MANUTOP_DATA_DIR", bench.data_dir());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let mut screen = String::new();
    let mut answers = ["New passphrase: ", "Repeat the passphrase: "].into_iter().peekable();
    let mut bytes = [0; 1024];
    // The terminal is gone (an error, on Linux) once the program has ended.
    while let Ok(count @ 1..) = reader.read(&mut bytes) {
        screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if answers.next_if(|prompt| screen.ends_with(prompt)).is_some() {
            writer.write_all(format!("{PASSPHRASE}\r").as_bytes()).unwrap();
        }
    }
    assert!(child.wait().unwrap().success(), "{screen}");
    assert!(screen.contains("factory") && !screen.contains("horse"), "{screen}");
    assert!(bench.run(&["list"], "").contains("factory"), "the passphrase is the one that was typed");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_a_command_names_the_choices_and_ends_with_6() {
    let bench = Bench::new("keyring");
    for args in [&["list"][..], &["token", "factory"], &["secret", "set", "factory"]] {
        let mut command = bench.command(args);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus").env("XDG_RUNTIME_DIR", bench.dir.path());
        let reported = failed(&finish(&mut command, "a secret"), 6);
        for choice in ["gnome-keyring", "KWallet", "manutop store use file"] {
            assert!(reported.contains(choice), "{reported}");
        }
    }
    assert!(!bench.data_dir().join("store").exists(), "nothing is kept elsewhere automatically");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
async fn tokens_move_from_files_to_the_keyring_and_back() {
    let bench = Bench::new("file");
    bench.log_in().await;
    bench.run(&["secret", "set", "factory"], bench.client_secret.expose());
    let keyring = crate::support::keyring::Keyring::start();
    let run = |args: &[&str], passphrase: bool| {
        let mut command = keyring.command(BINARY);
        bench.prepare(&mut command, args);
        if passphrase {
            command.env("MANUTOP_PASSPHRASE", PASSPHRASE);
        }
        done(finish(&mut command, ""))
    };
    let in_keyring = || keyring.secret_tool(&["search", "--all", "service", "manutop"]).matches("label = ").count();
    run(&["store", "migrate", "--to", "keyring"], true);
    assert!(bench.text().contains("store = \"keyring\" # mine\n"), "{}", bench.text());
    assert_eq!(in_keyring(), 3, "token, client secret, identity");
    assert_eq!(all_files(&bench.data_dir().join("store")).len(), 1, "nothing but the wrapped key is left");
    assert_eq!(run(&["refresh", "factory", "--force"], false), "factory: refreshed, generation 42\n");
    let token = run(&["token", "factory"], false);
    run(&["store", "migrate", "--to", "file"], true);
    assert!(bench.text().contains("store = \"file\" # mine\n"), "{}", bench.text());
    assert_eq!(in_keyring(), 0);
    assert_eq!(run(&["token", "factory"], true), token);
    assert_eq!(run(&["refresh", "factory", "--force"], true), "factory: refreshed, generation 43\n");
    assert_eq!(bench.servers.manu().stats().reuses_detected, 0);
    run(&["store", "migrate", "--to", "file"], true);
    assert!(run(&["list"], true).contains("factory"));
}
