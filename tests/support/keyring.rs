//! A private gnome-keyring: a D-Bus session of its own that starts no services, a home of
//! its own, a daemon of its own. Nothing of the machine's real keyring is seen or touched, and
//! only what was started here is killed.
//!
//! - To run a program against it: [`Keyring::start`], then [`Keyring::command`].
//! - To use the keyring in the test's own process, whose environment cannot be changed safely:
//!   [`inside_a_session`] runs the test's body in a child that has the right one from its start.

#![allow(dead_code, reason = "each test file that includes this uses its own part of it")]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "a password for tests";

/// Set in the child that [`inside_a_session`] starts: the session's directory.
const INSIDE: &str = "MANUTOP_TEST_SESSION";

/// A D-Bus session with directories of its own.
pub struct Session {
    dir: tempfile::TempDir,
    bus: Child,
    address: String,
}

impl Session {
    /// Starts the bus; returns once it listens.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["home", "runtime", "data", "config", "cache"] {
            std::fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(dir.path().join("runtime"), mode).unwrap();
        let config = dir.path().join("bus.conf");
        std::fs::write(&config, bus_config(&dir.path().join("runtime/bus"))).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { dir, bus, address: address.trim().to_owned() }
    }

    /// What a program needs in its environment to live in this session.
    pub fn env(&self) -> Vec<(&'static str, OsString)> {
        let sub = |name: &str| self.dir.path().join(name).into_os_string();
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", OsString::from(&self.address)),
            ("HOME", sub("home")),
            ("XDG_RUNTIME_DIR", sub("runtime")),
            ("XDG_DATA_HOME", sub("data")),
            ("XDG_CONFIG_HOME", sub("config")),
            ("XDG_CACHE_HOME", sub("cache")),
        ]
    }

    /// A program to be started in this session, without a display.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.env()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        end(&mut self.bus);
    }
}

/// A bus without service directories: it starts no services.
fn bus_config(socket: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        socket.display()
    )
}

/// A gnome-keyring in a session: either one made for it, or the one this process lives in.
pub struct Keyring {
    session: Option<Session>,
    daemon: Option<Child>,
}

impl Keyring {
    /// Starts a session and an unlocked keyring in it.
    pub fn start() -> Self {
        let mut keyring = Self { session: Some(Session::start()), daemon: None };
        keyring.start_daemon();
        keyring
    }

    /// What a program needs in its environment to see this keyring.
    pub fn env(&self) -> Vec<(&'static str, OsString)> {
        self.session.as_ref().map(Session::env).unwrap_or_default()
    }

    /// A program to be started where it sees this keyring.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        match &self.session {
            Some(session) => session.command(program),
            None => Command::new(program),
        }
    }

    /// The home directory of this keyring's session.
    pub fn home(&self) -> PathBuf {
        let env = self.env().into_iter().find(|(name, _)| *name == "HOME").map(|(_, value)| value);
        PathBuf::from(env.or_else(|| std::env::var_os("HOME")).unwrap())
    }

    /// Starts the daemon, unlocked; returns once its default collection can be used.
    pub fn start_daemon(&mut self) {
        assert!(self.daemon.is_none(), "two daemons on one home lose each other's writes");
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed");
        daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        self.daemon = Some(daemon);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.call("ReadAlias", &["string:default"]).contains("/collection/") {
            assert!(Instant::now() < deadline, "gnome-keyring did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the daemon again if it has died, as gnome-keyring sometimes does where
    /// clients come and go by the dozen; says whether it had.
    pub fn revive(&mut self) -> bool {
        let has_died = self.daemon.as_mut().is_some_and(|daemon| daemon.try_wait().unwrap().is_some());
        if has_died {
            self.daemon = None;
            self.start_daemon();
        }
        has_died
    }

    /// Kills the daemon with SIGKILL.
    pub fn kill_daemon(&mut self) {
        end(self.daemon.as_mut().expect("the daemon runs"));
        self.daemon = None;
    }

    /// Stops the daemon: it is there and answers nothing.
    pub fn stop_daemon(&self) {
        self.signal("-STOP");
    }

    /// Lets a stopped daemon go on.
    pub fn continue_daemon(&self) {
        self.signal("-CONT");
    }

    /// Locks the default collection. Restarting the daemon unlocks it.
    pub fn lock(&self) {
        self.call("Lock", &["array:objpath:/org/freedesktop/secrets/aliases/default"]);
    }

    /// Runs `secret-tool` on this keyring; gives what it printed on standard output.
    pub fn secret_tool(&self, args: &[&str]) -> String {
        self.secret_tool_with(args, "")
    }

    /// The same with something on its standard input, for `store`.
    pub fn secret_tool_with(&self, args: &[&str], input: &str) -> String {
        let mut child = self
            .command("secret-tool")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("secret-tool is installed");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What manutop keeps under this user name, such as `factory/token`.
    pub fn lookup(&self, user: &str) -> Option<String> {
        Some(self.secret_tool(&["lookup", "service", "manutop", "username", user])).filter(|found| !found.is_empty())
    }

    fn call(&self, method: &str, args: &[&str]) -> String {
        let output = self
            .command("dbus-send")
            .args(["--session", "--print-reply", "--reply-timeout=2000", "--dest=org.freedesktop.secrets"])
            .args(["/org/freedesktop/secrets", &format!("org.freedesktop.Secret.Service.{method}")])
            .args(args)
            .output()
            .expect("dbus-send is installed");
        String::from_utf8(output.stdout).unwrap()
    }

    fn signal(&self, signal: &str) {
        let pid = self.daemon.as_ref().expect("the daemon runs").id().to_string();
        // The shell's own kill: no package is needed for it.
        let sent = Command::new("sh").args(["-c", "kill \"$0\" \"$1\"", signal, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            end(daemon);
        }
    }
}

/// Runs the body of the test named `test` in a child process whose environment leads to a private
/// session, with an unlocked keyring; fails if the child fails.
pub fn inside_a_session(test: &str, body: impl FnOnce(&mut Keyring)) {
    if std::env::var_os(INSIDE).is_some() {
        let mut keyring = Keyring { session: None, daemon: None };
        keyring.start_daemon();
        return body(&mut keyring);
    }
    let session = Session::start();
    run_again(session.command(std::env::current_exe().unwrap()).env(INSIDE, session.dir.path()), test);
}

/// Completes `command`, which starts this test binary again, to run the one test, and fails
/// unless that test ran and passed.
pub fn run_again(command: &mut Command, test: &str) {
    let output = command.args(["--exact", test, "--include-ignored", "--nocapture"]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{test} failed in its child:\n{out}\n{err}");
    // What the child has to say is printed for `--nocapture`.
    print!("{out}");
}

fn end(child: &mut Child) {
    // It may have ended already; then there is nothing to kill.
    let _ = child.kill();
    let _ = child.wait();
}
