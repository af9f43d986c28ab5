//! Waiting for the engine without a screen: says whom it waits for, and leaves when told to.
//!
//! Invariant: a signal ends nothing whose answer may be on its way. What only waits is cancelled;
//! what is out is waited for and saved.

use std::collections::HashMap;
use std::io;
use std::pin::pin;

use super::say::say;
use super::session::Working;
use crate::domain::{Activity, ConnectionName, Event};
use crate::engine::Engine;
use crate::shell::signals::{Signal, Signals};

impl Working {
    /// Waits for `work`. Exchanges announced meanwhile are kept for [`Working::finish`].
    ///
    /// # Errors
    /// The system lets no signal be listened to; then nothing is begun.
    pub(super) async fn attend<T>(&mut self, work: impl AsyncFnOnce(&Engine) -> T) -> io::Result<T> {
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
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = &mut leaving => {}
                Some(event) = events.recv() => match event {
                    Event::RequestLogged(entry) => log.push(*entry),
                    Event::Changed(view) => tell_holder(&mut told, &view.name, &view.activity),
                    _ => {}
                },
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
