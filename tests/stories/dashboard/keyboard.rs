//! What is typed into a real terminal reaches the loop: whole, in order, and without anybody waiting
//! for what has not come yet.
//!
//! Each test runs itself again inside a pseudo-terminal, where it says which events it gets.

use std::io::Write;
use std::time::Duration;

use crossterm::event::Event;
use manutop::platform::signals::{Signal, Signals};
use manutop::terminal::guard::TerminalGuard;
use manutop::terminal::input::TerminalInput;
use manutop::terminal::terminal_event::TerminalEvent;
use portable_pty::PtySize;

use crate::support::again::this_test;
use crate::support::inside::{Inside, inside, say};

/// What the inside ends with when its terminal is gone.
const INPUT_ENDED: i32 = 7;

/// A program in a pseudo-terminal.
struct Pty {
    test: Inside,
    writer: Box<dyn Write + Send>,
    seen: String,
}

impl Pty {
    /// Runs the named test of this file inside, up to where it reads.
    fn run(test: &str) -> Self {
        let test = Inside::run(test);
        let writer = test.master.take_writer().expect("a writer");
        let mut pty = Self { test, writer, seen: String::new() };
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
            let Ok(bytes) = self.test.output.recv_timeout(Duration::from_secs(20)) else {
                panic!("never saw {word}, but {:?}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

/// The inside: says what it gets, until `q` or until its terminal is gone.
fn print_events() -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Else a closed terminal would end it before it notices.
        let mut signals = Signals::listen().unwrap();
        let mut guard = TerminalGuard::enter().unwrap();
        let mut input = TerminalInput::of_terminal();
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
            let event = match event {
                Some(TerminalEvent::Input(event)) => Some(event),
                Some(TerminalEvent::Background(background)) => {
                    say(&format!("<{background:?}>"));
                    continue;
                }
                None => None,
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

#[test]
fn a_sequence_that_comes_in_pieces_is_one_and_holds_up_nothing() {
    if inside() {
        print_events();
    }
    let mut pty = Pty::run(this_test!());
    pty.types("a");
    pty.until("<a>");
    // Half a sequence: a reader that waited for the rest would not notice the new size.
    pty.types("\x1b[");
    pty.test.master.resize(PtySize { rows: 30, cols: 90, pixel_width: 0, pixel_height: 0 }).unwrap();
    pty.until("<resized>");
    pty.types("A");
    assert_eq!(pty.until("<Up>"), "");
    pty.types("\x1b");
    pty.until("<Esc>");
    pty.types("\u{e4}".as_bytes().split_at(1).0);
    pty.types("\u{e4}".as_bytes().split_at(1).1);
    pty.until("<\u{e4}>");
    pty.types("q");
    assert_eq!(pty.test.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn a_long_paste_is_one_and_what_is_typed_behind_it_comes_behind_it() {
    if inside() {
        print_events();
    }
    let mut pty = Pty::run(this_test!());
    let text = format!("{}end", "x\n\x1b[A".repeat(20_000));
    pty.types(format!("\x1b[200~{text}\x1b[201~j"));
    pty.until(&format!("<pasted {} end>", text.len()));
    assert_eq!(pty.until("<j>"), "");
    pty.types("q");
    assert_eq!(pty.test.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn of_many_keys_none_is_lost() {
    if inside() {
        print_events();
    }
    let mut pty = Pty::run(this_test!());
    // Typed at once, more than is read at once; and one by one, each seen before the next.
    let keys: String = ('a'..='p').cycle().take(3000).collect();
    pty.types(&keys);
    pty.types("z");
    let reported = pty.until("<z>");
    assert_eq!(reported.replace(['<', '>'], ""), keys);
    for key in 'a'..='p' {
        pty.types(key.to_string());
        assert_eq!(pty.until(&format!("<{key}>")), "");
    }
    pty.types("q");
    assert_eq!(pty.test.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn a_stopped_program_leaves_the_terminal_to_others_and_reads_on_afterwards() {
    if inside() {
        print_events();
    }
    let mut pty = Pty::run(this_test!());
    let pid = pty.test.child.process_id().expect("it runs").to_string();
    pty.types("a");
    pty.until("<a>");
    pty.test.signal("TSTP");
    // It gives the terminal back before it stops.
    pty.until("\x1b[?1049l");
    let stopped = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T ");
    while !stopped() {
        std::thread::sleep(Duration::from_millis(5));
    }
    pty.types("b");
    pty.test.signal("CONT");
    pty.until("<again>");
    pty.types("c");
    let reported = pty.until("<c>");
    assert!(reported.contains("<b>"), "what no other program took is not lost: {reported:?}");
    pty.types("q");
    assert_eq!(pty.test.child.wait().unwrap().exit_code(), 0);
}

#[test]
fn input_ends_when_the_terminal_is_closed() {
    if inside() {
        print_events();
    }
    let mut pty = Pty::run(this_test!());
    pty.types("a");
    pty.until("<a>");
    let Pty { test: Inside { master, mut child, output }, writer, .. } = pty;
    // The thread that reads has a copy of the terminal's other side, and ends with the next thing it cannot
    // hand over: what the inside says of the end that the writer types when it is dropped.
    drop(output);
    drop((writer, master));
    assert_eq!(i32::try_from(child.wait().unwrap().exit_code()).unwrap(), INPUT_ENDED);
}

/// The inside: follows the terminal's colours; `l` gives the terminal back, and the next key takes it over again.
fn follow_colours() -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut guard = TerminalGuard::enter().unwrap();
        let mut input = TerminalInput::of_terminal();
        input.follow_background();
        say("<reading>");
        loop {
            match input.next().await {
                Some(TerminalEvent::Background(background)) => say(&format!("<{background:?}>")),
                Some(TerminalEvent::Input(Event::Key(key))) if key.code.as_char() == Some('l') => {
                    guard.leave();
                    say("<left>");
                    guard.reenter().unwrap();
                    say("<again>");
                }
                _ => {
                    guard.leave();
                    say("<end>");
                    std::process::exit(0);
                }
            }
        }
    })
}

#[test]
fn a_change_of_dark_and_light_is_followed_and_the_mode_is_off_after_leaving() {
    if inside() {
        follow_colours();
    }
    let test = Inside::run(this_test!());
    let writer = test.master.take_writer().expect("a writer");
    let mut pty = Pty { test, writer, seen: String::new() };
    assert!(pty.until("<reading>").ends_with("\x1b[?2031h"), "on once something reads the reports");
    pty.types("\x1b[?997;2");
    pty.types("n\x1b[?997;1n");
    assert_eq!((pty.until("<Light>"), pty.until("<Dark>")), (String::new(), String::new()));
    pty.types("l");
    let leaving = pty.until("<left>");
    assert!(leaving.contains("\x1b[?2031l") && !leaving.contains("\x1b[?2031h"), "{leaving:?}");
    assert!(pty.until("<again>").contains("\x1b[?2031h\x1b[?996n"), "on again, and asks what it is now");
    pty.types("q");
    let leaving = pty.until("<end>");
    assert!(leaving.contains("\x1b[?2031l") && !leaving.contains("\x1b[?2031h"), "{leaving:?}");
    assert_eq!(pty.test.child.wait().unwrap().exit_code(), 0);
}
