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
    pub(crate) fn note_overview(&mut self) {
        if self.overview_noted.elapsed() < PAUSE {
            return;
        }
        self.overview_noted = Instant::now();
        let changes = self.snapshot_changes();
        if changes.is_empty() {
            return;
        }
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            if !context.vault.note_overview(changes).await {
                context.report(TaskReport::OverviewFailed);
            }
        });
    }

    /// Writes it a last time, within [`LAST_WRITE`] however slow the disk is.
    pub(crate) async fn note_overview_at_last(&mut self) {
        let changes = self.snapshot_changes();
        if !changes.is_empty() {
            let _ = tokio::time::timeout(LAST_WRITE, self.context.vault.note_overview(changes)).await;
        }
    }

    /// It could not be written: the next attempt writes every connection.
    pub(crate) fn overview_failed(&mut self) {
        for state in self.states.values_mut() {
            state.noted = None;
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
            if std::mem::replace(&mut state.noted, generation) == generation {
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
