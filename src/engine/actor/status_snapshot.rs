//! Keeps the status snapshot up to date, from which the next start draws its first frame; see
//! [`crate::tokens::status_snapshot`].
//!
//! It is written at intervals if tokens have changed, and when the engine ends. Only that last write is waited for, and
//! not for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{Holding, Program};
use crate::engine::actor::Actor;
use crate::engine::work::context::TaskReport;
use crate::tokens::status_snapshot::SnapshotChanges;

/// The time between two writes.
const PAUSE: Duration = Duration::from_secs(60);
/// How long the end of the engine waits for the last write.
const LAST_WRITE: Duration = Duration::from_millis(150);

impl Actor {
    /// Starts writing the snapshot if it is due and something has changed. It has no timer of its own: the caller runs
    /// with other due work.
    pub(crate) fn write_status_snapshot(&mut self) {
        if self.snapshot_written.elapsed() < PAUSE {
            return;
        }
        self.snapshot_written = Instant::now();
        let changes = self.snapshot_changes();
        if changes.is_empty() {
            return;
        }
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            if !context.vault.write_status_snapshot(changes).await {
                context.report(TaskReport::SnapshotFailed);
            }
        });
    }

    /// Writes it a last time, within [`LAST_WRITE`] however slow the disk is.
    pub(crate) async fn write_last_snapshot(&mut self) {
        let changes = self.snapshot_changes();
        if !changes.is_empty() {
            let _ = tokio::time::timeout(LAST_WRITE, self.context.vault.write_status_snapshot(changes)).await;
        }
    }

    /// It could not be written: the next attempt writes every connection.
    pub(crate) fn snapshot_failed(&mut self) {
        for state in self.states.values_mut() {
            state.in_snapshot = None;
        }
    }

    /// What has changed since the last write. Always empty in a single command, which has read few of the connections
    /// and ends at once.
    fn snapshot_changes(&mut self) -> SnapshotChanges {
        let mut changes = SnapshotChanges::new();
        if self.context.program == Program::Command {
            return changes;
        }
        for state in self.states.values_mut() {
            let generation = state.generation();
            if std::mem::replace(&mut state.in_snapshot, generation) == generation {
                continue;
            }
            let name = &state.connection.name;
            match &state.view.holding {
                Holding::Tokens { facts, .. } => changes.push((name.clone(), Some(facts.clone()))),
                Holding::Nothing => changes.push((name.clone(), None)),
                Holding::Unknown | Holding::Remembered(_) => {}
            }
        }
        changes
    }
}
