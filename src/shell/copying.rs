//! Copying: a secret goes from the engine to the clipboard or the terminal, never through the
//! dashboard's state.

use std::time::Duration;

use super::clipboard::Clipboard;
use crate::domain::{ConnectionName, CopiedTo, CopyWhat, Event, Secret};
use crate::engine::Engine;

/// What somebody wants on the clipboard.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// Something of a connection.
    Of {
        /// Which connection.
        connection: ConnectionName,
        /// What of it.
        what: CopyWhat,
    },
    /// Names of connections, one a line.
    Names(Vec<ConnectionName>),
    /// A logged request as a `curl` command line, which holds no secret.
    Request {
        /// Whose.
        connection: ConnectionName,
        /// The line.
        text: Secret,
    },
}

impl Wanted {
    /// The event that tells that it was copied.
    pub(super) fn copied(&self, to: CopiedTo, cleared_after: Option<Duration>) -> Event {
        match self {
            Self::Of { connection, what } => {
                Event::Copied { connection: connection.clone(), what: *what, to, cleared_after }
            }
            Self::Names(names) => Event::NamesCopied(Ok((names.len(), to))),
            Self::Request { connection, .. } => {
                Event::Copied { connection: connection.clone(), what: CopyWhat::CurlLine, to, cleared_after }
            }
        }
    }

    /// The event that tells that it was not.
    pub(super) fn failed(&self, why: String) -> Event {
        match self {
            Self::Of { connection, .. } | Self::Request { connection, .. } => {
                Event::CopyFailed { connection: connection.clone(), why }
            }
            Self::Names(_) => Event::NamesCopied(Err(why)),
        }
    }

    /// Login URLs and names are no secrets that must vanish while somebody looks for a place to
    /// paste them in.
    fn vanishes(&self) -> bool {
        matches!(self, Self::Of { what, .. } if *what != CopyWhat::LoginUrl)
    }

    async fn text(&self, engine: &Engine) -> Result<Secret, String> {
        match self {
            Self::Of { connection, what } => engine.reveal(connection, *what).await,
            Self::Request { text, .. } => Ok(text.clone()),
            Self::Names(names) => {
                let lines: Vec<_> = names.iter().map(ConnectionName::as_str).collect();
                Ok(Secret::new(lines.join("\n")))
            }
        }
    }
}

/// What came of a copy, and what is left to do.
pub(super) enum Copying {
    /// Done, or failed: to be told.
    Told(Event),
    /// There is no desktop: the terminal is to be given this (OSC 52).
    ByTerminal(Secret),
}

/// Reveals and copies; `clear_after` is `None` where copies are never cleared.
pub(super) async fn copy(
    engine: &Engine,
    clipboard: &Clipboard,
    wanted: &Wanted,
    clear_after: Option<Duration>,
) -> Copying {
    let text = match wanted.text(engine).await {
        Ok(text) => text,
        Err(why) => return Copying::Told(wanted.failed(why)),
    };
    let clear_after = clear_after.filter(|_| wanted.vanishes());
    match clipboard.put(text.clone(), clear_after).await {
        Ok(CopiedTo::Clipboard) => Copying::Told(wanted.copied(CopiedTo::Clipboard, clear_after)),
        Ok(CopiedTo::Terminal) => Copying::ByTerminal(text),
        Err(why) => Copying::Told(wanted.failed(why)),
    }
}
