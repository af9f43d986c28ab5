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
use crate::terminal::terminal_event::TerminalEvent;

/// What reaches the dashboard from the person in front of it.
#[derive(Debug)]
pub struct TerminalInput {
    source: InputSource,
    /// Whether nothing reads the terminal but while it is waited for.
    can_be_lent: bool,
}

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
            return Self { source: InputSource::Keyboard(Box::new(keyboard)), can_be_lent: true };
        }
        // In no time at all crossterm would not even look.
        let _ = event::poll(Duration::from_millis(1));
        Self { source: InputSource::Channel(None), can_be_lent: false }
    }

    /// Whether another program can have the keys while nothing is waited for here.
    #[must_use]
    pub fn can_be_lent(&self) -> bool {
        self.can_be_lent
    }

    /// Has the terminal report when its colours turn dark or light, where it can and the report would not be taken for
    /// keys; the terminal's guard switches that off again. Nothing else may be reading the terminal.
    pub fn follow_background(&self) {
        // Crossterm's own reader waits for ever for the end of such a report.
        #[cfg(target_os = "linux")]
        if matches!(self.source, InputSource::Keyboard(_)) {
            crate::terminal::guard::follow_background();
        }
    }

    /// Waits for the next event; `None` when cannot read from the terminal. Nothing is lost
    /// when the wait is given up.
    pub async fn next(&mut self) -> Option<TerminalEvent> {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.next().await,
            InputSource::Channel(Some(receiver)) => receiver.recv().await.map(TerminalEvent::from),
            InputSource::Channel(unread @ None) => {
                unread.insert(read_terminal().ok()?).recv().await.map(TerminalEvent::from)
            }
        }
    }

    /// The next event, if it is here already.
    pub fn try_next(&mut self) -> Option<TerminalEvent> {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.try_next(),
            InputSource::Channel(receiver) => receiver.as_mut()?.try_recv().ok().map(TerminalEvent::from),
        }
    }

    /// Whether nothing is here.
    pub fn is_empty(&mut self) -> bool {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            InputSource::Keyboard(keyboard) => keyboard.is_empty(),
            InputSource::Channel(receiver) => receiver.as_ref().is_none_or(UnboundedReceiver::is_empty),
        }
    }
}

/// Events that another part sends.
impl From<UnboundedReceiver<Event>> for TerminalInput {
    fn from(receiver: UnboundedReceiver<Event>) -> Self {
        Self { source: InputSource::Channel(Some(receiver)), can_be_lent: true }
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
