//! A program in a real pseudo-terminal: keys go in, and a model of the screen is kept from what
//! comes out.
//!
//! Everything that ever came out is kept too, as bytes and as the lines that were to be seen, so
//! that a test can say what was *never* shown. The program is killed when this is dropped.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::Screen;

/// How long a screen is waited for: a loaded machine is slow, and a failure rare.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program in a pseudo-terminal.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    raw: Vec<u8>,
    lines: BTreeSet<String>,
}

impl Terminal {
    /// Starts the program on a screen of so many columns and rows.
    pub fn start(command: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 16_384];
            // A pseudo-terminal whose program has ended gives an error, not an end.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            output,
            parser: vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap(), 0),
            raw: Vec::new(),
            lines: BTreeSet::new(),
        }
    }

    /// Types keys, as the terminal would send them.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Pastes text, bracketed as terminals do it.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives the window another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.drain();
        self.parser.set_size(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap());
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The program's process ID.
    #[allow(dead_code, reason = "not every test signals it")]
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the program a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        // The shell's own kill: no package is needed for it.
        let status = Command::new("sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Reads until the screen is as asked. Every state the program paints is looked at, however
    /// short it lasts, unless two came in one piece.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self.parser.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("never saw {what}:\n{}", self.picture()),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {what}:\n{}", self.picture()),
            }
        }
    }

    /// Reads until a text stands somewhere on the screen, within one line or wrapped.
    pub fn until_text(&mut self, text: &str) {
        self.until(text, |screen| shows(screen, text));
    }

    /// Whether the text stands on the screen now.
    pub fn shows(&mut self, text: &str) -> bool {
        self.drain();
        shows(self.parser.screen(), text)
    }

    /// The screen as it is now.
    pub fn screen(&mut self) -> &Screen {
        self.drain();
        self.parser.screen()
    }

    /// Reads until the program has ended; gives its exit code.
    pub fn ended(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.drain();
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last is still on its way.
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
                    self.take(&bytes);
                }
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it did not end:\n{}", self.picture());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails unless the dashboard has the terminal.
    pub fn assert_taken(&mut self) {
        let screen = self.screen();
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
        assert!(!self.is_cooked());
    }

    /// Fails unless the terminal is as it was before the dashboard.
    pub fn assert_given_back(&mut self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "pasted text is still bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(self.is_cooked(), "still in raw mode");
    }

    /// Everything that ever came out: the bytes, the bytes without control sequences, and every
    /// line that was to be seen.
    pub fn everything(&mut self) -> Vec<u8> {
        self.drain();
        let mut all = self.raw.clone();
        all.push(b'\n');
        all.extend(without_sequences(&self.raw));
        for line in &self.lines {
            all.push(b'\n');
            all.extend(line.bytes());
        }
        all
    }

    /// Every line that was to be seen.
    #[allow(dead_code, reason = "not every test asks for them")]
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The screen as text, for a failure's message.
    pub fn picture(&self) -> String {
        self.parser.screen().contents()
    }

    fn is_cooked(&self) -> bool {
        let modes = self.master.get_termios().unwrap();
        format!("{:?}", modes.local_flags).contains("ICANON")
    }

    fn drain(&mut self) {
        while let Ok(bytes) = self.output.try_recv() {
            self.take(&bytes);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.raw.extend_from_slice(bytes);
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let rows: Vec<String> = screen.rows(0, columns.get()).collect();
        // Wrapped text continues in the next line.
        self.lines.insert(rows.concat());
        self.lines.extend(rows);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a text stands on a screen: within a line, or over lines without anything beside it.
pub fn shows(screen: &Screen, text: &str) -> bool {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows(0, columns.get()).collect();
    rows.iter().any(|row| row.contains(text)) || rows.concat().contains(text) || spoken(&rows).contains(text)
}

/// The words on a screen with frames and line breaks read as spaces.
fn spoken(rows: &[String]) -> String {
    let words: Vec<&str> = rows
        .iter()
        .flat_map(|row| row.split(|c: char| c.is_whitespace() || ('\u{2500}'..='\u{257f}').contains(&c)))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// Printable bytes alone: text that was painted in several steps stands together again.
fn without_sequences(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0x1b if bytes.next_if_eq(&b'[').is_some() => {
                while bytes.next().is_some_and(|b| !(0x40..=0x7e).contains(&b)) {}
            }
            // A command to the terminal (title, clipboard, notification); its end is ESC \ or BEL.
            0x1b if bytes.next_if_eq(&b']').is_some() => {
                while bytes.next_if(|b| !matches!(b, 0x07 | 0x1b)).is_some() {}
            }
            0x20.. => text.push(byte),
            _ => {}
        }
    }
    text
}
