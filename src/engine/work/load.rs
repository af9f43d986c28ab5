//! Reads the records of connections that are new to the engine, at start and whenever the
//! configuration changed, and waits for a store that is away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::domain::{Author, Connection, ConnectionName, LastRefusal, Problem, SecretSource};
use crate::engine::work::context::{Context, FoundTokens, TaskReport, item_problem};
use crate::engine::work::refresh::trouble::found;
use crate::platform::file_stamp::Stamp;
use crate::secrets::error::StoreError;
use crate::tokens::journal_stamps::{JournalChange, JournalStamp};

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

/// How many connections are read at once: while the store gives one record, the files of the next
/// are read.
const AT_ONCE: usize = 16;

/// Reads the records of all connections that come in, until each has been read. With `patience` it
/// keeps trying while the store is away; without, it reports the failure once and ends.
pub(crate) async fn load(context: Arc<Context>, mut unread: mpsc::UnboundedReceiver<Arc<Connection>>, patience: bool) {
    let mut failures = 0;
    let mut waiting = Vec::new();
    loop {
        let room = AT_ONCE - waiting.len();
        if room > 0 && (waiting.is_empty() || !unread.is_empty()) && unread.recv_many(&mut waiting, room).await == 0 {
            return;
        }
        let results = join_all(waiting.iter().map(|connection| read(&context, connection))).await;
        let mut trouble = None;
        for (connection, result) in std::mem::take(&mut waiting).into_iter().zip(results) {
            let (found, journal) = match result {
                Ok(read) => read,
                Err(error) if error.is_about_one_item() => (unreadable(&error, &connection), None),
                Err(error) => {
                    waiting.push(connection);
                    trouble.get_or_insert(error);
                    continue;
                }
            };
            context.report(TaskReport::Loaded(connection.name.clone(), Box::new(found), journal));
        }
        let Some(error) = trouble else {
            failures = 0;
            continue;
        };
        context.report(TaskReport::LoadFailed(error));
        if !patience {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(WAITS[failures]) => {}
            () = context.store_opened.notified() => {}
        }
        failures = (failures + 1).min(WAITS.len() - 1);
    }
}

/// A record that cannot be read affects its own connection only, and is left as it is.
fn unreadable(error: &StoreError, connection: &Connection) -> FoundTokens {
    let problem = Some(item_problem(error, connection));
    FoundTokens {
        record: None,
        saved: false,
        never_held: false,
        problem,
        uncertain: None,
        missing: None,
        refusal: None,
        lost_answer: None,
    }
}

/// The record, for a connection that has none what its login would fail for, and how the journal
/// looked.
async fn read(context: &Context, connection: &Connection) -> Result<(FoundTokens, Option<Stamp>), StoreError> {
    let (standing, journal) = context.vault.read_stamped(&connection.name).await?;
    // A configured command is not run unasked: it may want a person to touch a key.
    let can_tell = standing.record.is_none() && connection.client_secret == SecretSource::Store;
    let lacks_secret = can_tell && context.vault.client_secret(&connection.name).await?.is_none();
    let missing = lacks_secret.then(|| Problem::NoClientSecret { name: connection.name.to_string() });
    Ok((FoundTokens { missing, ..found(context, connection, standing).await }, journal))
}

/// A connection whose journal is looked at, and what is known of it.
pub(crate) struct Looked {
    pub(crate) connection: Arc<Connection>,
    pub(crate) known: JournalStamp,
    pub(crate) refusal: Option<LastRefusal>,
    /// Whether an answer is known to be lost.
    pub(crate) is_lost: bool,
}

/// Looks whose journals another process has changed: whether it has saved a newer generation, has
/// logged out, was refused, or has lost an answer. The store is asked only where a journal says so. A
/// failure is not reported: nothing was asked for.
pub(crate) async fn look(context: Arc<Context>, looked: Vec<Looked>) {
    let known = looked.iter().map(|looked| looked.known.clone()).collect();
    let changes = context.vault.changes(known).await;
    context
        .report(TaskReport::Looked(changes.iter().map(|change| (change.known.name.clone(), change.journal)).collect()));
    let mut before: HashMap<_, _> = looked.into_iter().map(|looked| (looked.known.name.clone(), looked)).collect();
    for change in changes {
        let JournalChange { known: JournalStamp { name, generation: known, .. }, generation, forgotten, .. } = change;
        let Some(before) = before.remove(&name) else { continue };
        if generation > known || change.spending != before.is_lost {
            tokio::spawn(take_over(Arc::clone(&context), before.connection));
        } else if known > 0 && forgotten {
            context.report(TaskReport::LoggedOutElsewhere(name, generation));
        } else if change.refusal != before.refusal {
            context.report(TaskReport::RefusedElsewhere(name, change.refusal.map(Box::new)));
        }
    }
}

/// Reads what another process has saved or left behind, and who that was.
async fn take_over(context: Arc<Context>, connection: Arc<Connection>) {
    let name = connection.name.clone();
    let Ok(standing) = context.vault.read(&name).await else { return context.report(TaskReport::Unseen(name)) };
    let by = match &standing.record {
        Some(record) => author(&context, &name, record.generation).await,
        None => None,
    };
    let found = found(&context, &connection, standing).await;
    context.report(TaskReport::Newer(name, Box::new(found), by));
}

/// Which process obtained a generation. It writes that down once the tokens are safe, which may be in
/// this moment: it is given one.
async fn author(context: &Context, name: &ConnectionName, generation: u64) -> Option<Author> {
    if let Some(author) = context.author(name, generation).await {
        return Some(author);
    }
    tokio::time::sleep(REMEMBERED).await;
    context.author(name, generation).await
}
