//! The clipboard on a real X server and in a real tmux, read back by other programs.
//!
//! The display is named by the environment, which a process cannot safely change for itself:
//! each test starts an Xvfb and runs itself again under it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use manutop::domain::{CopiedTo, Secret};
use manutop::platform::clipboard::{Clipboard, ClipboardNote, send_to_terminal};
use manutop::platform::environment::Environment;

use crate::support::again::this_test;

const XVFB_PID: &str = "MANUTOP_TEST_XVFB_PID";

/// An X server of our own, on a display it picks itself; killed when dropped.
struct Xvfb {
    process: Child,
    display: String,
}

impl Xvfb {
    fn start() -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "64x64x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        let stdout = process.stdout.as_mut().expect("it was piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb names its display");
        Self { process, display: format!(":{}", number.trim()) }
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the named test again under an X server. True in the parent, which is then done.
fn ran_under_xvfb(test: &str) -> bool {
    if env::var_os(XVFB_PID).is_some() {
        return false;
    }
    let xvfb = Xvfb::start();
    let status = Command::new(env::current_exe().expect("a test has a path"))
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(XVFB_PID, xvfb.process.id().to_string())
        .env("DISPLAY", &xvfb.display)
        .env_remove("WAYLAND_DISPLAY")
        .status()
        .expect("a test can run itself");
    assert!(status.success(), "{test} failed under Xvfb");
    true
}

fn start() -> (Clipboard, Receiver<ClipboardNote>) {
    let (sender, notes) = mpsc::channel();
    let environment = Environment { ssh: false, display: true, browser: None };
    let clipboard = Clipboard::start(&environment, move |note| sender.send(note).expect("the test listens"));
    (clipboard, notes)
}

/// What another program pastes; `None` when there is nothing.
fn pasted(target: &str) -> Option<String> {
    let output = Command::new("xclip")
        .args(["-o", "-selection", "clipboard", "-t", target])
        .output()
        .expect("xclip is installed");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("the clipboard holds text"))
}

/// Copies with another program.
fn copy_elsewhere(text: &str) {
    let mut xclip = Command::new("xclip")
        .args(["-i", "-selection", "clipboard"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("xclip is installed");
    xclip.stdin.take().expect("it was piped").write_all(text.as_bytes()).expect("xclip reads");
    assert!(xclip.wait().expect("xclip goes to the background").success());
}

fn signal_xvfb(signal: &str) {
    let pid = env::var(XVFB_PID).expect("the parent set it");
    assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
}

const SECONDS: fn(f32) -> Duration = Duration::from_secs_f32;

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn a_copy_is_readable_kept_out_of_histories_and_cleared_in_time() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (clipboard, notes) = start();
    let copied_at = Instant::now();
    let to = clipboard.put(Secret::new("first token"), Some(SECONDS(1.0))).await;
    assert_eq!(to, Ok(CopiedTo::Clipboard));
    assert_eq!(pasted("UTF8_STRING").as_deref(), Some("first token"));
    assert_eq!(pasted("x-kde-passwordManagerHint").as_deref(), Some("secret"));
    assert_eq!(notes.recv_timeout(SECONDS(5.0)), Ok(ClipboardNote::Cleared));
    assert!(copied_at.elapsed() >= SECONDS(1.0));
    assert_eq!(pasted("UTF8_STRING"), None);
}

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn what_the_person_copied_since_is_left_alone() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (mut clipboard, notes) = start();
    clipboard.put(Secret::new("a token"), Some(SECONDS(0.5))).await.unwrap();
    copy_elsewhere("my own words");
    assert!(notes.recv_timeout(SECONDS(1.0)).is_err(), "nothing was ours to clear");
    assert_eq!(pasted("UTF8_STRING").as_deref(), Some("my own words"));
    clipboard.close(SECONDS(0.5));
    assert_eq!(pasted("UTF8_STRING").as_deref(), Some("my own words"));
}

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn a_newer_copy_replaces_the_plan_to_clear_the_older() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (clipboard, notes) = start();
    clipboard.put(Secret::new("old"), Some(SECONDS(0.5))).await.unwrap();
    clipboard.put(Secret::new("new"), Some(SECONDS(2.0))).await.unwrap();
    assert!(notes.recv_timeout(SECONDS(1.0)).is_err(), "the older plan was still followed");
    assert_eq!(pasted("UTF8_STRING").as_deref(), Some("new"));
    assert_eq!(notes.recv_timeout(SECONDS(5.0)), Ok(ClipboardNote::Cleared));
}

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn a_copy_that_is_never_cleared_is_cleared_on_quitting() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (mut clipboard, notes) = start();
    clipboard.put(Secret::new("a token"), None).await.unwrap();
    assert!(notes.recv_timeout(SECONDS(0.5)).is_err());
    assert_eq!(pasted("UTF8_STRING").as_deref(), Some("a token"));
    clipboard.close(SECONDS(0.5));
    assert_eq!(notes.try_recv(), Ok(ClipboardNote::Cleared));
    assert_eq!(pasted("UTF8_STRING"), None);
}

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn a_display_server_that_hangs_stops_neither_copying_nor_quitting() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (mut clipboard, _notes) = start();
    signal_xvfb("-STOP");
    let before = Instant::now();
    assert_eq!(clipboard.put(Secret::new("x"), None).await, Err("the desktop's clipboard does not answer".into()));
    assert!(before.elapsed() < SECONDS(3.0), "{:?}", before.elapsed());
    let before = Instant::now();
    clipboard.close(SECONDS(0.5));
    assert!(before.elapsed() < SECONDS(1.0), "{:?}", before.elapsed());
    signal_xvfb("-CONT");
}

#[tokio::test]
#[ignore = "needs Xvfb and xclip; scripts/test runs it"]
async fn a_display_server_that_went_away_sends_copies_to_the_terminal() {
    if ran_under_xvfb(this_test!()) {
        return;
    }
    let (clipboard, _notes) = start();
    clipboard.put(Secret::new("x"), None).await.unwrap();
    signal_xvfb("-KILL");
    std::thread::sleep(SECONDS(0.5));
    assert_eq!(clipboard.put(Secret::new("y"), None).await, Ok(CopiedTo::Terminal));
}

/// A tmux server of our own, killed when dropped.
struct Tmux {
    directory: tempfile::TempDir,
}

impl Tmux {
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.directory.path().join("socket"))
            .args(["-f", "/dev/null"])
            .args(arguments)
            .env_remove("TMUX")
            .output()
            .expect("tmux is installed");
        String::from_utf8(output.stdout).expect("tmux speaks UTF-8")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
#[ignore = "needs tmux; scripts/test runs it"]
fn a_copy_sent_to_the_terminal_arrives_in_tmux() {
    const INSIDE: &str = "MANUTOP_TEST_INSIDE_TMUX";
    let test = this_test!();
    let token = "token for the terminal ".repeat(3_000);
    if env::var_os(INSIDE).is_some() {
        send_to_terminal(&mut std::io::stdout(), &Secret::new(&*token)).unwrap();
        return;
    }
    let tmux = Tmux { directory: tempfile::tempdir().unwrap() };
    let program = env::current_exe().unwrap();
    let command = format!("{INSIDE}=1 '{}' --exact {test} --include-ignored --nocapture; sleep 60", program.display());
    tmux.run(&["new-session", "-d", "sh", ";", "set-option", "-s", "set-clipboard", "on"]);
    tmux.run(&["respawn-pane", "-k", &command]);
    let deadline = Instant::now() + SECONDS(20.0);
    while tmux.run(&["show-buffer"]) != token {
        assert!(Instant::now() < deadline, "{}", tmux.run(&["capture-pane", "-p"]));
        std::thread::sleep(SECONDS(0.05));
    }
}
