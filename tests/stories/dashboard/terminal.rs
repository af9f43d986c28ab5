//! The terminal is given back as it was, seen from the other side of a real pseudo-terminal.
//!
//! Each test runs itself again inside the pseudo-terminal, where it plays the program.

use std::io::Read;
use std::num::NonZero;
use std::time::Duration;

use manutop::terminal::guard::{TerminalGuard, install_panic_hook};

use crate::support::again::this_test;
use crate::support::inside::{INSIDE, Inside, inside, say};

/// A program in a pseudo-terminal, and the model of its screen.
struct Pty {
    test: Inside,
    screen: vt100::Parser,
}

impl Pty {
    /// Runs the named test of this file inside.
    fn run(test: &str) -> Self {
        let (rows, columns) = (NonZero::new(24).expect("24"), NonZero::new(80).expect("80"));
        Self { test: Inside::run(test), screen: vt100::Parser::new(rows, columns, 0) }
    }

    /// Reads until the screen satisfies the condition.
    fn until(&mut self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        while !condition(self.screen.screen()) {
            let Ok(bytes) = self.test.output.recv_timeout(Duration::from_secs(20)) else {
                panic!("never saw {what}; the screen is:\n{}", self.screen.screen().contents());
            };
            self.screen.process(&bytes);
        }
    }

    fn is_raw(&self) -> bool {
        let modes = self.test.master.get_termios().expect("a pseudo-terminal has modes");
        !format!("{:?}", modes.local_flags).contains("ICANON")
    }

    fn assert_taken(&self) {
        let screen = self.screen.screen();
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
        assert_ne!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(self.is_raw());
    }

    fn assert_as_before(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!self.is_raw());
    }
}

fn await_key() {
    let _ = std::io::stdin().read(&mut [0; 1]).expect("a key comes");
}

#[test]
fn leaving_gives_the_terminal_back_and_shows_the_cursor() {
    if inside() {
        let mut guard = TerminalGuard::enter().unwrap();
        say("taken over");
        await_key();
        guard.leave();
        say("left for good");
        await_key();
        // Leaving without running destructors, as `process::exit` does, must not matter.
        std::process::exit(0);
    }
    let mut pty = Pty::run(this_test!());
    pty.until("it taken over", |screen| screen.contents().contains("taken over"));
    pty.assert_taken();
    let mut keys = pty.test.master.take_writer().unwrap();
    keys.write_all(b"x").unwrap();
    pty.until("it left", |screen| screen.contents().contains("left for good"));
    pty.assert_as_before();
    keys.write_all(b"\n").unwrap();
    assert!(pty.test.child.wait().unwrap().success());
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_reports() {
    if inside() {
        install_panic_hook();
        let _guard = TerminalGuard::enter().unwrap();
        say("taken over");
        await_key();
        panic!("an invariant broke");
    }
    let mut pty = Pty::run(this_test!());
    pty.until("it taken over", |screen| screen.contents().contains("taken over"));
    pty.assert_taken();
    pty.test.master.take_writer().unwrap().write_all(b"x").unwrap();
    pty.until("the report on the ordinary screen", |screen| {
        !screen.alternate_screen() && screen.contents().contains("an invariant broke")
    });
    pty.assert_as_before();
    assert!(!pty.test.child.wait().unwrap().success());
}

#[test]
fn a_panic_of_another_thread_leaves_the_terminal_taken_and_is_reported_at_the_end() {
    if inside() {
        install_panic_hook();
        let mut guard = TerminalGuard::enter().unwrap();
        let task = std::thread::Builder::new().name("engine".into()).spawn(|| panic!("a task broke")).unwrap();
        task.join().unwrap_err();
        say("still drawing");
        await_key();
        guard.leave();
        say("left for good");
        await_key();
        std::thread::spawn(|| panic!("another broke")).join().unwrap_err();
        return;
    }
    let mut pty = Pty::run(this_test!());
    pty.until("it draw on", |screen| screen.contents().contains("still drawing"));
    pty.assert_taken();
    assert!(!pty.screen.screen().contents().contains("broke"), "the report disturbs the dashboard");
    let mut keys = pty.test.master.take_writer().unwrap();
    keys.write_all(b"x").unwrap();
    pty.until("it left", |screen| screen.contents().contains("left for good"));
    pty.assert_as_before();
    let said = pty.screen.screen().contents();
    assert!(said.contains("thread \"engine\" panicked at") && said.contains("a task broke"), "{said}");
    keys.write_all(b"\n").unwrap();
    pty.until("a later report at once", |screen| screen.contents().contains("another broke"));
    assert!(pty.test.child.wait().unwrap().success());
}

#[test]
fn suspending_gives_the_terminal_back_until_it_is_continued() {
    if inside() {
        let mut guard = TerminalGuard::enter().unwrap();
        say("taken over");
        await_key();
        guard.suspend().unwrap();
        guard.reenter().unwrap();
        say("continued");
        await_key();
        return;
    }
    let mut pty = Pty::run(this_test!());
    pty.until("it taken over", |screen| screen.contents().contains("taken over"));
    let mut keys = pty.test.master.take_writer().unwrap();
    keys.write_all(b"x").unwrap();
    pty.until("the ordinary screen", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    std::thread::sleep(Duration::from_millis(300));
    pty.assert_as_before();
    assert!(pty.test.output.try_recv().is_err(), "it went on although stopped");
    pty.test.signal("CONT");
    pty.until("it continued", |screen| screen.contents().contains("continued"));
    pty.assert_taken();
    keys.write_all(b"x").unwrap();
    pty.until("the ordinary screen again", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    assert!(pty.test.child.wait().unwrap().success());
}

#[test]
fn without_a_terminal_nothing_is_taken_over() {
    if inside() {
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dashboard::terminal::leaving_gives_the_terminal_back_and_shows_the_cursor", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not a terminal"), "{said}");
    assert!(!output.stdout.contains(&b'\x1b'), "escape sequences were written");
}
