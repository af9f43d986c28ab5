//! What is typed into a real terminal reaches the loop: whole, in order, and without anybody waiting
//! for what has not come yet.
//!
//! Each test runs itself again inside a pseudo-terminal, where it says which events it gets.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "whatever fails inside fails the test")]

use std::env;
use std::io::{Read, Write};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crossterm::event::Event;
use manutop::shell::input::Input;
use manutop::shell::signals::{Signal, Signals};
use manutop::shell::terminal::TerminalGuard;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const INSIDE: &str = "MANUTOP_TEST_INSIDE_PTY";
/// What the inside ends with when its terminal is gone.
const INPUT_ENDED: i32 = 7;

/// A program in a pseudo-terminal.
struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Pty {
    /// Runs the named test of this file inside, up to where it reads.
    fn run(test: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env::current_exe().expect("a test has a path"));
        command.args(["--exact", test, "--nocapture"]);
        command.env(INSIDE, "1");
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
        let writer = pair.master.take_writer().expect("a writer");
        let mut pty = Self { master: pair.master, writer, child, output, seen: String::new() };
        pty.until("<reading>");
        pty
    }

    fn types(&mut self, bytes: impl AsRef<[u8]>) {
        self.writer.write_all(bytes.as_ref()).and_then(|()| self.writer.flush()).expect("the terminal takes keys");
    }

    /// Reads up to a word, and answers with what stood before it.
    fn until(&mut self, word: &str) -> String {
        loop {
            if let Some((before, after)) = self.seen.split_once(word) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.seen = after;
                return before;
            }
            let Ok(bytes) = self.output.recv_timeout(Duration::from_secs(20)) else {
                panic!("never saw {word}, but {:?}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

fn say(words: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}

/// The inside: says what it gets, until `q` or until its terminal is gone.
fn tell_events() -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Else a closed terminal would end it before it notices.
        let mut signals = Signals::listen().unwrap();
        let mut guard = TerminalGuard::enter().unwrap();
        let mut input = Input::of_terminal();
        say("<reading>");
        loop {
            let event = tokio::select! {
                event = input.next() => event,
                signal = signals.next() => {
                    match signal {
                        Signal::Suspend => {
                            guard.suspend().unwrap();
                            guard.reenter().unwrap();
                            say("<again>");
                        }
                        Signal::Resized => say("<resized>"),
                        _ => {}
                    }
                    continue;
                }
            };
            match event {
                Some(Event::Key(key)) if key.code.as_char() == Some('q') => std::process::exit(0),
                Some(Event::Key(key)) => say(&format!("<{}{}>", key.modifiers, key.code)),
                Some(Event::Paste(text)) => say(&format!("<pasted {} {}>", text.len(), &text[text.len() - 3..])),
                Some(other) => say(&format!("<{other:?}>")),
                None => std::process::exit(INPUT_ENDED),
            }
        }
    })
}

/// Whether this is the run inside the pseudo-terminal.
fn inside() -> bool {
    env::var_os(INSIDE).is_some()
}

#[test]
fn a_sequence_that_comes_in_pieces_is_one_and_keeps_nobody_waiting() {
    if inside() {
        tell_events();
    }
    let mut pty = Pty::run("a_sequence_that_comes_in_pieces_is_one_and_keeps_nobody_waiting");
    pty.types("a");
    pty.until("<a>");
    // Half a sequence: whoever waited for the rest would not notice the new size.
    pty.types("\x1b[");
    pty.master.resize(PtySize { rows: 30, cols: 90, pixel_width: 0, pixel_height: 0 }).unwrap();
    pty.until("<resized>");
    pty.types("A");
    assert_eq!(pty.until("<Up>"), "");
    pty.types("\x1b");
    pty.until("<Esc>");
    pty.types("\u{e4}".as_bytes().split_at(1).0);
    pty.types("\u{e4}".as_bytes().split_at(1).1);
    pty.until("<\u{e4}>");
    pty.types("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn a_long_paste_is_one_and_what_is_typed_behind_it_comes_behind_it() {
    if inside() {
        tell_events();
    }
    let mut pty = Pty::run("a_long_paste_is_one_and_what_is_typed_behind_it_comes_behind_it");
    let text = format!("{}end", "x\n\x1b[A".repeat(20_000));
    pty.types(format!("\x1b[200~{text}\x1b[201~j"));
    pty.until(&format!("<pasted {} end>", text.len()));
    assert_eq!(pty.until("<j>"), "");
    pty.types("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn of_many_keys_none_is_lost() {
    if inside() {
        tell_events();
    }
    let mut pty = Pty::run("of_many_keys_none_is_lost");
    // Typed at once, more than is read at once; and one by one, each seen before the next.
    let keys: String = ('a'..='p').cycle().take(3000).collect();
    pty.types(&keys);
    pty.types("z");
    let told = pty.until("<z>");
    assert_eq!(told.replace(['<', '>'], ""), keys);
    for key in 'a'..='p' {
        pty.types(key.to_string());
        assert_eq!(pty.until(&format!("<{key}>")), "");
    }
    pty.types("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn a_stopped_program_leaves_the_terminal_to_others_and_reads_on_afterwards() {
    if inside() {
        tell_events();
    }
    let mut pty = Pty::run("a_stopped_program_leaves_the_terminal_to_others_and_reads_on_afterwards");
    let pid = pty.child.process_id().expect("it runs").to_string();
    let kill = |signal: &str| {
        let status = std::process::Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
        assert!(status.unwrap().success());
    };
    pty.types("a");
    pty.until("<a>");
    kill("TSTP");
    // It gives the terminal back before it stops.
    pty.until("\x1b[?1049l");
    let stopped = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T ");
    while !stopped() {
        std::thread::sleep(Duration::from_millis(5));
    }
    pty.types("b");
    kill("CONT");
    pty.until("<again>");
    pty.types("c");
    let told = pty.until("<c>");
    assert!(told.contains("<b>"), "what nobody else took is not lost: {told:?}");
    pty.types("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn input_ends_when_the_terminal_is_closed() {
    if inside() {
        tell_events();
    }
    let mut pty = Pty::run("input_ends_when_the_terminal_is_closed");
    pty.types("a");
    pty.until("<a>");
    let Pty { master, writer, mut child, output, .. } = pty;
    drop((master, writer));
    // The thread that reads has the last copy of the terminal's other side, and ends with it.
    drop(output);
    assert_eq!(i32::try_from(child.wait().unwrap().exit_code()).unwrap(), INPUT_ENDED);
}
