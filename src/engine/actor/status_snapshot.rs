//! Keeps the overview of the data directory up to date, from which the next start shows its rows
//! before the store has answered; see [`crate::tokens::status_snapshot`].
//!
//! It is written when the engine ends, and once in a while when tokens have changed. Nothing waits
//! for it but the end, and that not for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{Holding, Program};
use crate::engine::actor::Actor;
use crate::engine::work::context::TaskReport;
use crate::tokens::status_snapshot::SnapshotChanges;

/// How long after the overview was written it is written again.
const PAUSE: Duration = Duration::from_secs(60);
/// How long the end of the engine waits for it.
const LAST_WORDS: Duration = Duration::from_millis(150);

impl Actor {
    /// Has the overview written, unless that was done a while ago or there is no news. No timer of
    /// its own: it is looked at whenever due work is.
    pub(crate) fn note_overview(&mut self) {
        if self.overview_noted.elapsed() < PAUSE {
            return;
        }
        self.overview_noted = Instant::now();
        let news = self.news();
        if news.is_empty() {
            return;
        }
        let tools = Arc::clone(&self.tools);
        tokio::spawn(async move {
            if !tools.vault.note_overview(news).await {
                tools.note(TaskReport::OverviewFailed);
            }
        });
    }

    /// The same at the end, which comes soon whatever the disk does.
    pub(crate) async fn note_overview_at_last(&mut self) {
        let news = self.news();
        if !news.is_empty() {
            let _ = tokio::time::timeout(LAST_WORDS, self.tools.vault.note_overview(news)).await;
        }
    }

    /// It could not be written: all of it will be, next time.
    pub(crate) fn overview_failed(&mut self) {
        for slot in self.slots.values_mut() {
            slot.noted = None;
        }
    }

    /// What the overview has not been told yet. A single command has seen few of the connections,
    /// and ends at once: it tells nothing.
    fn news(&mut self) -> SnapshotChanges {
        if self.tools.program == Program::Command {
            return SnapshotChanges::new();
        }
        let mut news = SnapshotChanges::new();
        for slot in self.slots.values_mut() {
            let name = &slot.connection.name;
            let generation = slot.generation();
            if generation == slot.noted {
                continue;
            }
            slot.noted = generation;
            match &slot.view.holding {
                Holding::Tokens { facts, .. } => news.push((name.clone(), Some(facts.clone()))),
                Holding::Nothing => news.push((name.clone(), None)),
                Holding::Unknown | Holding::Remembered(_) => {}
            }
        }
        news
    }
}
