//! What a person pastes into a command, from standard input.
//!
//! A terminal hands a program no more than 4,095 bytes of a line, and an answer to a login may be
//! longer: so lines are put together here, and the terminal is left to its signals alone. It shows
//! nothing of what is pasted, which holds an authorization code. What comes at once is one text: a
//! wrapped URL has line breaks in it.

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::cli::support::stderr::message;
use crate::domain::Secret;

/// The most that is kept of one text, in bytes.
const MAX: usize = 64 * 1024;
/// A line is complete once nothing came for so long.
const SILENCE: Duration = Duration::from_millis(80);
/// A bracketed paste whose end got lost ends after so long.
const PASTE_SILENCE: Duration = Duration::from_millis(500);
/// Longer texts are not shown.
const SHORT: usize = 3;

/// The texts that are pasted or typed, one after another.
pub(crate) struct Pastes {
    pieces: UnboundedReceiver<Secret>,
    text: Text,
    has_ended: bool,
    /// Gives the terminal back when it is dropped.
    terminal: Option<NoEcho>,
}

impl Pastes {
    /// Begins to read standard input, on a thread that ends with the process.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn listen() -> io::Result<Self> {
        let terminal = NoEcho::enable();
        let (sender, pieces) = mpsc::unbounded_channel();
        thread::Builder::new().name("stdin".into()).spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(length @ 1..) = io::stdin().lock().read(&mut bytes) {
                // A character may be in two pieces: one byte is one character here.
                let piece: String = bytes[..length].iter().copied().map(char::from).collect();
                if sender.send(Secret::new(piece)).is_err() {
                    break;
                }
            }
        })?;
        let text = Text { is_typed: terminal.is_some(), ..Text::default() };
        Ok(Self { pieces, text, has_ended: false, terminal })
    }

    /// The next text that is not empty; `None` once there are no more. Nothing is lost when the
    /// wait is given up.
    pub(crate) async fn next(&mut self) -> Option<Secret> {
        loop {
            let silence = match self.text.end {
                LineEnd::Open if self.text.in_paste => PASTE_SILENCE,
                LineEnd::Open => Duration::MAX,
                LineEnd::Complete | LineEnd::Ready => SILENCE,
            };
            if self.has_ended {
                return self.take();
            }
            match timeout(silence, self.pieces.recv()).await {
                Ok(Some(piece)) => self.text.push(piece.expose()),
                Ok(None) => self.has_ended = true,
                Err(_) => self.text.fall_silent(),
            }
            self.has_ended |= self.text.is_over;
            if self.text.end == LineEnd::Ready
                && let Some(text) = self.take()
            {
                return Some(text);
            }
        }
    }

    fn take(&mut self) -> Option<Secret> {
        let text = self.text.take()?;
        if self.terminal.is_some() {
            match text.expose().trim() {
                shown if shown.len() <= SHORT => message!("{shown}"),
                hidden => message!("({} characters)", hidden.chars().filter(|c| !c.is_whitespace()).count()),
            }
        }
        Some(text)
    }
}

/// Whether a line has ended.
#[derive(Default, PartialEq, Eq)]
enum LineEnd {
    #[default]
    Open,
    /// With a line break; more may follow at once.
    Complete,
    /// And nothing came after it for a moment.
    Ready,
}

/// The text that is coming in.
#[derive(Default)]
struct Text {
    /// The bytes, each as the character of its number.
    held: String,
    /// Whether it comes from a terminal, with keys and control sequences.
    is_typed: bool,
    /// Within a bracketed paste, where a line break is text.
    in_paste: bool,
    /// The control sequence that has begun.
    sequence: Option<String>,
    end: LineEnd,
    /// Ctrl-D was pressed.
    is_over: bool,
}

impl Text {
    fn push(&mut self, piece: &str) {
        for byte in piece.chars() {
            if self.is_typed { self.key(byte) } else { self.add(byte) }
        }
    }

    fn add(&mut self, byte: char) {
        self.end = if byte == '\n' && !self.in_paste { LineEnd::Complete } else { LineEnd::Open };
        if self.held.len() < MAX {
            self.held.push(byte);
        }
    }

    fn key(&mut self, byte: char) {
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(byte);
            return self.go_on(sequence);
        }
        match byte {
            '\u{1b}' => self.sequence = Some(String::new()),
            '\u{4}' if self.held.is_empty() => self.is_over = true,
            '\r' | '\u{4}' => self.add('\n'),
            '\u{8}' | '\u{7f}' => self.erase(),
            '\u{15}' => self.held.clear(),
            byte => self.add(byte),
        }
    }

    /// Erases a whole character: all its bytes.
    fn erase(&mut self) {
        while let Some('\u{80}'..='\u{bf}') = self.held.pop() {}
    }

    fn go_on(&mut self, sequence: String) {
        let mut characters = sequence.chars();
        let (first, last) = (characters.next(), sequence.chars().next_back());
        let is_whole = match first {
            Some('[') => sequence.len() > 1 && last.is_some_and(|last| ('@'..='~').contains(&last)),
            Some('O') => sequence.len() > 1,
            _ => true,
        };
        match sequence.as_str() {
            "[200~" => self.in_paste = true,
            "[201~" => self.in_paste = false,
            _ if !is_whole && sequence.len() < 32 => self.sequence = Some(sequence),
            _ => {}
        }
    }

    /// Nothing came for a while.
    fn fall_silent(&mut self) {
        if std::mem::take(&mut self.in_paste) && self.held.ends_with('\n') {
            self.end = LineEnd::Complete;
        }
        if self.end == LineEnd::Complete {
            self.end = LineEnd::Ready;
        }
    }

    /// The text, where there is any.
    fn take(&mut self) -> Option<Secret> {
        self.end = LineEnd::Open;
        let held = std::mem::take(&mut self.held);
        let bytes: Vec<u8> = held.chars().filter_map(|byte| u8::try_from(u32::from(byte)).ok()).collect();
        let text = Secret::new(String::from_utf8_lossy(&bytes).into_owned());
        (!text.expose().trim().is_empty()).then_some(text)
    }
}

/// A terminal that hands over each key and shows none, and brackets what is pasted.
#[cfg(unix)]
struct NoEcho(rustix::termios::Termios);

#[cfg(unix)]
impl NoEcho {
    /// Sets the terminal up, if standard input is one, and this process may.
    fn enable() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcgetpgrp, tcsetattr};
        let stdin = io::stdin();
        let in_foreground = tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
        if !stdin.is_terminal() || !in_foreground {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &modes).ok()?;
        bracket('h');
        Some(Self(before))
    }
}

#[cfg(unix)]
impl Drop for NoEcho {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        bracket('l');
        // The rest of a paste must not go to the shell.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(unix)]
fn bracket(on: char) {
    use std::io::Write as _;
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\x1b[?2004{on}");
    }
}

/// Nothing of the kind here.
#[cfg(not(unix))]
struct NoEcho;

#[cfg(not(unix))]
impl NoEcho {
    fn enable() -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{LineEnd, Text};

    /// What is taken of the input, once it has fallen silent.
    fn taken(is_typed: bool, pieces: &[&str]) -> Option<String> {
        let mut text = Text { is_typed, ..Text::default() };
        for piece in pieces {
            let bytes: String = piece.bytes().map(char::from).collect();
            text.push(&bytes);
        }
        text.fall_silent();
        if text.end == LineEnd::Ready { text.take().map(|text| text.expose().to_owned()) } else { None }
    }

    #[test]
    fn a_typed_line_ends_with_enter_and_can_be_corrected() {
        assert_eq!(taken(true, &["abc"]), None);
        assert_eq!(taken(true, &["abcé\u{7f}d\r"]), Some("abcd\n".into()));
        assert_eq!(taken(true, &["wrong\u{15}right\x1b[D\x1bOP\r"]), Some("right\n".into()));
        assert_eq!(taken(true, &["\r"]), None);
    }

    #[test]
    fn a_paste_of_several_lines_is_one_text_and_waits_for_enter() {
        let paste = ["\x1b[20", "0~http://127.0.0.1/?co\rde=", "é&state=x\r\x1b[201~"];
        assert_eq!(taken(true, &paste), None);
        let entered = taken(true, &[paste[0], paste[1], paste[2], "\r"]);
        assert_eq!(entered.as_deref(), Some("http://127.0.0.1/?co\nde=é&state=x\n\n"));
    }

    #[test]
    fn a_paste_whose_end_is_lost_does_not_swallow_enter() {
        assert_eq!(taken(true, &["\x1b[200~abc\r"]), Some("abc\n".into()));
    }

    #[test]
    fn lines_that_come_at_once_are_one_text() {
        assert_eq!(taken(false, &["one\ntw", "o\n"]), Some("one\ntwo\n".into()));
        assert_eq!(taken(true, &["one\rtwo"]), None, "the last line has not ended");
    }

    #[test]
    fn no_text_takes_more_than_its_bound() {
        let long = "x".repeat(super::MAX + 10);
        assert_eq!(taken(false, &[&long, "\n"]).unwrap().len(), super::MAX);
    }
}
