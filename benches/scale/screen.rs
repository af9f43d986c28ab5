//! The dashboard itself on such a home, in a pseudo-terminal: keys are pressed all the while, and each is
//! timed until the screen shows what it did.
//!
//! A machine that is busy is distinguished from a program that is slow by what the system says of the threads a
//! key goes through: how long they could have run and had no processor.

use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use super::home;
use super::spent::{spent, waited};

const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
const COLUMNS: u16 = 120;
const ROWS: u16 = 40;
/// The threads of the dashboard that a key goes through.
const THREADS: [&str; 2] = ["manutop", "input"];
/// The thread that reads the screen here.
const EYES: &str = "eyes";
/// A screen that does not show for so long what is waited for stands still.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the terminal is asked at start, for its colours and what it is, and what one says that is white on
/// black. Beside one that does not answer, the first key waits until that is clear.
const QUESTION: &[u8] = b"\x1b[c";
const ANSWER: &[u8] = b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62c";

/// Longer than the dashboard waits for that.
const QUESTIONING: Duration = Duration::from_millis(300);

/// The dashboard in its terminal.
pub struct Dashboard {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn std::io::Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    /// What was written until the terminal was asked for its colours, and whether it has been.
    beginning: Vec<u8>,
    is_asked: bool,
    /// All that was written to the terminal.
    bytes: usize,
    keys: Vec<Key>,
}

/// How long a key took, and how much of that was waiting for a processor.
#[derive(Clone, Copy)]
struct Key {
    took: Duration,
    waited: Duration,
}

impl Dashboard {
    /// Opens it, and waits for its rows.
    pub fn open(at: &Path) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(BINARY);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        for (variable, value) in home::environment(at) {
            command.env(variable, value);
        }
        let child = pair.slave.spawn_command(command).expect("manutop");
        let mut reader = pair.master.try_clone_reader().expect("its screen");
        let (sender, output) = mpsc::channel();
        let look = move || {
            let mut buffer = [0; 16_384];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send((Instant::now(), buffer[..read].to_vec())).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name(EYES.into()).spawn(look).expect("a thread");
        let [rows, columns] = [ROWS, COLUMNS].map(|length| NonZero::new(length).expect("it is not 0"));
        let mut dashboard = Self {
            child,
            keyboard: pair.master.take_writer().expect("its keyboard"),
            output,
            screen: vt100::Parser::new(rows, columns, 0),
            beginning: Vec::new(),
            is_asked: false,
            bytes: 0,
            keys: Vec::new(),
        };
        dashboard.until(|this| this.is_asked && this.selected().is_some());
        // What is typed while the answer is read may be lost.
        thread::sleep(QUESTIONING);
        dashboard
    }

    /// Presses a key and waits until it is seen to have been; then pauses, now longer, now shorter, so
    /// that keys fall into every moment of a second.
    pub fn press(&mut self) {
        self.look();
        let before = self.selected();
        // There and back, a page at a time now and then.
        let key = [b"j".as_slice(), b"j", b"k", b"\x1b[6~", b"k", b"\x1b[5~"][self.keys.len() % 6];
        let waited_before = self.waited();
        let pressed = Instant::now();
        self.type_in(key);
        let seen = self.until(|this| this.selected() != before);
        let waited = self.waited().saturating_sub(waited_before);
        self.keys.push(Key { took: seen - pressed, waited });
        thread::sleep(Duration::from_millis(30 + 37 * (self.keys.len() as u64 % 5)));
    }

    /// CPU seconds and peak memory so far; `-` where the system does not report it.
    pub fn spent(&self) -> (String, String) {
        spent(&self.process())
    }

    fn process(&self) -> String {
        self.child.process_id().expect("it runs").to_string()
    }

    fn waited(&self) -> Duration {
        waited(&self.process(), &THREADS) + waited("self", &[EYES])
    }

    /// Waits for the screen to be as asked, and gives the moment at which it was.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> Instant {
        let mut seen = Instant::now();
        // It shows the time all the while, whatever else it does not do.
        let deadline = seen + PATIENCE;
        while !is_so(self) {
            let next = self.output.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let Ok((at, bytes)) = next else {
                let picture = self.screen.screen().contents();
                panic!("after {} keys the screen stands still:\n{picture}", self.keys.len())
            };
            self.take(&bytes);
            seen = at;
        }
        seen
    }

    /// Takes in what has come.
    fn look(&mut self) {
        while let Ok((_, bytes)) = self.output.try_recv() {
            self.take(&bytes);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.screen.process(bytes);
        if !self.is_asked {
            self.beginning.extend_from_slice(bytes);
            self.is_asked = self.beginning.windows(QUESTION.len()).any(|window| window == QUESTION);
            if self.is_asked {
                self.type_in(ANSWER);
            }
        }
    }

    fn type_in(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).and_then(|()| self.keyboard.flush()).expect("it takes keys");
    }

    /// The connection that is selected.
    fn selected(&self) -> Option<String> {
        let mut rows = self.screen.screen().rows(0, COLUMNS);
        rows.find_map(|row| row.strip_prefix("│▸ ")?.split(' ').next().map(str::to_owned))
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // It may have exited on its own; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = |key: &Key| key.took.saturating_sub(key.waited);
        let (took, own) = (Spread::of(self.keys.iter().map(|key| key.took)), Spread::of(self.keys.iter().map(own)));
        let (keys, bytes) = (self.keys.len(), self.bytes);
        write!(f, "{keys} keys, ms: {took}; without waiting for a processor: {own}; {bytes} bytes to the terminal")
    }
}

/// How durations are spread.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<_> = durations.collect();
        sorted.sort();
        Self(sorted)
    }

    /// The duration that so many of a hundred do not exceed, in ms.
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = [50, 99, 100].map(|percent| self.percentile(percent));
        write!(f, "half {half:.1}, 99 of 100 {most:.1}, most {all:.1}")
    }
}
