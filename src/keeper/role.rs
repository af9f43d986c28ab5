//! Who leads: a plain thread waits for the keepers' lock for as long as somebody else has it. The
//! kernel hands it over at the moment in which the holder ends, however it ends; nothing is polled.

use std::io;
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::store::{Leadership, StoreError, Vault};

/// What became of the wish to lead.
pub(super) enum News {
    /// Another process leads: its process ID, where it could be read.
    StandsBy(Option<u32>),
    /// This process leads until it drops this.
    Leads(Leadership),
    /// The lock cannot be had at all.
    Failed(StoreError),
}

/// Begins to wait. A process that ends meanwhile is not held up by the thread.
///
/// # Errors
/// The system gives no thread.
pub(super) fn seek(vault: Vault) -> io::Result<UnboundedReceiver<News>> {
    let (news, told) = mpsc::unbounded_channel();
    thread::Builder::new().name("keeper-lock".into()).spawn(move || {
        // Nobody listens any more where the program is leaving: then the lock is freed again.
        let result = vault.lead(|holder| drop(news.send(News::StandsBy(holder))));
        let _ = news.send(result.map_or_else(News::Failed, News::Leads));
    })?;
    Ok(told)
}
