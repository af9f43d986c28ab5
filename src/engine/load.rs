//! Reads every connection's record from the store at start, and waits for a store that is away.

use std::sync::Arc;
use std::time::Duration;

use super::rotation::found;
use super::tools::{Note, Tools};
use crate::domain::ConnectionName;

/// The waits between tries while the store is away: they grow to the last one.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// Reads all records, one after the other, until each has been read. With `patience` it goes on
/// trying while the store is away; without, it reports the failure once and ends.
pub(super) async fn load(tools: Arc<Tools>, names: Vec<ConnectionName>, patience: bool) {
    let mut failures = 0;
    for name in names {
        loop {
            match tools.vault.read(&name).await {
                Ok(standing) => {
                    failures = 0;
                    tools.note(Note::Loaded(name, Box::new(found(standing))));
                    break;
                }
                Err(error) => {
                    tools.note(Note::LoadFailed(error));
                    if !patience {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(WAITS[failures]) => {}
                        () = tools.store_opened.notified() => {}
                    }
                    failures = (failures + 1).min(WAITS.len() - 1);
                }
            }
        }
    }
}

/// Looks whether another process has saved a newer generation than the one known. A store that
/// does not answer is not reported: nobody asked.
pub(super) async fn look(tools: Arc<Tools>, name: ConnectionName, known: u64) {
    if let Ok(standing) = tools.vault.read(&name).await
        && standing.mark > known
    {
        tools.note(Note::Newer(name, Box::new(found(standing))));
    }
}
