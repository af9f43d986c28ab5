//! What the real program tells beyond its dashboard: the window's title, the program it runs for
//! events, and `list --watch` beside another process that refreshes.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod program;
#[path = "support/pty.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod pty;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manutop::demo::{Options, Servers, story};
use manutop::domain::{ConnectionName, Secret, SystemClock};
use manutop::store::{FileStore, Secrets, Vault};
use portable_pty::CommandBuilder;
use program::Program;
use pty::{Terminal, shows};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
const PASSPHRASE: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(40);

/// One connection, `factory`, live, its secrets in encrypted files; and the server.
struct Bench {
    dir: tempfile::TempDir,
    servers: Servers,
}

impl Bench {
    /// `lines` stand at the head of the configuration.
    async fn new(lines: &str) -> Self {
        let options = Options { manu_limit: None, manu_lifetime: Duration::from_secs(1800), ..Options::default() };
        let servers = Servers::start(options).unwrap();
        let told = story::tell(&servers);
        let dir = tempfile::tempdir().unwrap();
        let (_, sections) = told.configuration.split_once("[[connections]]").unwrap();
        let factory = sections.split("[[connections]]").find(|section| section.contains("\"factory\"")).unwrap();
        let config = format!("store = \"file\"\n{lines}\n[[connections]]{factory}");
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let bench = Self { dir, servers };
        let character = told.characters.into_iter().find(|character| character.name == factory_name()).unwrap();
        // The key is made here, and a cheap one.
        let store = FileStore::with_work_factor(bench.data_dir().join("store"), None, 4);
        let vault = Vault::open(Secrets::new(store.factory()), &bench.data_dir(), Arc::new(SystemClock)).unwrap();
        vault.unlock(Secret::new(PASSPHRASE)).await.unwrap();
        vault.set_client_secret(&character.name, &character.client_secret).await.unwrap();
        vault.lock(&character.name, |_| {}).await.unwrap().receive(character.record.unwrap()).await.unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    fn env(&self) -> Vec<(&'static str, String)> {
        let shown = |path: PathBuf| path.display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", shown(self.dir.path().to_owned())),
            ("TZ", "UTC".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("MANUTOP_CONFIG", shown(self.path("config.toml"))),
            ("MANUTOP_DATA_DIR", shown(self.data_dir())),
            ("MANUTOP_PASSPHRASE", PASSPHRASE.into()),
        ]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(self.env());
        command
    }

    fn run(&self, arguments: &[&str]) {
        Program::start(&mut self.command(arguments)).end().expect(0);
    }

    fn dashboard(&self) -> Terminal {
        let mut command = CommandBuilder::new(BINARY);
        command.env_clear();
        for (name, value) in self.env() {
            command.env(name, value);
        }
        Terminal::start(command, (100, 30))
    }
}

fn factory_name() -> ConnectionName {
    ConnectionName::new("factory").unwrap()
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn until_said(program: &Program, words: &str) {
    eventually(words, || program.stdout().contains(words));
}

fn signal(program: &Program, signal: &str) {
    let pid = program.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap().success());
}

/// What a terminal was told of its title: `+` saved, `-` given back, else a title.
fn titles(terminal: &mut Terminal) -> Vec<String> {
    let raw = String::from_utf8_lossy(&terminal.everything()).into_owned();
    let mut found = Vec::new();
    for sequence in raw.split('\x1b') {
        match sequence {
            "[22;2t" => found.push("+".to_owned()),
            _ if sequence.starts_with("[23;2t") => found.push("-".to_owned()),
            _ => found.extend(sequence.strip_prefix("]2;").map(str::to_owned)),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_follows_the_state_and_is_given_back_however_it_ends() {
    let bench = Bench::new("notify = \"terminal\"").await;
    for end in ["q", "TERM"] {
        let mut terminal = bench.dashboard();
        terminal.until("it live", |screen| shows(screen, "● live"));
        eventually("a title", || titles(&mut terminal).iter().any(|title| title == "manutop: ● 1 live"));
        match end {
            "q" => terminal.keys(end),
            _ => terminal.signal(end),
        }
        assert_eq!(terminal.ended(), 0);
        let told = titles(&mut terminal);
        assert_eq!((&*told[0], told.last().unwrap().as_str()), ("+", "-"), "{told:?}");
        assert_eq!(told.iter().filter(|told| told.len() == 1).count(), 2, "{told:?}");
        assert_eq!(told.iter().filter(|told| *told == "manutop: ● 1 live").count(), 1, "set again unchanged: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_is_given_back_while_it_is_stopped_and_set_again_afterwards() {
    let bench = Bench::new("").await;
    let mut terminal = bench.dashboard();
    terminal.until("it live", |screen| shows(screen, "● live"));
    eventually("a title", || titles(&mut terminal).iter().any(|title| title == "manutop: ● 1 live"));
    terminal.signal("TSTP");
    eventually("the old title", || titles(&mut terminal).last().unwrap() == "-");
    terminal.signal("CONT");
    eventually("the title again", || titles(&mut terminal).last().unwrap() == "manutop: ● 1 live");
    terminal.until("it live again", |screen| shows(screen, "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let told = titles(&mut terminal);
    let count = |what: &str| told.iter().filter(|told| *told == what).count();
    assert_eq!((count("+"), count("-"), told.last().unwrap().as_str()), (2, 2, "-"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_prints_what_it_does_not_know_is_told_no_title() {
    let bench = Bench::new("").await;
    let mut command = CommandBuilder::new(BINARY);
    command.env_clear();
    for (name, value) in bench.env() {
        command.env(name, value);
    }
    command.env("TERM", "linux");
    let mut terminal = Terminal::start(command, (100, 30));
    terminal.until("it live", |screen| shows(screen, "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    assert_eq!(titles(&mut terminal), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_for_events_is_run_without_a_shell_and_without_the_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("tell team");
    std::fs::write(&script, "cat >> \"$1/events\"; env >> \"$1/environment\"; echo noise; echo noise >&2").unwrap();
    let words =
        ["sh", &script.display().to_string(), &dir.path().display().to_string()].map(|word| format!("{word:?}"));
    let bench = Bench::new(&format!("on_event = [{}]", words.join(", "))).await;
    let mut terminal = bench.dashboard();
    terminal.until("it live", |screen| shows(screen, "● live"));
    terminal.keys("R");
    terminal.until_text("generation 42");
    // What is told in the last moment is told all the same.
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    eventually("an event", || read("environment").contains("PATH="));
    let event: Value = serde_json::from_str(read("events").lines().next().unwrap()).unwrap();
    assert_eq!((&event["event"], &event["generation"]), (&"refreshed".into(), &42.into()));
    assert!(!read("environment").contains(PASSPHRASE) && !terminal.shows("noise"));
    assert!(!String::from_utf8_lossy(&terminal.everything()).contains("noise"));
}

/// Fails unless there is nothing but whole lines of plain text.
fn assert_plain(text: &str) {
    assert!(text.ends_with('\n') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_tells_what_another_process_does_and_sends_nothing() {
    let bench = Bench::new("").await;
    let watch = Program::start(&mut bench.command(&["list", "--watch"]));
    until_said(&watch, "factory: live, access token ends in ");
    bench.run(&["refresh", "factory", "--force"]);
    until_said(&watch, "factory: live, new tokens, generation 42 by a command, process ");
    bench.run(&["refresh", "factory", "--force"]);
    until_said(&watch, "generation 43");
    assert_eq!(bench.servers.manu().stats().token_posts.total(), 2);
    signal(&watch, "TERM");
    let ended = watch.end().expect(0);
    assert_plain(&ended.stdout);
    assert_eq!((ended.stdout.lines().count(), &*ended.stderr), (3, ""), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_json_is_one_object_a_line() {
    let bench = Bench::new("").await;
    let watch = Program::start(&mut bench.command(&["list", "--watch", "--json"]));
    until_said(&watch, "\n");
    bench.run(&["refresh", "factory", "--force"]);
    until_said(&watch, "\"generation\":42");
    signal(&watch, "INT");
    let ended = watch.end().expect(0);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let generations: Vec<_> = lines.iter().map(|line| line["connection"]["generation"].as_u64().unwrap()).collect();
    assert_eq!(generations, [41, 42]);
    assert!(lines.iter().all(|line| line["version"] == 1 && line["at"].as_str().unwrap().ends_with('Z')));
}

/// Runs a shell line in which `$0` is the program.
fn in_shell(bench: &Bench, line: &str) -> Program {
    let mut shell = Command::new("sh");
    shell.args(["-c", line, BINARY]).env_clear().envs(bench.env()).current_dir::<&Path>(bench.dir.path());
    Program::start(&mut shell)
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_ends_quietly_when_nobody_reads_it_any_more() {
    let bench = Bench::new("").await;
    let watch = in_shell(&bench, "{ \"$0\" list --watch; echo \"ended with $?\" >&2; } | head -n 1");
    until_said(&watch, "factory: live");
    bench.run(&["refresh", "factory", "--force"]);
    let ended = watch.end().expect(0);
    assert_eq!(ended.stderr, "ended with 0\n");
}
