//! Questions on the terminal: for a secret, which is not shown, and for a choice.

use std::fmt::Display;
use std::io;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::domain::Secret;
use crate::platform::signals;
use crate::platform::signals::{Signal, Signals};

/// The most lines of one secret: more than any answer of a token endpoint has.
const MOST_LINES: usize = 1000;

/// Asks for a secret. Nothing typed is shown, from before the prompt is: a person who pastes at once,
/// or lets a script type, would otherwise see what came before the prompt's own silence.
///
/// # Errors
/// There is no terminal to ask on, or Ctrl-C was pressed; the terminal is as it was.
pub(crate) fn hidden(words: impl Display) -> io::Result<Secret> {
    hidden_lines(words, |_| false)
}

/// The same for a secret that may have several lines: asks for the next one while `goes_on` says
/// that what there is continues, up to [`MOST_LINES`]. Lines of any length are read whole.
///
/// # Errors
/// As [`hidden`].
pub(crate) fn hidden_lines(words: impl Display, goes_on: impl Fn(&str) -> bool) -> io::Result<Secret> {
    let _patient = outlive_interrupt()?;
    enable_raw_mode()?;
    let answer = read_lines(words, goes_on);
    disable_raw_mode()?;
    // The line break after the secret was written while the terminal took it literally.
    let _ = io::stderr().write_all(b"\r");
    answer.map(Secret::new)
}

/// Reads while the terminal stays silent: between two lines of a paste nothing may be shown either.
fn read_lines(words: impl Display, goes_on: impl Fn(&str) -> bool) -> io::Result<String> {
    let mut text = rpassword::prompt_password(words)?;
    for _ in 1..MOST_LINES {
        if !goes_on(&text) {
            break;
        }
        text.push('\n');
        text.push_str(&rpassword::read_password()?);
    }
    Ok(text)
}

/// Reads standard input, which is piped, as far as one byte beyond `max`.
///
/// # Errors
/// It cannot be read, or is no text.
pub(crate) fn piped(max: usize) -> io::Result<Secret> {
    let mut text = String::new();
    let most = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    io::stdin().take(most).read_to_string(&mut text)?;
    Ok(Secret::new(text))
}

/// Whether a person is there to be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for one of `choices`, by its first letter; an empty answer is the first of them. `None`
/// where the terminal was closed. For a program that does not listen to signals yet: Ctrl-C ends it.
///
/// # Errors
/// The terminal cannot be read or written.
pub(crate) fn choose(words: impl Display, choices: &[char]) -> io::Result<Option<char>> {
    let _ended = end_by_interrupt()?;
    ask(words, choices)
}

fn ask(words: impl Display, choices: &[char]) -> io::Result<Option<char>> {
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

/// Asks for a line of text; an empty answer is the `default`. `None` where the terminal was closed. For a program
/// that does not listen to signals yet: Ctrl-C ends it.
///
/// # Errors
/// The terminal cannot be read or written.
pub(crate) fn line(words: impl Display, default: &str) -> io::Result<Option<String>> {
    let _ended = end_by_interrupt()?;
    let mut err = io::stderr().lock();
    if default.is_empty() {
        write!(err, "{words}: ")?;
    } else {
        write!(err, "{words} [{default}]: ")?;
    }
    err.flush()?;
    drop(err);
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        return Ok(None);
    }
    let answer = answer.trim();
    Ok(Some(if answer.is_empty() { default } else { answer }.to_owned()))
}

/// [`choose`] once the program listens to signals, which then end no blocking read. `None` also where a signal asked the
/// program to leave: then nothing more can be asked, since a thread is still reading the terminal. The end of the
/// process does not wait for it.
///
/// # Errors
/// As [`choose`], or no signal can be listened to.
pub(crate) async fn choose_or_leave(words: String, choices: &'static [char]) -> io::Result<Option<char>> {
    let mut signals = Signals::listen()?;
    let mut answer = tokio::task::spawn_blocking(move || ask(words, choices));
    loop {
        tokio::select! {
            answer = &mut answer => return answer.map_err(io::Error::other)?,
            signal = signals.next() => match signal {
                Signal::Suspend => signals::stop()?,
                signal if signal.is_quit() => {
                    // What is said next begins a line.
                    let _ = io::stderr().write_all(b"\n");
                    return Ok(None);
                }
                _ => {}
            },
        }
    }
}

/// While this is held, Ctrl-C ends what has the terminal, not this process, which has things to
/// put in order.
#[cfg(unix)]
pub(crate) fn outlive_interrupt() -> io::Result<impl Drop> {
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default()).map(Registered)
}

/// While this is held, Ctrl-C ends this process as if nothing had ever been registered for it: the default does not
/// come back automatically once [`outlive_interrupt`] is over.
#[cfg(unix)]
fn end_by_interrupt() -> io::Result<impl Drop> {
    let always = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, always).map(Registered)
}

/// What is to happen at a signal, while this lives.
#[cfg(unix)]
struct Registered(signal_hook::SigId);

#[cfg(unix)]
impl Drop for Registered {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.0);
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
pub(crate) fn outlive_interrupt() -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
fn end_by_interrupt() -> io::Result<()> {
    Ok(())
}
