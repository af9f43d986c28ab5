//! Which process leads: a plain thread waits for the leadership lock for as long as another process has it. The
//! kernel hands it over at the moment in which the holder ends, however it ends; nothing is polled.

use std::{io, thread};

use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::secrets::error::StoreError;
use crate::tokens::leadership::Leadership;
use crate::tokens::vault::Vault;

/// What became of the attempt to lead.
pub(crate) enum RoleChange {
    /// Another process leads: its process ID, where it could be read.
    Standby(Option<u32>),
    /// This process leads until it drops this.
    Leads(Leadership),
    /// The lock cannot be had at all.
    Failed(StoreError),
}

/// Begins to wait. A process that ends meanwhile is not held up by the thread.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn seek(vault: Vault) -> io::Result<UnboundedReceiver<RoleChange>> {
    let (news, changes) = mpsc::unbounded_channel();
    thread::Builder::new().name("leadership".into()).spawn(move || {
        // The listener is gone where the program is leaving: then the lock is freed again.
        let result = vault.lead(|holder| drop(news.send(RoleChange::Standby(holder))));
        let _ = news.send(result.map_or_else(RoleChange::Failed, RoleChange::Leads));
    })?;
    Ok(changes)
}
