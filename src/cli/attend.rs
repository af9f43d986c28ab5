//! Waiting for the engine without a screen: says whom it waits for, and leaves when told to.
//!
//! Invariant: a signal ends nothing whose answer may be on its way. What only waits is cancelled;
//! what is out is waited for and saved.

use std::collections::HashMap;
use std::io;
use std::pin::pin;

use tokio::sync::oneshot;

use super::say::say;
use super::session::Working;
use crate::domain::{Activity, Command, ConnectionName, Event};
use crate::engine::Engine;
use crate::shell::signals::{Signal, Signals};

impl Working {
    /// Waits for `work`. Exchanges announced meanwhile are kept for [`Working::finish`].
    ///
    /// # Errors
    /// The system lets no signal be listened to; then nothing is begun.
    pub(super) async fn attend<T>(&mut self, work: impl AsyncFnOnce(&Engine) -> T) -> io::Result<T> {
        self.listen(work, |_| {}).await
    }

    /// Has a command carried out, and waits for the event that tells how it ended; `None` where
    /// the program was told to end before.
    ///
    /// # Errors
    /// As [`Working::attend`].
    pub(super) async fn carry_out<T>(
        &mut self,
        command: Command,
        mut pick: impl FnMut(Event) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let (found, picked) = oneshot::channel();
        let mut found = Some(found);
        let work = async |engine: &Engine| {
            engine.send(command);
            picked.await.ok()
        };
        self.listen(work, |event| match event.map(&mut pick) {
            Some(None) => {}
            Some(Some(end)) => {
                let _ = found.take().map(|found| found.send(end));
            }
            None => found = None,
        })
        .await
    }

    /// Waits for `work`, and has every event heard; `None` once the engine has ended.
    async fn listen<T>(
        &mut self,
        work: impl AsyncFnOnce(&Engine) -> T,
        mut hear: impl FnMut(Option<Event>),
    ) -> io::Result<T> {
        let Self { engine, events, log } = self;
        let engine = &*engine;
        let mut signals = Signals::listen()?;
        let mut work = pin!(work(engine));
        let mut leaving = pin!(async {
            while signals.next().await != Signal::Quit {}
            say!("leaving; what has been sent is waited for and saved first");
            engine.shutdown().await;
            // The work ends by itself now that the engine has.
            std::future::pending::<()>().await;
        });
        let mut told = HashMap::new();
        let mut has_ended = false;
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = &mut leaving => {}
                event = events.recv(), if !has_ended => {
                    has_ended = event.is_none();
                    match &event {
                        Some(Event::RequestLogged(entry)) => log.push(entry.as_ref().clone()),
                        Some(Event::Changed(view)) => tell_holder(&mut told, &view.name, &view.activity),
                        _ => {}
                    }
                    hear(event);
                }
            }
        }
    }
}

/// Says who holds the connection, once for each holder.
fn tell_holder(told: &mut HashMap<ConnectionName, Option<u32>>, name: &ConnectionName, activity: &Activity) {
    let Activity::WaitingForLock { pid, .. } = activity else { return };
    if told.insert(name.clone(), *pid) == Some(*pid) {
        return;
    }
    match pid {
        Some(pid) => say!("{name}: waiting for process {pid}, which is at work on it"),
        None => say!("{name}: waiting for another process, which is at work on it"),
    }
}
