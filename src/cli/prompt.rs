//! A hidden prompt on the terminal.

use std::fmt::Display;
use std::io::{self, Write};

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

/// While this is held, Ctrl-C ends the prompt, not the process, which has a terminal to give back.
#[cfg(unix)]
fn outlive_interrupt() -> io::Result<impl Drop> {
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
fn outlive_interrupt() -> io::Result<()> {
    Ok(())
}
