//! A home with a configuration and the encrypted file store, and the real program in it: its
//! environment is this home's own, and opens the store.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use manutop::demo::Manu;
use manutop::domain::{ConnectionName, Secret, SystemClock, TokenRecord};
use manutop::secrets::encrypted_file::FileStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;
use portable_pty::CommandBuilder;

use super::rig::SECRET;

pub const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
pub const PASSPHRASE: &str = "correct horse battery staple";
/// scrypt's cost as a power of two: cheap, for it guards nothing.
const WORK_FACTOR: u8 = 4;

/// See the file's head.
pub struct FileHome {
    pub dir: tempfile::TempDir,
    /// All that a program started here is given.
    pub env: BTreeMap<&'static str, String>,
}

impl FileHome {
    pub fn new(configuration: &str) -> Self {
        let mut home = Self { dir: tempfile::tempdir().unwrap(), env: BTreeMap::new() };
        let shown = |path: PathBuf| path.display().to_string();
        home.env = BTreeMap::from([
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", shown(home.dir.path().to_owned())),
            ("TZ", "UTC".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("MANUTOP_CONFIG", shown(home.config())),
            ("MANUTOP_DATA_DIR", shown(home.data_dir())),
            ("MANUTOP_PASSPHRASE", PASSPHRASE.into()),
        ]);
        fs::write(home.config(), configuration).unwrap();
        home
    }

    /// One with a connection `factory` that has its client secret and no tokens: somewhere to log in.
    pub async fn before_login(manu: &Manu, redirect_uri: &str) -> Self {
        let secret = Secret::new(SECRET);
        manu.register_client("app", &secret, &[redirect_uri]);
        let (authorize, token, test, revoke) =
            (manu.authorize_url(), manu.token_url(), manu.test_url(), manu.revoke_url());
        let home = Self::new(&format!(
            "store = \"file\"\n[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"app\"\n\
             redirect_uri = \"{redirect_uri}\"\nauthorize_url = \"{authorize}\"\ntoken_url = \"{token}\"\n\
             test_url = \"{test}\"\nrevoke_url = \"{revoke}\"\n"
        ));
        home.vault().await.set_client_secret(&name("factory"), &secret).await.unwrap();
        home
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// What it contains.
    pub fn text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// The vault as the program has it. The key, if it is made here, is a cheap one.
    pub async fn vault(&self) -> Vault {
        let store = FileStore::with_work_factor(self.data_dir().join("store"), None, WORK_FACTOR);
        let vault = Vault::open(Secrets::new(store.factory()), &self.data_dir(), Arc::new(SystemClock)).unwrap();
        vault.unlock(Secret::new(PASSPHRASE)).await.unwrap();
        vault
    }

    /// Stores what a login brings.
    pub async fn log_in(&self, connection: &str, client_secret: &Secret, record: TokenRecord) {
        let (connection, vault) = (name(connection), self.vault().await);
        vault.set_client_secret(&connection, client_secret).await.unwrap();
        vault.lock(&connection, |_| {}).await.unwrap().receive(record).await.unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(&self.env).current_dir(self.dir.path());
        command
    }

    /// The same for a terminal.
    pub fn command_in_terminal(&self, arguments: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(BINARY);
        command.env_clear();
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command.args(arguments);
        command.cwd(self.dir.path());
        command
    }

    /// A shell line in which `$0` is the program.
    pub fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", line, BINARY]).env_clear().envs(&self.env).current_dir(self.dir.path());
        shell
    }
}

pub fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}
