//! Effects: what the dashboard asks of the world around it. [`crate::dashboard::update`] itself does nothing
//! but change the state.

use crate::config::Draft;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::{Command, ConnectionName, CopyWhat, LogEntry, ProgramRun, Secret};
use crate::request_log::export::Format;
use crate::request_log::query::{LogQuery, LogRest};

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
    /// Write a connection into the configuration, its client secret into the secret store, and take
    /// over its refresh token.
    Save {
        /// What is to be written.
        draft: Box<Draft>,
        /// The client secret, where one was typed.
        client_secret: Option<Secret>,
        /// The refresh token of another program, where one was typed.
        refresh_token: Option<Secret>,
    },
    /// Forget everything of a connection and take it out of the configuration.
    Delete {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Break something of the demo's, or fix all of it.
    Fault {
        /// The connection from which it was asked for.
        connection: ConnectionName,
        /// What.
        kind: FaultKind,
    },
    /// Run a command of the configuration.
    RunCommand(Box<ProgramRun>),
    /// Open the configuration file in an editor, in the dashboard's place.
    EditConfiguration,
    /// Report the mouse to the dashboard, or leave it to the terminal.
    Mouse(bool),
    /// Put names of connections, one a line, on the clipboard.
    CopyNames(Vec<ConnectionName>),
    /// Put a logged request on the clipboard as a `curl` command line, without its secrets.
    CopyRequest(Box<LogEntry>),
    /// Write logged requests to a file.
    Export {
        /// As what.
        format: Format,
        /// The requests that are in memory, oldest first.
        entries: Vec<LogEntry>,
        /// Those before them, where the disk may hold some.
        older: Option<LogRest>,
    },
    /// Read of the request log on disk what is to be seen next.
    Log(LogQuery),
    /// Write into the configuration that secrets are kept in encrypted files, and use these.
    UseFiles,
    /// Leave for the demo.
    OpenDemo {
        /// Whether with the guided tour.
        tour: bool,
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
