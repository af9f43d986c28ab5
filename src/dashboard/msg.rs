//! What reaches the dashboard.

use crossterm::event::Event as InputEvent;

use crate::domain::{Background, Event};
use crate::request_log::query::LogAnswer;
use crate::terminal::terminal_event::TerminalEvent;

/// What reaches the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Msg {
    /// From the terminal: keys, mouse, pasted text, size. Send one `Resize` before the first draw.
    Input(InputEvent),
    /// The terminal's colours are dark or light from now on.
    Background(Background),
    /// From the engine or the shell.
    Event(Event),
    /// From the thread that reads the request log on disk.
    Log(LogAnswer),
    /// A second has begun.
    Tick,
}

impl From<TerminalEvent> for Msg {
    fn from(event: TerminalEvent) -> Self {
        match event {
            TerminalEvent::Input(event) => Self::Input(event),
            TerminalEvent::Background(background) => Self::Background(background),
        }
    }
}
