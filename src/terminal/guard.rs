//! Takes the terminal over and gives it back, whatever happens in between.
//!
//! Invariants: while a [`TerminalGuard`] is inside, the terminal is in raw mode on the alternate screen with bracketed
//! paste reported, the mouse unless that is switched off, and changes of dark and light once that was asked for; after
//! `leave`, drop or a panic it is as it was, its cursor shown and its window's title the old one. Giving back is done
//! once and tries every step, even if one fails. A panic on another thread than the one that took the terminal over ends a task and not the
//! program: the dashboard continues drawing, so the terminal stays taken, and the report is held
//! back until it has been given back.
//!
//! Drawing is not here: the loop draws on any ratatui backend, and does without a guard in tests.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::{io, thread};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::style::Print;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};

use crate::terminal::osc;

/// How many reports of panics are held back; later ones are only counted.
const MOST_REPORTS: usize = 4;
/// How much of a report is held back, in characters.
const LONGEST_REPORT: usize = 16 * 1024;

/// The terminal is one per process, and the panic hook has no other way to know of it.
static TERMINAL: Mutex<GuardState> =
    Mutex::new(GuardState { owner: None, mouse: true, follows: false, held_back: Vec::new(), more: 0 });

#[derive(Debug)]
struct GuardState {
    /// Who took the terminal over; `None` while it is as it was.
    owner: Option<ThreadId>,
    /// Whether the mouse is reported while it is taken over.
    mouse: bool,
    /// Whether changes of dark and light are reported while it is taken over.
    follows: bool,
    /// Reports of panics on other threads, which a taken terminal would swallow.
    held_back: Vec<String>,
    /// How many more there were.
    more: usize,
}

impl GuardState {
    fn hold_back(&mut self, report: &str) {
        if self.held_back.len() == MOST_REPORTS {
            self.more += 1;
            return;
        }
        self.held_back.push(report.chars().take(LONGEST_REPORT).collect());
    }

    /// What was held back, as it is to be read. Empty afterwards.
    fn release(&mut self) -> String {
        let more = std::mem::take(&mut self.more);
        let more = (more > 0).then(|| format!("{more} more panics are not shown"));
        self.held_back.drain(..).chain(more).flat_map(|report| ["manutop: ".into(), report, "\n".into()]).collect()
    }
}

/// Holds the terminal, and gives it back when dropped.
#[derive(Debug)]
pub struct TerminalGuard(());

impl TerminalGuard {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard output is no terminal or it cannot be set up; it is then as it was.
    pub fn enter() -> io::Result<Self> {
        Self::enter_with(true)
    }

    /// Takes the terminal over, and the mouse if it is to be reported.
    ///
    /// # Errors
    /// As [`TerminalGuard::enter`].
    pub fn enter_with(mouse: bool) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not a terminal; the dashboard needs one"));
        }
        let guard = Self(());
        terminal().mouse = mouse;
        take()?; // on failure, dropping the guard gives back what was taken
        Ok(guard)
    }

    /// Has the mouse reported from now on, or left to the terminal.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn report_mouse(&mut self, on: bool) -> io::Result<()> {
        let mut state = terminal();
        state.mouse = on;
        if state.owner.is_none() {
            return Ok(());
        }
        if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    /// Gives the terminal back. Calling it again does nothing.
    pub fn leave(&mut self) {
        give_back();
    }

    /// Takes the terminal over again, after something else has had it. Everything must be
    /// redrawn afterwards.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn reenter(&mut self) -> io::Result<()> {
        // A stop that could not be caught leaves the terminal in the shell's mode behind our
        // back; raw mode is only set where it was unset before.
        let _ = disable_raw_mode();
        take()
    }

    /// Gives the terminal back and stops the process as Ctrl-Z does. When a person continues it
    /// (`fg`), [`TerminalGuard::reenter`] is due.
    ///
    /// # Errors
    /// When the process cannot be stopped.
    #[cfg(unix)]
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Has the terminal report when its colours turn dark or light (mode 2031), while it is taken over. Terminals that do
/// not know the mode pass over it.
pub fn follow_background() {
    let mut state = terminal();
    state.follows = osc::is_understood();
    if state.follows && state.owner.is_some() {
        // A terminal that cannot be written to is found to be gone elsewhere.
        let _ = execute!(io::stdout(), Print(osc::FOLLOW_BACKGROUND));
    }
}

/// Makes a panic of the thread that took the terminal over give it back before the present hook
/// prints its report, which would else be lost on the alternate screen. The reports of other
/// threads' panics are printed once the terminal is given back. To be called once, after other
/// hooks are installed.
pub fn install_panic_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !is_held_back(panic) {
            give_back();
            report(panic);
        }
    }));
}

/// Holds a report back where the dashboard continues without the thread that panicked.
fn is_held_back(panic: &PanicHookInfo<'_>) -> bool {
    let here = thread::current();
    let goes_on = |state: &GuardState| state.owner.is_some_and(|owner| owner != here.id());
    if !goes_on(&terminal()) {
        return false;
    }
    let trace = Backtrace::capture();
    let trace = if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
    let text = format!("thread {:?} {panic}{trace}", here.name().unwrap_or("without a name"));
    // The terminal may have been given back meanwhile: asked again under the lock that is kept.
    let mut state = terminal();
    let held = goes_on(&state);
    if held {
        state.hold_back(&text);
    }
    held
}

fn terminal() -> MutexGuard<'static, GuardState> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take() -> io::Result<()> {
    // Saved once, however often the terminal is taken over without having been given back.
    let is_first = terminal().owner.replace(thread::current().id()).is_none();
    enable_raw_mode()?;
    if is_first && osc::is_understood() {
        queue!(io::stdout(), Print(osc::SAVE_TITLE))?;
    }
    if terminal().mouse {
        queue!(io::stdout(), EnableMouseCapture)?;
    }
    if terminal().follows {
        // The colours may have changed meanwhile.
        queue!(io::stdout(), Print(osc::FOLLOW_BACKGROUND), Print(osc::ASK_DARK_OR_LIGHT))?;
    }
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
}

fn give_back() {
    // Held to the end: a report that comes now is printed after the terminal is as it was. Nothing
    // under it panics, so a panic never waits for itself.
    let mut state = terminal();
    if state.owner.take().is_none() {
        return;
    }
    let mut out = io::stdout();
    // Failures are passed over: the terminal may be gone (SIGHUP), and the rest is still due.
    // First, so that a report that is still on its way meets nothing else.
    if state.follows {
        let _ = queue!(out, Print(osc::UNFOLLOW_BACKGROUND));
    }
    // A panic may have come in the middle of a frame.
    let _ = queue!(out, EndSynchronizedUpdate, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    if osc::is_understood() {
        let _ = queue!(out, Print(osc::GIVE_TITLE_BACK));
    }
    let _ = out.flush();
    if is_ours() {
        let _ = disable_raw_mode();
    }
    let _ = io::stderr().write_all(state.release().as_bytes());
}

/// Whether the terminal's modes are ours to set. A shell whose window is closed takes the terminal
/// before it goes: a process that sets its modes then is stopped, and no one is left to continue it. The
/// shell sets its own.
#[cfg(unix)]
fn is_ours() -> bool {
    // A terminal that cannot answer is gone, and then setting its modes fails at once.
    rustix::termios::tcgetpgrp(io::stdin()).map_or(true, |foreground| foreground == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_ours() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::{GuardState, LONGEST_REPORT};

    #[test]
    fn reports_held_back_are_bounded_and_the_rest_is_counted() {
        let mut state = GuardState { owner: None, mouse: true, follows: false, held_back: Vec::new(), more: 0 };
        state.hold_back(&"ä".repeat(LONGEST_REPORT + 1));
        for number in 1..=9 {
            state.hold_back(&format!("report {number}"));
        }
        let text = state.release();
        assert_eq!(text.matches('ä').count(), LONGEST_REPORT);
        let (_, end) = text.split_once("report 2").unwrap();
        assert_eq!(end, "\nmanutop: report 3\nmanutop: 6 more panics are not shown\n");
        assert_eq!(state.release(), "");
    }
}
