//! A person's machine: a keyring, a home with a configuration, both providers' servers with a
//! wiretap before each, and the real program.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use manutop::demo::{DemoOptions, Servers};
use manutop::domain::Secret;
use memchr::memmem;
use portable_pty::CommandBuilder;
use url::Url;

use super::writings;
use crate::support::keyring::Keyring;
use crate::support::program::{Ended, Program};
use crate::support::pty::Terminal;
use crate::support::wiretap::Wiretap;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_manutop");

/// A redirect URI on this machine; a free port is chosen at each login.
pub const LOOPBACK: &str = "http://127.0.0.1/callback";
/// A redirect URI that leads away from this machine.
pub const FOREIGN: &str = "https://www.getpostman.com/oauth2/callback";

/// So much of a secret is as bad as all of it.
const WINDOW: usize = 16;

/// See the file's head.
pub struct Machine {
    pub keyring: Keyring,
    pub servers: Servers,
    /// What every program is started with, and nothing else.
    pub env: BTreeMap<&'static str, OsString>,
    manu: Wiretap,
    manus: Wiretap,
    config: String,
    dir: tempfile::TempDir,
    /// What must never be found anywhere, beside what the wiretaps know.
    secrets: BTreeSet<String>,
    /// What programs without a terminal have said, except where a secret was asked for.
    said: Vec<u8>,
}

/// Servers whose Manu tokens live so long, without rate limits.
fn servers(manu_lifetime: Duration) -> Servers {
    let mut options = DemoOptions { manu_lifetime, manu_limit: None, manus_limit: None, ..DemoOptions::default() };
    options.manus_lifetime = Duration::from_secs(3600);
    Servers::start(options).unwrap()
}

impl Machine {
    /// A machine without a configuration yet; Manu tokens live so long.
    pub fn new(manu_lifetime: Duration) -> Self {
        let (keyring, servers) = (Keyring::start(), servers(manu_lifetime));
        let dir = tempfile::tempdir().unwrap();
        let browser = dir.path().join("browser");
        // Hands the URL to the test: complete, or not at all.
        let script = format!("printf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}.url'", browser.display());
        std::fs::write(&browser, script).unwrap();
        let mut env: BTreeMap<_, _> = keyring.env().into_iter().collect();
        env.insert("PATH", std::env::var_os("PATH").unwrap());
        env.insert("LANG", "C.UTF-8".into());
        env.insert("TERM", "xterm-256color".into());
        // The pseudo-terminal answers no questions: without this, keys pressed at once are lost to one.
        env.insert("MANUTOP_THEME", "16".into());
        env.insert("BROWSER", format!("sh {}", browser.display()).into());
        Self {
            manu: Wiretap::on(servers.manu().base_url()),
            manus: Wiretap::on(servers.manus().base_url()),
            keyring,
            servers,
            env,
            config: String::new(),
            dir,
            secrets: BTreeSet::new(),
            said: Vec::new(),
        }
    }

    /// Writes lines at the head of the configuration.
    pub fn configure(&mut self, lines: &str) {
        self.write_config(&format!("{lines}\n{}", self.config));
    }

    /// Registers a Private App and writes its connection down; gives its client secret, which the
    /// program does not have yet.
    pub fn add_manu(&mut self, name: &str, redirect_uri: &str) -> String {
        let (wire, authorize) = (self.manu.base().to_owned(), self.servers.manu().authorize_url());
        let secret = client_secret();
        self.servers.manu().register_client(&format!("app-{name}"), &Secret::new(&*secret), &[redirect_uri]);
        self.add_section(&format!(
            "name = \"{name}\"\nprovider = \"manu\"\nclient_id = \"app-{name}\"\nredirect_uri = \"{redirect_uri}\"\n\
             authorize_url = \"{authorize}\"\ntoken_url = \"{wire}/oauth/token\"\ntest_url = \"{wire}/\"\n"
        ));
        self.knows(secret)
    }

    /// Registers a Private App and writes nothing down: what a person has in hand before the first
    /// start, as the form's labels call it.
    pub fn register_manu(&mut self, name: &str, redirect_uri: &str) -> Vec<(&'static str, String)> {
        let (wire, authorize) = (self.manu.base().to_owned(), self.servers.manu().authorize_url());
        let secret = client_secret();
        self.servers.manu().register_client(&format!("app-{name}"), &Secret::new(&*secret), &[redirect_uri]);
        vec![
            ("Name", name.to_owned()),
            ("Client ID", format!("app-{name}")),
            ("Client secret", self.knows(secret)),
            ("Redirect URI", redirect_uri.to_owned()),
            ("Authorize URL", authorize.to_string()),
            ("Token URL", format!("{wire}/oauth/token")),
            ("Test URL", format!("{wire}/")),
        ]
    }

    /// Registers a Manus client and writes its connection down; gives its client secret.
    pub fn add_manus(&mut self, name: &str) -> String {
        let base = self.manus.base().to_owned();
        let secret = client_secret();
        self.servers.manus().register_client(&format!("tm_{name}"), &Secret::new(&*secret));
        let (token, test) = (self.servers.manus().token_url(), self.servers.manus().test_url());
        let wired = |url: &Url| url.as_str().replacen(self.servers.manus().base_url(), &base, 1);
        let section = format!(
            "name = \"{name}\"\nprovider = \"manus\"\nclient_id = \"tm_{name}\"\ntoken_url = \"{}\"\ntest_url = \"{}\"\n",
            wired(&token),
            wired(&test)
        );
        self.add_section(&section);
        self.knows(secret)
    }

    /// The directory that programs are started in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a connection down.
    pub fn add_section(&mut self, lines: &str) {
        self.write_config(&format!("{}\n[[connections]]\n{lines}", self.config));
    }

    fn write_config(&mut self, text: &str) {
        text.clone_into(&mut self.config);
        let file = self.config_file();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// The configuration file of the platform's configuration directory.
    pub fn config_file(&self) -> PathBuf {
        Path::new(&self.env["XDG_CONFIG_HOME"]).join("manutop/config.toml")
    }

    /// Remembers a secret that must never be found anywhere.
    pub fn knows(&mut self, secret: impl Into<String>) -> String {
        let secret = secret.into();
        self.secrets.insert(secret.clone());
        secret
    }

    /// Gives the program a connection's client secret, on standard input.
    pub fn set_secret(&mut self, name: &str, secret: &str) {
        self.run_with(&["secret", "set", name], &format!("{secret}\n")).expect(0);
    }

    /// A Manu connection that has its client secret and was logged in to without a browser.
    pub fn add_logged_in(&mut self, name: &str) {
        let secret = self.add_manu(name, LOOPBACK);
        self.set_secret(name, &secret);
        self.log_in(name);
    }

    /// `manutop login NAME --no-browser`, finished on the redirect.
    pub fn log_in(&mut self, name: &str) {
        let mut login = Program::start(&mut self.command(&["login", name, "--no-browser"]));
        let url = url_in(&login.until_stderr("Ctrl-C cancels"));
        let answer = self.decide(&url, "allow");
        assert!(super::web::get(&answer).contains("is connected to Manu Online"));
        let ended = login.end().expect(0);
        self.keep(&ended);
    }

    /// The program with this machine around it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().envs(&self.env).current_dir(self.dir.path());
        command
    }

    /// Runs a command whose output holds no secret.
    pub fn run(&mut self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// The same with something on its standard input.
    pub fn run_with(&mut self, arguments: &[&str], input: &str) -> Ended {
        let ended = self.run_once(arguments, input);
        // A keyring that died is no fault of the program's, which could do nothing.
        if ended.code == Some(6) && self.keyring.revive() { self.run_once(arguments, input) } else { ended }
    }

    fn run_once(&mut self, arguments: &[&str], input: &str) -> Ended {
        self.keyring.revive();
        let mut program = Program::start(&mut self.command(arguments));
        if !input.is_empty() {
            program.send(input);
        }
        let ended = program.end();
        self.keep(&ended);
        ended
    }

    /// What a program has said is swept for secrets like everything else.
    pub fn keep(&mut self, ended: &Ended) {
        self.said.extend(ended.stdout.bytes().chain(ended.stderr.bytes()));
    }

    /// `manutop token NAME`: the token, which must stand alone on standard output.
    pub fn token(&mut self, name: &str) -> String {
        self.keyring.revive();
        let ended = Program::start(&mut self.command(&["token", name])).end().expect(0);
        self.said.extend(ended.stderr.bytes());
        let token = ended.stdout.strip_suffix('\n').unwrap();
        assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{:?}", ended.stdout);
        token.to_owned()
    }

    /// Opens the dashboard on a screen of 120 columns and 32 rows.
    pub fn dashboard(&self) -> Terminal {
        self.dashboard_of((120, 32))
    }

    /// Opens the dashboard on a screen of another size.
    pub fn dashboard_of(&self, size: (u16, u16)) -> Terminal {
        self.in_terminal(PROGRAM, &[], size)
    }

    /// Starts any program of this machine in a terminal.
    pub fn in_terminal(&self, program: &str, arguments: &[&str], size: (u16, u16)) -> Terminal {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.cwd(self.dir.path());
        for (name, value) in &self.env {
            command.env(name, value);
        }
        Terminal::start(command, size)
    }

    /// The login URL that the browser was led to.
    pub fn browser_url(&self) -> String {
        super::web::target(&self.browser_page())
    }

    /// The URL that the browser was started with: of a page that leads to the login URL.
    pub fn browser_page(&self) -> String {
        let file = self.dir.path().join("browser.url");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Ok(url) = std::fs::read_to_string(&file) {
                std::fs::remove_file(&file).unwrap();
                return url;
            }
            assert!(Instant::now() < deadline, "no browser was started");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Answers the consent page as a person does; gives the address the browser would end at.
    pub fn decide(&mut self, url: &str, decision: &str) -> String {
        let answer = super::web::decide(url, decision);
        let pairs = Url::parse(&answer).unwrap();
        let codes = pairs.query_pairs().filter(|(key, _)| key == "code").map(|(_, code)| code.into_owned());
        self.secrets.extend(codes);
        answer
    }

    /// Every secret known: what the wire carried, what the keyring holds, what the test gave.
    fn known(&self) -> BTreeSet<String> {
        let mut known = self.secrets.clone();
        known.extend(self.manu.secrets());
        known.extend(self.manus.secrets());
        known
    }

    /// Fails if anything secret can be read anywhere: in any file, on any screen that was ever
    /// painted, in anything a program said. Fails as well if fewer than `at_least` secrets are
    /// known, for then there was nothing to find.
    pub fn sweep(&mut self, terminals: &mut [&mut Terminal], at_least: usize) {
        let known = self.known();
        assert!(known.len() >= at_least, "only {} secrets are known", known.len());
        assert!(known.iter().all(|secret| secret.len() >= WINDOW), "a secret is too short to be found for certain");
        let written: Vec<String> = known.iter().flat_map(|secret| writings::of(secret)).collect();
        let parts: HashSet<&[u8]> = written.iter().flat_map(|form| form.as_bytes().windows(WINDOW)).collect();
        let search = |place: &str, text: &[u8]| {
            let found = text.windows(WINDOW).find(|window| parts.contains(window));
            assert!(found.is_none(), "a secret is readable in {place}: {:?}", found.map(String::from_utf8_lossy));
        };
        let files = files(self.keyring.home().parent().unwrap());
        assert!(files.iter().any(|file| file.ends_with("manutop/config.toml")), "{files:?}");
        for file in &files {
            search(&file.display().to_string(), &std::fs::read(file).unwrap());
        }
        search("what programs said", &self.said);
        for terminal in terminals {
            search("a screen", &without_copies(&terminal.everything()));
        }
    }
}

/// What a terminal was sent, but for copies to its clipboard (OSC 52), which a person has asked for.
fn without_copies(sent: &[u8]) -> Vec<u8> {
    let (mut rest, mut left) = (sent, Vec::with_capacity(sent.len()));
    while let Some(start) = memmem::find(rest, b"\x1b]52;") {
        left.extend_from_slice(&rest[..start]);
        let copy = &rest[start..];
        let end = copy.iter().skip(1).position(|byte| matches!(byte, 0x07 | 0x1b)).map_or(copy.len(), |end| end + 1);
        rest = &copy[end..];
    }
    left.extend_from_slice(rest);
    left
}

/// Every ordinary file below, but for the keyring's own, which is encrypted.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && entry.file_name() != "keyrings" {
            found.extend(files(&path));
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found
}

/// A client secret: long, and unlike any other text.
fn client_secret() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(64).collect()
}

/// The login URL in what `manutop login` has said.
pub fn url_in(said: &str) -> String {
    said.lines().find(|line| line.starts_with("http")).unwrap().to_owned()
}
