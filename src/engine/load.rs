//! Reads the records of connections that are new to the engine, at start and whenever the
//! configuration changed, and waits for a store that is away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::rotation::found;
use super::tools::{Found, Note, Tools, store_problem};
use crate::domain::{Author, Connection, ConnectionName, Problem, SecretSource};
use crate::store::{Standing, StoreError};

/// The waits between tries while the store is away: they grow to the last one.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// Within this time a generation that was just saved is in the history.
const REMEMBERED: Duration = Duration::from_millis(300);

/// Reads the records of all connections that come in, one after the other, until each has been
/// read. With `patience` it goes on trying while the store is away; without, it reports the
/// failure once and ends.
pub(super) async fn load(tools: Arc<Tools>, mut unread: mpsc::UnboundedReceiver<Arc<Connection>>, patience: bool) {
    let mut failures = 0;
    while let Some(connection) = unread.recv().await {
        loop {
            match read(&tools, &connection).await {
                Ok((standing, missing)) => {
                    failures = 0;
                    let found = Found { missing, ..found(standing) };
                    tools.note(Note::Loaded(connection.name.clone(), Box::new(found)));
                    break;
                }
                Err(error) if error.is_about_one_item() => {
                    tools.note(Note::Loaded(connection.name.clone(), Box::new(unreadable(&error))));
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

/// A record that cannot be read stands in its own connection's way only, and is left as it is.
fn unreadable(error: &StoreError) -> Found {
    let problem = Some(store_problem(error));
    Found { record: None, saved: false, never_held: false, problem, uncertain: None, missing: None }
}

/// The record, and for a connection that has none, what its login would fail for.
async fn read(tools: &Tools, connection: &Connection) -> Result<(Standing, Option<Problem>), StoreError> {
    let standing = tools.vault.read(&connection.name).await?;
    // A configured command is not run unasked: it may want a person to touch a key.
    let can_tell = standing.record.is_none() && connection.client_secret == SecretSource::Store;
    let lacks_secret = can_tell && tools.vault.client_secret(&connection.name).await?.is_none();
    Ok((standing, lacks_secret.then(|| Problem::NoClientSecret { name: connection.name.to_string() })))
}

/// Looks whether another process has saved a newer generation than the one known, or has logged
/// out. The store is asked only where the journal says so: this runs for every connection whenever
/// one has changed. A failure is not reported: nobody asked.
pub(super) async fn look(tools: Arc<Tools>, name: ConnectionName, known: u64) {
    if tools.vault.mark(&name).await.is_ok_and(|mark| mark > known) {
        if let Ok(standing) = tools.vault.read(&name).await {
            let by = match &standing.record {
                Some(record) => author(&tools, &name, record.generation).await,
                None => None,
            };
            tools.note(Note::Newer(name, Box::new(found(standing)), by));
        }
    } else if known > 0
        && let Ok(Some(generation)) = tools.vault.forgotten(&name).await
    {
        tools.note(Note::LoggedOutElsewhere(name, generation));
    }
}

/// Who obtained a generation. Whoever did writes it down once the tokens are safe, which may be in
/// this moment: it is given one.
async fn author(tools: &Tools, name: &ConnectionName, generation: u64) -> Option<Author> {
    if let Some(author) = tools.author(name, generation).await {
        return Some(author);
    }
    tokio::time::sleep(REMEMBERED).await;
    tools.author(name, generation).await
}
