//! A server: a configuration, an encrypted store, both providers with a wiretap before each, and
//! whoever listens as the service manager does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use manutop::demo::{Options, Servers};
use manutop::domain::{ConnectionName, Secret, SystemClock};
use manutop::store::{FileStore, Secrets, Vault};
use serde_json::Value;

use crate::program::Program;
use crate::wiretap::Wiretap;

pub const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
pub const PASSPHRASE: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(40);
/// So much of a secret is as bad as all of it.
const WINDOW: usize = 16;

/// See the file's head.
pub struct Bench {
    pub dir: tempfile::TempDir,
    pub servers: Servers,
    manu: Wiretap,
    manus: Wiretap,
    pub env: BTreeMap<&'static str, String>,
    config: String,
    client_secrets: Vec<String>,
}

impl Bench {
    /// Nothing is configured yet. Manu's access tokens live so long; a refresh is due in the
    /// second half of that.
    pub fn new(manu_lifetime: Duration) -> Self {
        let options = Options { manu_lifetime, manu_limit: None, manus_limit: None, ..Options::default() };
        let (servers, dir) = (Servers::start(options).unwrap(), tempfile::tempdir().unwrap());
        let env = BTreeMap::from([
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", dir.path().display().to_string()),
            ("TZ", "UTC".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("MANUTOP_THEME", "16".into()),
            ("MANUTOP_CONFIG", dir.path().join("config.toml").display().to_string()),
            ("MANUTOP_DATA_DIR", dir.path().join("data").display().to_string()),
            ("MANUTOP_PASSPHRASE", PASSPHRASE.into()),
        ]);
        let (manu, manus) = (Wiretap::on(servers.manu().base_url()), Wiretap::on(servers.manus().base_url()));
        let mut bench = Self { manu, manus, servers, dir, env, config: String::new(), client_secrets: Vec::new() };
        bench.write_config("store = \"file\"\n");
        bench
    }

    /// One with a Manu connection `factory` that has been logged in to.
    pub async fn with_factory(manu_lifetime: Duration) -> Self {
        let mut bench = Self::new(manu_lifetime);
        bench.add_factory().await;
        bench
    }

    async fn add_factory(&mut self) {
        let secret = self.client_secret();
        let manu = self.servers.manu();
        manu.register_client("app-factory", &Secret::new(&*secret), &["http://127.0.0.1/callback"]);
        let record = manu.issue("app-factory", "API_ALL").record(1);
        let (wire, authorize) = (self.manu.base(), manu.authorize_url());
        let section = format!(
            "[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"app-factory\"\n\
             redirect_uri = \"http://127.0.0.1/callback\"\nauthorize_url = \"{authorize}\"\n\
             token_url = \"{wire}/oauth/token\"\ntest_url = \"{wire}/\"\n"
        );
        self.add(&section);
        let vault = self.vault().await;
        vault.set_client_secret(&name("factory"), &Secret::new(&*secret)).await.unwrap();
        vault.lock(&name("factory"), |_| {}).await.unwrap().receive(record).await.unwrap();
    }

    /// A Manus connection that has its client secret and mints its first token by itself.
    pub async fn add_manus(&mut self, text: &str) {
        let secret = self.client_secret();
        let manus = self.servers.manus();
        manus.register_client(&format!("tm_{text}"), &Secret::new(&*secret));
        let wired = |url: url::Url| url.as_str().replacen(manus.base_url(), self.manus.base(), 1);
        let (token, api) = (wired(manus.token_url()), wired(manus.test_url()));
        let section = format!(
            "[[connections]]\nname = \"{text}\"\nprovider = \"manus\"\nclient_id = \"tm_{text}\"\n\
             token_url = \"{token}\"\ntest_url = \"{api}\"\n"
        );
        self.add(&section);
        self.vault().await.set_client_secret(&name(text), &Secret::new(secret)).await.unwrap();
    }

    fn client_secret(&mut self) -> String {
        let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(64).collect();
        self.client_secrets.push(secret.clone());
        secret
    }

    /// Adds lines to the end of the configuration.
    pub fn add(&mut self, lines: &str) {
        self.write_config(&format!("{}\n{lines}", self.config));
    }

    /// Adds lines to its head.
    pub fn configure(&mut self, lines: &str) {
        self.write_config(&format!("{lines}\n{}", self.config));
    }

    fn write_config(&mut self, text: &str) {
        text.clone_into(&mut self.config);
        fs::write(self.path("config.toml"), text).unwrap();
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The vault as the program has it. The key, if it is made here, is a cheap one.
    pub async fn vault(&self) -> Vault {
        let data_dir = self.path("data");
        let store = FileStore::with_work_factor(data_dir.join("store"), None, 4);
        let vault = Vault::open(Secrets::new(store.factory()), &data_dir, Arc::new(SystemClock)).unwrap();
        vault.unlock(Secret::new(PASSPHRASE)).await.unwrap();
        vault
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(&self.env).current_dir(self.dir.path());
        command
    }

    /// `manutop keepalive` with these arguments.
    pub fn keepalive(&self, arguments: &[&str]) -> Program {
        let mut command = self.command(&["keepalive"]);
        Program::start(command.args(arguments))
    }

    /// `manutop keepalive` that leads and tells health and metrics at the address that comes with it.
    pub fn keepalive_on_a_port(&self, arguments: &[&str]) -> (Program, String) {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut program = self.keepalive(&all);
        let said = program.until_stderr("leading: refreshes by itself");
        let at = said.find("health and metrics on ").unwrap() + "health and metrics on ".len();
        let address = said[at..].split(['\n', '"']).next().unwrap().to_owned();
        (program, address)
    }

    /// Waits until Manu's server has replaced so many refresh tokens.
    pub fn until_rotations(&self, count: u64) {
        eventually(&format!("{count} rotations"), || self.servers.manu().stats().rotations >= count);
    }

    /// Everything was sent once, and the newest refresh token is the one that is stored.
    pub async fn assert_nothing_was_lost(&self) {
        let stats = self.servers.manu().stats();
        assert_eq!((stats.token_posts.refresh_token, stats.reuses_detected), (stats.rotations, 0));
        let record = self.vault().await.read(&name("factory")).await.unwrap().record.unwrap();
        let newest = self.servers.manu().newest_refresh_token("app-factory").unwrap();
        assert_eq!(record.refresh_token.unwrap().token, newest);
        assert_eq!(record.generation, stats.rotations + 1);
    }

    /// Fails if a secret can be read in any of these texts, or in any file; fails as well if fewer
    /// than `at_least` secrets are known, for then there was nothing to find.
    pub fn sweep(&self, texts: &[&str], at_least: usize) {
        let mut known: Vec<String> = self.manu.secrets().into_iter().chain(self.manus.secrets()).collect();
        known.extend(self.client_secrets.iter().cloned());
        known.push(PASSPHRASE.into());
        assert!(known.len() >= at_least, "only {} secrets are known", known.len());
        let parts: Vec<&[u8]> = known.iter().flat_map(|secret| secret.as_bytes().windows(WINDOW)).collect();
        let parts: std::collections::HashSet<&[u8]> = parts.into_iter().collect();
        let search = |place: &str, text: &[u8]| {
            assert!(!text.windows(WINDOW).any(|window| parts.contains(window)), "a secret is readable in {place}");
        };
        for text in texts {
            search("what was told", text.as_bytes());
        }
        let files = files(self.dir.path());
        assert!(files.len() > 5, "{files:?}");
        for file in files {
            search(&file.display().to_string(), &fs::read(&file).unwrap());
        }
    }
}

fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

pub fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

/// Waits until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal by the shell's own kill.
pub fn signal(program: &Program, signal: &str) {
    let pid = program.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -s $0 $1", signal, &pid]).status().unwrap().success());
}

/// Stops it with SIGTERM; it must end with 0. Gives all it said on standard error.
pub fn stop(program: Program) -> String {
    signal(&program, "TERM");
    let ended = program.end().expect(0);
    assert_eq!(ended.stdout, "", "results only, and there are none");
    ended.stderr
}

/// The objects of a log in JSON.
pub fn objects(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// One HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }
}

/// `GET`s a path over TCP.
pub fn get(address: &str, path: &str) -> Answer {
    get_by_name(address, "localhost", path)
}

/// The same, asking for a host by this name.
pub fn get_by_name(address: &str, host: &str, path: &str) -> Answer {
    fetch(TcpStream::connect(address).unwrap(), host, path)
}

/// `GET`s a path over a Unix socket.
pub fn get_unix(socket: &Path, path: &str) -> Answer {
    fetch(UnixStream::connect(socket).unwrap(), "manutop", path)
}

fn fetch(mut stream: impl Read + Write, host: &str, path: &str) -> Answer {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A service manager's socket, and what it was told, one datagram an entry.
pub struct Manager {
    pub socket: PathBuf,
    told: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    /// Listens at `file` of the bench's directory.
    pub fn listen(bench: &Bench, file: &str) -> Self {
        let socket = bench.path(file);
        let datagrams = UnixDatagram::bind(&socket).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = datagrams.recv(&mut buffer) {
                kept.lock().unwrap().push(String::from_utf8(buffer[..length].to_vec()).unwrap());
            }
        });
        Self { socket, told }
    }

    /// Everything so far.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// How many signs of life there were.
    pub fn beats(&self) -> usize {
        self.told().iter().filter(|told| told.trim() == "WATCHDOG=1").count()
    }

    /// Waits until something was told `count` times.
    pub fn until(&self, beginning: &str, count: usize) {
        let is_so = || self.told().iter().filter(|told| told.starts_with(beginning)).count() >= count;
        eventually(beginning, is_so);
    }
}
