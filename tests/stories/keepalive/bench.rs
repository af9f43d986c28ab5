//! A server: a configuration, an encrypted store, both providers with a wiretap before each, and
//! a listener in place of the service manager.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manutop::demo::{DemoOptions, Servers};
use manutop::domain::Secret;
use serde_json::Value;

use crate::support::file_home::{FileHome, PASSPHRASE, name};
use crate::support::program::{Program, eventually};
use crate::support::wiretap::Wiretap;

/// So much of a secret is as bad as all of it.
const WINDOW: usize = 16;

/// See the file's head.
pub struct Bench {
    home: FileHome,
    pub servers: Servers,
    manu: Wiretap,
    manus: Wiretap,
    client_secrets: Vec<String>,
}

/// A bench is a home with more in it.
impl Deref for Bench {
    type Target = FileHome;

    fn deref(&self) -> &FileHome {
        &self.home
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut FileHome {
        &mut self.home
    }
}

impl Bench {
    /// Nothing is configured yet. Manu's access tokens live so long; a refresh is due in the
    /// second half of that.
    pub fn new(manu_lifetime: Duration) -> Self {
        let options = DemoOptions { manu_lifetime, manu_limit: None, manus_limit: None, ..DemoOptions::default() };
        let (servers, mut home) = (Servers::start(options).unwrap(), FileHome::new("store = \"file\"\n"));
        home.env.insert("MANUTOP_THEME", "16".into());
        let (manu, manus) = (Wiretap::on(servers.manu().base_url()), Wiretap::on(servers.manus().base_url()));
        Self { home, servers, manu, manus, client_secrets: Vec::new() }
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
        self.log_in("factory", &Secret::new(secret), record).await;
    }

    /// A Manus connection that has its client secret and mints its first token.
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
    pub fn add(&self, lines: &str) {
        fs::write(self.config(), format!("{}\n{lines}", self.text())).unwrap();
    }

    /// Adds lines to its head.
    pub fn configure(&self, lines: &str) {
        fs::write(self.config(), format!("{lines}\n{}", self.text())).unwrap();
    }

    /// `manutop keepalive` with these arguments.
    pub fn keepalive(&self, arguments: &[&str]) -> Program {
        let mut command = self.command(&["keepalive"]);
        Program::start(command.args(arguments))
    }

    /// `manutop keepalive` that leads and serves health and metrics at the address that comes with it.
    pub fn keepalive_on_a_port(&self, arguments: &[&str]) -> (Program, String) {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut program = self.keepalive(&all);
        let said = program.until_stderr("leader: refreshing");
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
            search("what was printed", text.as_bytes());
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

/// Stops it with SIGTERM; it must end with 0. Gives all it said on standard error.
pub fn stop(program: Program) -> String {
    program.signal("TERM");
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

/// A service manager's socket, and what it received, one datagram an entry.
pub struct Manager {
    pub socket: PathBuf,
    reported: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    /// Listens at `file` of the bench's directory.
    pub fn listen(bench: &Bench, file: &str) -> Self {
        let socket = bench.path(file);
        let datagrams = UnixDatagram::bind(&socket).unwrap();
        let reported = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&reported);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = datagrams.recv(&mut buffer) {
                kept.lock().unwrap().push(String::from_utf8(buffer[..length].to_vec()).unwrap());
            }
        });
        Self { socket, reported }
    }

    /// Everything so far.
    pub fn reported(&self) -> Vec<String> {
        self.reported.lock().unwrap().clone()
    }

    /// How many signs of life there were.
    pub fn beats(&self) -> usize {
        self.reported().iter().filter(|reported| reported.trim() == "WATCHDOG=1").count()
    }

    /// Waits until something was received `count` times.
    pub fn until(&self, beginning: &str, count: usize) {
        let is_so = || self.reported().iter().filter(|reported| reported.starts_with(beginning)).count() >= count;
        eventually(beginning, is_so);
    }
}
