//! Takes the terminal over and gives it back, whatever happens in between.
//!
//! Invariants: while a [`TerminalGuard`] is inside, the terminal is in raw mode on the alternate
//! screen with mouse and bracketed paste reported; after `leave`, drop or a panic it is as it
//! was, its cursor shown. Giving back is done once and tries every step, even if one fails.
//!
//! Drawing is not here: the loop draws on any ratatui backend, and does without a guard in tests.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};

/// Whether the terminal is taken over. The terminal is one per process, and the panic hook has
/// no other way to know.
static INSIDE: AtomicBool = AtomicBool::new(false);

/// Holds the terminal, and gives it back when dropped.
#[derive(Debug)]
pub struct TerminalGuard(());

impl TerminalGuard {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard output is no terminal or it cannot be set up; it is then as it was.
    pub fn enter() -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not a terminal; the dashboard needs one"));
        }
        let guard = Self(());
        take()?; // on failure, dropping the guard gives back what was taken
        Ok(guard)
    }

    /// Gives the terminal back. Calling it again does nothing.
    pub fn leave(&mut self) {
        give_back();
    }

    /// Takes the terminal over once more, after something else has had it. Everything must be
    /// drawn anew afterwards.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn reenter(&mut self) -> io::Result<()> {
        // A stop that could not be caught leaves the terminal in the shell's mode behind our
        // back; raw mode is only set where it was unset before.
        let _ = disable_raw_mode();
        take()
    }

    /// Gives the terminal back, stops the process as Ctrl-Z does, and takes the terminal over
    /// when somebody continues it (`fg`). Everything must be drawn anew afterwards.
    ///
    /// # Errors
    /// When the process cannot be stopped, or the terminal cannot be taken over again.
    #[cfg(unix)]
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        let stopped = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
        // Here the process has been continued.
        self.reenter()?;
        stopped
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Makes a panic give the terminal back before the present hook prints its report, which would
/// else be lost on the alternate screen. To be called once, after other hooks are installed.
pub fn install_panic_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back();
        report(panic);
    }));
}

fn take() -> io::Result<()> {
    INSIDE.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableMouseCapture, Hide)
}

fn give_back() {
    if !INSIDE.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Failures are passed over: the terminal may be gone (SIGHUP), and the rest is still due.
    let _ = queue!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}
