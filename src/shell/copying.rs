//! Copying: the secret goes from the engine to the clipboard or the terminal, never through the
//! dashboard's state.

use std::time::Duration;

use super::clipboard::Clipboard;
use crate::domain::{ConnectionName, CopiedTo, CopyWhat, Event, Secret};
use crate::engine::Engine;

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
    connection: &ConnectionName,
    what: CopyWhat,
    clear_after: Option<Duration>,
) -> Copying {
    let failed = |why| Copying::Told(Event::CopyFailed { connection: connection.clone(), why });
    let text = match engine.reveal(connection, what).await {
        Ok(text) => text,
        Err(why) => return failed(why),
    };
    // A login URL is no secret that must vanish while somebody looks for a browser to paste it in.
    let clear_after = clear_after.filter(|_| what != CopyWhat::LoginUrl);
    match clipboard.put(text.clone(), clear_after).await {
        Ok(CopiedTo::Clipboard) => Copying::Told(copied(connection, what, CopiedTo::Clipboard, clear_after)),
        Ok(CopiedTo::Terminal) => Copying::ByTerminal(text),
        Err(why) => failed(why),
    }
}

/// The event that tells of a copy.
pub(super) fn copied(
    connection: &ConnectionName,
    what: CopyWhat,
    to: CopiedTo,
    cleared_after: Option<Duration>,
) -> Event {
    Event::Copied { connection: connection.clone(), what, to, cleared_after }
}
