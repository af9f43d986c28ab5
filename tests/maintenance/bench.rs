//! One connection, `factory`, live, its secrets in encrypted files; the server; and the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manutop::demo::{Options, Servers, story};
use manutop::domain::{ConnectionName, Secret, SystemClock};
use manutop::store::{FileStore, Secrets, Vault};
use portable_pty::CommandBuilder;

use crate::program::{Ended, Program};
use crate::pty::Terminal;

pub const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
pub const PASSPHRASE: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Bench {
    pub dir: tempfile::TempDir,
    pub servers: Servers,
    pub client_secret: Secret,
}

impl Bench {
    pub async fn new() -> Self {
        let options = Options { manu_limit: None, manu_lifetime: Duration::from_secs(1800), ..Options::default() };
        let servers = Servers::start(options).unwrap();
        let told = story::tell(&servers);
        let (_, sections) = told.configuration.split_once("[[connections]]").unwrap();
        let factory = sections.split("[[connections]]").find(|section| section.contains("\"factory\"")).unwrap();
        let character = told.characters.into_iter().find(|character| character.name == name("factory")).unwrap();
        let bench = Self { dir: tempfile::tempdir().unwrap(), servers, client_secret: character.client_secret };
        let text =
            format!("# mine\nstore = \"file\"   # encrypted\n\n# the first\n[[connections]]{}\n", factory.trim_end());
        fs::write(bench.config(), text).unwrap();
        let vault = bench.vault().await;
        vault.set_client_secret(&character.name, &bench.client_secret).await.unwrap();
        vault.lock(&character.name, |_| {}).await.unwrap().receive(character.record.unwrap()).await.unwrap();
        bench
    }

    /// The vault as the program has it. The key, where it is made here, is a cheap one.
    pub async fn vault(&self) -> Vault {
        let store = FileStore::with_work_factor(self.data_dir().join("store"), None, 4);
        let vault = Vault::open(Secrets::new(store.factory()), &self.data_dir(), Arc::new(SystemClock)).unwrap();
        vault.unlock(Secret::new(PASSPHRASE)).await.unwrap();
        vault
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    pub fn data_dir(&self) -> PathBuf {
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
            ("MANUTOP_CONFIG", shown(self.config())),
            ("MANUTOP_DATA_DIR", shown(self.data_dir())),
            ("MANUTOP_PASSPHRASE", PASSPHRASE.into()),
        ]
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(self.env()).current_dir(self.dir.path());
        command
    }

    /// Runs the program to its end; fails unless it ends with this code.
    pub fn run(&self, arguments: &[&str], code: i32) -> Ended {
        Program::start(&mut self.command(arguments)).end().expect(code)
    }

    /// The same for what prints JSON.
    pub fn json(&self, arguments: &[&str], code: i32) -> serde_json::Value {
        let ended = self.run(arguments, code);
        let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        assert_eq!(told["version"], 1, "{told}");
        told
    }

    /// Starts the program in a terminal, with these variables too.
    pub fn terminal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let mut command = CommandBuilder::new(BINARY);
        command.env_clear();
        for (name, value) in self.env() {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        command.args(arguments);
        command.cwd(self.dir.path());
        Terminal::start(command, (160, 30))
    }

    /// Runs a shell line in which `$0` is the program.
    pub fn shell(&self, line: &str) -> Program {
        let mut shell = Command::new("sh");
        shell.args(["-c", line, BINARY]).env_clear().envs(self.env()).current_dir(self.dir.path());
        Program::start(&mut shell)
    }

    /// Nothing that was printed or is written beside the store holds a secret.
    pub fn assert_no_secret(&self, texts: &[&str], secrets: &[&str]) {
        let config = self.text();
        for text in texts.iter().chain(&[config.as_str()]) {
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret is readable");
        }
    }
}

pub fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn until_said(program: &Program, words: &str) {
    eventually(words, || program.stdout().contains(words));
}

pub fn signal(program: &Program, signal: &str) {
    let pid = program.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap().success());
}
