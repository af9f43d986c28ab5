//! A test that runs itself again inside a pseudo-terminal, where it plays the program.

use std::env;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Set inside.
pub const INSIDE: &str = "MANUTOP_TEST_INSIDE_PTY";

/// The test that runs inside, seen from outside.
pub struct Inside {
    pub master: Box<dyn MasterPty + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    /// What comes out of the terminal, until it is closed.
    pub output: Receiver<Vec<u8>>,
}

impl Inside {
    /// Runs the named test of this file inside, on 80 columns and 24 rows.
    pub fn run(test: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env::current_exe().expect("a test has a path"));
        command.args(["--exact", test, "--nocapture"]);
        command.env(INSIDE, "1");
        command.env("RUST_BACKTRACE", "0"); // it would fill the small screen
        let child = pair.slave.spawn_command(command).expect("a test can run itself");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { master: pair.master, child, output }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.process_id().expect("it runs").to_string();
        let status = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
        assert!(status.expect("sh runs").success());
    }
}

/// Whether this is the run inside the pseudo-terminal.
pub fn inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Prints something for the outside, if it still listens.
pub fn say(words: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}
