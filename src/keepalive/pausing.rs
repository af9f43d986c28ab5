//! Stopping, and suspending on SIGTSTP: both wait until nothing is unsaved.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::{Engine, Rest, UnfinishedWork};
use crate::platform::signals;
use crate::platform::signals::{Insistence, QuitRequest};

/// How long leaving waits for an exchange that is out. The exchange itself is bounded by less.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(90);

/// A pending request to suspend, if there is one.
#[derive(Default)]
pub(crate) struct Pausing(Option<(Insistence, Rest)>);

impl Pausing {
    /// SIGTSTP came. Gives what has to be saved first; a second, deliberate one stops at once.
    pub(crate) async fn ask(&mut self, engine: &Engine) -> io::Result<Vec<UnfinishedWork>> {
        if let Some((insistence, _)) = &mut self.0 {
            if insistence.on_request(Instant::now()) == QuitRequest::Again {
                self.stop(engine)?;
            }
            return Ok(Vec::new());
        }
        let unfinished = engine.unfinished().await;
        self.0 = Some((Insistence::since(Instant::now()), engine.rest()));
        Ok(unfinished)
    }

    /// Waits until nothing is unsaved any more; forever where no stop is asked for.
    pub(crate) async fn came(&mut self) {
        match &mut self.0 {
            Some((_, rest)) => rest.came().await,
            None => std::future::pending().await,
        }
    }

    /// Stops until it is continued. A stopped process answers no commands.
    pub(crate) fn stop(&mut self, engine: &Engine) -> io::Result<()> {
        let answers = engine.stop_answering();
        signals::stop()?;
        if let Some(config_file) = answers {
            engine.answer_commands(config_file);
        }
        self.0 = None;
        Ok(())
    }

    /// A process that leaves does not stop first.
    pub(crate) fn give_up(&mut self) {
        self.0 = None;
    }
}

/// Waits for what is unsaved; gives it where an answer does not come. What is in memory only is waited for without limit.
pub(crate) async fn leave(engine: &Engine) -> Option<Vec<UnfinishedWork>> {
    let mut shutdown = pin!(engine.shutdown());
    loop {
        if tokio::time::timeout(LEAVE_TIMEOUT, &mut shutdown).await.is_ok() {
            return None;
        }
        let unfinished = engine.unfinished().await;
        if !UnfinishedWork::is_in_memory(&unfinished) {
            return Some(unfinished);
        }
    }
}
