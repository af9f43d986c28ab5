//! Keys, mouse and pasted text, one after another, without anything that polls.
//!
//! On Linux the thread that draws reads the terminal itself. Elsewhere, and where there is no
//! controlling terminal, a plain thread waits for it and sends what comes.

use std::time::Duration;
use std::{io, thread};

use crossterm::event;
use crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::terminal::background::LateAnswer;
#[cfg(target_os = "linux")]
use crate::terminal::keyboard::Keyboard;

/// What reaches the dashboard from the person in front of it.
#[derive(Debug)]
pub struct TerminalInput(InputSource);

#[derive(Debug)]
enum InputSource {
    #[cfg(target_os = "linux")]
    Keyboard(Box<Keyboard>),
    /// `None` until it is waited for: no one reads the terminal before.
    Channel(Option<UnboundedReceiver<Event>>),
}

impl TerminalInput {
    /// The terminal's. To be called on a tokio runtime, in raw mode. What was typed ahead is
    /// taken in; what comes then is left to others until the first wait.
    #[must_use]
    pub fn of_terminal() -> Self {
        #[cfg(target_os = "linux")]
        if let Ok(keyboard) = Keyboard::open() {
            return Self(InputSource::Keyboard(Box::new(keyboard)));
        }
        // In no time at all crossterm would not even look.
        let _ = event::poll(Duration::from_millis(1));
        Self(InputSource::Channel(None))
    }

    /// Waits for the next event; `None` when cannot read from the terminal. Nothing is lost
    /// when the wait is given up.
    pub async fn next(&mut self) -> Option<Event> {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.next().await,
            InputSource::Channel(Some(receiver)) => receiver.recv().await,
            InputSource::Channel(unread @ None) => unread.insert(read_terminal().ok()?).recv().await,
        }
    }

    /// The next event, if it is here already.
    pub fn try_next(&mut self) -> Option<Event> {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.try_next(),
            InputSource::Channel(receiver) => receiver.as_mut()?.try_recv().ok(),
        }
    }

    /// Whether nothing is here.
    pub fn is_empty(&mut self) -> bool {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.is_empty(),
            InputSource::Channel(receiver) => receiver.as_ref().is_none_or(UnboundedReceiver::is_empty),
        }
    }
}

/// Events that another part sends.
impl From<UnboundedReceiver<Event>> for TerminalInput {
    fn from(receiver: UnboundedReceiver<Event>) -> Self {
        Self(InputSource::Channel(Some(receiver)))
    }
}

/// Starts reading the terminal. The channel ends when cannot read from the terminal. The
/// thread ends with the process: nothing can wake it from its wait.
fn read_terminal() -> io::Result<UnboundedReceiver<Event>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::Builder::new().name("input".into()).spawn(move || {
        let mut late = LateAnswer::default();
        while let Ok(input) = event::read() {
            if late.takes(&input) {
                continue;
            }
            if sender.send(input).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}
