//! The terminal's input, read by the thread that draws.
//!
//! A key that a thread of its own reads has to wake another one before anything is drawn: half of
//! what a key takes to be seen beyond the drawing. Invariants: reading never waits, because the
//! terminal is opened again for it, and that what others read and write through stays as it is;
//! nothing is read but when the runtime reports that there is something, or when asked to look.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::terminal::decoder::Decoder;
use crate::terminal::terminal_event::TerminalEvent;

/// The controlling terminal.
const TERMINAL: &str = "/dev/tty";
/// How often it is read in one look.
const MOST_READS: usize = 16;

/// What is typed, clicked and pasted.
#[derive(Debug)]
pub(crate) struct Keyboard {
    terminal: AsyncFd<OwnedFd>,
    decoder: Decoder,
}

impl Keyboard {
    /// Opens the controlling terminal, and takes in what was typed ahead. To be called on a tokio runtime.
    ///
    /// # Errors
    /// There is none, or the system cannot wait for it.
    #[expect(deprecated, reason = "unsound for what closes its descriptor behind one's back; this one is owned")]
    pub(crate) fn open() -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(TERMINAL, flags, Mode::empty())?;
        let terminal = AsyncFd::with_interest(terminal, Interest::READABLE)?;
        let mut keyboard = Self { terminal, decoder: Decoder::default() };
        keyboard.look();
        Ok(keyboard)
    }

    /// Waits for the next event; `None` when the terminal is gone. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Option<TerminalEvent> {
        loop {
            if let Some(event) = self.decoder.next() {
                return Some(event);
            }
            let mut ready = self.terminal.readable().await.ok()?;
            let is_closed = ready.ready().is_read_closed();
            match ready.try_io(|terminal| read(terminal.get_ref(), &mut self.decoder)) {
                Ok(Ok(0)) if !is_closed => ready.clear_ready(),
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(_)) => {}
                Err(_nothing_there) => self.decoder.pause(),
            }
        }
    }

    /// The next event of those that were read already.
    pub(crate) fn try_next(&mut self) -> Option<TerminalEvent> {
        self.decoder.next()
    }

    /// Whether nothing was typed. Looks at the terminal itself.
    pub(crate) fn is_empty(&mut self) -> bool {
        if self.decoder.is_empty() {
            self.look();
        }
        self.decoder.is_empty()
    }

    /// Takes in what is there, but not for ever what comes without end.
    fn look(&mut self) {
        for _ in 0..MOST_READS {
            match read(self.terminal.get_ref(), &mut self.decoder) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.decoder.pause(),
                // A terminal that is gone is found to be when it is waited for.
                Ok(0) | Err(_) => return,
            }
        }
    }
}

fn read(terminal: &OwnedFd, decoder: &mut Decoder) -> io::Result<usize> {
    let mut bytes = [0; 1024];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(terminal, &mut bytes))?;
    decoder.take(&bytes[..length]);
    Ok(length)
}
