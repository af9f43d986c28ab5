//! Questions on the terminal: for a secret, which is not shown, and for a choice.

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _, Write};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::domain::Secret;

/// Asks for a secret. Nothing typed is shown, from before the prompt is: whoever pastes at once,
/// or lets a script type, would else see what came before the prompt's own silence.
///
/// # Errors
/// There is no terminal to ask on, or Ctrl-C was pressed; the terminal is as it was.
pub(super) fn hidden(words: impl Display) -> io::Result<Secret> {
    let _patient = outlive_interrupt()?;
    enable_raw_mode()?;
    let answer = rpassword::prompt_password(words);
    disable_raw_mode()?;
    // The line break after the secret was written while the terminal took it literally.
    let _ = io::stderr().write_all(b"\r");
    answer.map(Secret::new)
}

/// Whether somebody is there to be asked.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for one of `choices`, by its first letter; an empty answer is the first of them. `None`
/// where the terminal was closed.
///
/// # Errors
/// The terminal cannot be read or written.
pub(super) fn choose(words: impl Display, choices: &[char]) -> io::Result<Option<char>> {
    let mut answer = String::new();
    loop {
        let mut err = io::stderr().lock();
        write!(err, "{words} [{}] ", choices.iter().map(char::to_string).collect::<Vec<_>>().join("/"))?;
        err.flush()?;
        drop(err);
        answer.clear();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Ok(None);
        }
        match answer.trim().to_lowercase().chars().next() {
            None => return Ok(choices.first().copied()),
            Some(letter) if choices.contains(&letter) => return Ok(Some(letter)),
            Some(_) => {}
        }
    }
}

/// While this is held, Ctrl-C ends what has the terminal, not this process, which has things to
/// put in order.
#[cfg(unix)]
pub(super) fn outlive_interrupt() -> io::Result<impl Drop> {
    struct Patient(signal_hook::SigId);
    impl Drop for Patient {
        fn drop(&mut self) {
            signal_hook::low_level::unregister(self.0);
        }
    }
    signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default()).map(Patient)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
pub(super) fn outlive_interrupt() -> io::Result<()> {
    Ok(())
}
