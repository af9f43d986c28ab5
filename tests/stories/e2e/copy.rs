//! Copies arrive where a person pastes them, and do not stay there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::machine::{Machine, PROGRAM};
use super::screen::row_says;
use crate::support::pty::Terminal;

const PATIENCE: Duration = Duration::from_secs(30);

/// An X server of our own, on a display it picks itself; killed when dropped.
struct Xvfb(Child);

impl Xvfb {
    /// Starts it for everything in the machine.
    fn start(machine: &mut Machine) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "64x64x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut number).unwrap();
        machine.env.insert("DISPLAY", format!(":{}", number.trim()).into());
        Self(server)
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What another program pastes; `None` when there is nothing.
fn pasted(machine: &Machine) -> Option<String> {
    let mut xclip = Command::new("xclip");
    let output = xclip.args(["-o", "-selection", "clipboard"]).env_clear().envs(&machine.env).output();
    let output = output.expect("xclip is installed");
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Copies with another program.
fn copy_elsewhere(machine: &Machine, text: &str) {
    let mut xclip = Command::new("xclip")
        .args(["-i", "-selection", "clipboard"])
        .env_clear()
        .envs(&machine.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("xclip is installed");
    xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(xclip.wait().unwrap().success());
}

/// A dashboard in which a live token has just been copied.
fn after_copying(machine: &Machine) -> Terminal {
    let mut terminal = machine.dashboard();
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));
    terminal.keys("c");
    terminal.until_text("access token copied");
    terminal
}

#[test]
#[ignore = "needs gnome-keyring, Xvfb and xclip; scripts/test runs it"]
fn a_copied_token_can_be_pasted_and_is_cleared_on_quitting_or_in_time_while_it_is_ours() {
    let mut machine = Machine::new(Duration::from_secs(3600));
    machine.add_logged_in("factory");
    let _xvfb = Xvfb::start(&mut machine);
    let token = machine.token("factory");

    let mut first = after_copying(&machine);
    assert_eq!(pasted(&machine).as_deref(), Some(&*token));
    first.keys("q");
    assert_eq!(first.ended(), 0);
    assert_eq!(pasted(&machine), None, "still there after quitting");

    machine.configure("clipboard_clear_seconds = 2");
    let mut second = after_copying(&machine);
    second.until_text("clipboard cleared");
    assert_eq!(pasted(&machine), None, "still there after being cleared");

    second.keys("c");
    second.until_text("access token copied");
    copy_elsewhere(&machine, "my own words");
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        assert_eq!(pasted(&machine).as_deref(), Some("my own words"));
        std::thread::sleep(Duration::from_millis(200));
    }
    second.keys("q");
    assert_eq!(second.ended(), 0);
    assert_eq!(pasted(&machine).as_deref(), Some("my own words"));
    machine.sweep(&mut [&mut first, &mut second], 5);
}

/// A tmux server of our own, ended when dropped.
struct Tmux<'a>(&'a Machine);

impl Tmux<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.0.keyring.home().join("tmux.socket")).args(["-f", "/dev/null"]).args(arguments);
        let output = tmux.env_clear().envs(&self.0.env).output().expect("tmux is installed");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the pane shows a text.
    fn until(&self, text: &str) {
        self.wait(text, || self.run(&["capture-pane", "-p"]).contains(text));
    }

    fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "never saw {what}:\n{}", self.run(&["capture-pane", "-p"]));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
#[ignore = "needs gnome-keyring and tmux; scripts/test runs it"]
fn without_a_display_a_copied_token_goes_to_the_terminal_that_is_tmux() {
    let mut machine = Machine::new(Duration::from_secs(3600));
    machine.add_logged_in("factory");
    let token = machine.token("factory");
    {
        let tmux = Tmux(&machine);
        tmux.run(&["new-session", "-d", "-x", "120", "-y", "32", "sh", ";", "set-option", "-s", "set-clipboard", "on"]);
        tmux.run(&["respawn-pane", "-k", &format!("'{PROGRAM}'; echo \"ended with $?\"; exec sh")]);
        tmux.until("● live");
        tmux.run(&["send-keys", "c"]);
        tmux.until("access token sent to the terminal");
        tmux.wait("the buffer", || tmux.run(&["show-buffer"]) == token);
        assert!(!tmux.run(&["capture-pane", "-p"]).contains(&token));
        tmux.run(&["send-keys", "q"]);
        tmux.until("ended with 0");
    }
    machine.sweep(&mut [], 5);
}
