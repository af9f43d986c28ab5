//! Effects: what the dashboard asks of the world around it. [`super::update`] itself does nothing
//! but change the state.

use crate::domain::{Command, ConnectionName, CopyWhat};

/// Something to be done. The engine is asked for most; the shell does what needs the terminal, the
/// clipboard or files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// To be handed to the engine.
    Engine(Command),
    /// Put something of a connection on the clipboard.
    Copy {
        /// Which connection.
        connection: ConnectionName,
        /// What of it.
        what: CopyWhat,
    },
    /// Leave the program.
    Quit,
    /// Stop until `fg` (Unix job control).
    Suspend,
}

impl From<Command> for Effect {
    fn from(command: Command) -> Self {
        Self::Engine(command)
    }
}

/// So that what the engine is asked for can be compared as it is written.
#[cfg(test)]
impl PartialEq<Command> for Effect {
    fn eq(&self, command: &Command) -> bool {
        matches!(self, Self::Engine(own) if own == command)
    }
}
