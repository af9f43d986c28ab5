//! What the program around the engine notices: the configuration file, the clipboard, exports, the `on_event` program.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::command::CopyWhat;
use crate::domain::connection::ConnectionName;
use crate::domain::field_fault::FieldFault;

/// Something that the dashboard or the keepalive service noticed outside the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// The configuration file was read after it changed: it is in effect (`Ok`), or not (`Err`: what is wrong,
    /// where, and what stays in effect).
    ConfigurationRead(Result<(), String>),
    /// Changes of the configuration file are not noticed.
    ConfigurationUnwatched {
        /// Why.
        why: String,
    },
    /// A connection was written into the configuration file (`Ok`), or was not (`Err`: what is
    /// wrong, field by field).
    ConnectionSaved {
        /// Which connection; as text, because it may not be a valid name.
        connection: String,
        /// The outcome.
        result: Result<(), Vec<FieldFault>>,
    },
    /// A connection whose tokens were deleted was removed from the configuration file (`Ok`), or is still
    /// there (`Err`: why).
    ConnectionDeleted {
        /// Which connection.
        connection: ConnectionName,
        /// The outcome.
        result: Result<(), String>,
    },
    /// The configuration file now says that secrets are kept in encrypted files (`Ok`), or could not be changed
    /// (`Err`: why).
    FilesChosen(Result<(), String>),
    /// Something was put on the clipboard.
    Copied {
        /// Which connection.
        connection: ConnectionName,
        /// What of it.
        what: CopyWhat,
        /// Where it went.
        to: CopiedTo,
        /// After how long it is cleared; `None` for never.
        cleared_after: Option<Duration>,
    },
    /// Nothing could be put on the clipboard.
    CopyFailed {
        /// Which connection.
        connection: ConnectionName,
        /// Why.
        why: String,
    },
    /// Names of connections were put on the clipboard (`Ok`: how many, and where they went), or not
    /// (`Err`: why, in plain words).
    NamesCopied(Result<(usize, CopiedTo), String>),
    /// The clipboard was cleared, because it still held what was put there.
    ClipboardCleared,
    /// A copy is still on the clipboard and could not be cleared.
    ClipboardNotCleared {
        /// Why.
        why: String,
    },
    /// The request log was written to a file (`Ok`), or not (`Err`: why).
    Exported {
        /// How many requests.
        requests: usize,
        /// Whether these were all that were shown; otherwise the newest of them.
        all: bool,
        /// The file.
        result: Result<PathBuf, String>,
    },
    /// A command of the configuration ended.
    CommandEnded {
        /// Which command.
        name: String,
        /// The connection it was run for; `None` for none.
        connection: Option<ConnectionName>,
        /// Its last line, without secrets, or why it failed.
        result: Result<String, String>,
    },
    /// The program that is run for each event failed, or was too slow.
    HookFailed {
        /// Why.
        why: String,
    },
}

/// Where a copy went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopiedTo {
    /// The desktop's clipboard, confirmed.
    Clipboard,
    /// The terminal (OSC 52), which does not confirm.
    Terminal,
}
