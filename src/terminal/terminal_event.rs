//! What a terminal sends: input, and news of itself.

use crossterm::event::Event;

use crate::domain::Background;

/// What a terminal sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key, the mouse, focus, or pasted text.
    Input(Event),
    /// Its colours are dark or light from now on (mode 2031).
    Background(Background),
}

impl From<Event> for TerminalEvent {
    fn from(event: Event) -> Self {
        Self::Input(event)
    }
}
