//! Waiting for the engine without a screen: says whom it waits for, and leaves when asked to.
//!
//! Invariant: a first signal ends nothing whose answer may be on its way. What only waits is cancelled;
//! what is out is waited for and saved. Only a second, deliberate one ends the command without.

use std::collections::HashMap;
use std::pin::pin;

use eyre::Report;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::cli::support::exit::CliError;
use crate::cli::support::session::Working;
use crate::cli::support::stderr::message;
use crate::cli::support::unsaved::given_up;
use crate::domain::{Activity, Command, ConnectionEvent, ConnectionName, Event, EventKind};
use crate::engine::{Engine, Rest, UnfinishedWork};
use crate::format::event::in_memory;
use crate::platform::signals;
use crate::platform::signals::{Insistence, QuitRequest, Signal, Signals};

impl Working {
    /// Waits for `work`. Exchanges announced meanwhile are logged.
    ///
    /// # Errors
    /// The system lets no signal be listened to; then nothing is begun. A [`CliError`] where a second signal asked the program
    /// to end: it says whose tokens that endangers.
    pub(crate) async fn attend<T>(&mut self, work: impl AsyncFnOnce(&Engine) -> T) -> Result<T, Report> {
        self.listen(work, |_| {}).await
    }

    /// Has a command carried out, and waits for the event that says how it ended; `None` where
    /// the program was asked to end before.
    ///
    /// # Errors
    /// As [`Working::attend`].
    pub(crate) async fn carry_out<T>(
        &mut self,
        command: Command,
        mut pick: impl FnMut(Event) -> Option<T>,
    ) -> Result<Option<T>, Report> {
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
        mut on_event: impl FnMut(Option<Event>),
    ) -> Result<T, Report> {
        let Self { engine, events, log } = self;
        let engine = &*engine;
        let mut signals = Signals::listen()?;
        let mut work = pin!(work(engine));
        let mut asked_to_end = pin!(asked_to_end(engine, &mut signals));
        let mut reported = HashMap::new();
        let mut has_ended = false;
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                stop = &mut asked_to_end => return Err(stop?.into()),
                event = events.recv(), if !has_ended => {
                    has_ended = event.is_none();
                    if let Some(event) = &event {
                        log.record(event);
                    }
                    match &event {
                        Some(Event::Connection(ConnectionEvent { connection, kind: EventKind::InMemoryOnly { why, .. } })) => message!("{connection}: {}", in_memory(why)),
                        Some(Event::Changed(view)) => report_holder(&mut reported, &view.name, &view.activity),
                        _ => {}
                    }
                    on_event(event);
                }
            }
        }
    }
}

/// Waits for signals. The first one that asks to leave has the engine end, and the work with it; Ctrl-Z stops the
/// process once nothing is unfinished.
///
/// # Errors
/// The process cannot be stopped.
async fn asked_to_end(engine: &Engine, signals: &mut Signals) -> Result<CliError, Report> {
    let (mut insistence, mut to_stop) = (Insistence::default(), Insistence::default());
    let mut rest: Option<Rest> = None;
    loop {
        let signal = tokio::select! {
            biased;
            signal = signals.next() => signal,
            () = async { rest.as_mut().expect("only where there is one").came().await }, if rest.is_some() => {
                signals::stop()?;
                (to_stop, rest) = (Insistence::default(), None);
                continue;
            }
        };
        match insistence.on_signal(signal, Instant::now()) {
            Some(QuitRequest::First) => {
                message!("stopping; waiting for requests in progress, to save their tokens");
                rest = None;
                // The work ends automatically once the engine has.
                drop(engine.begin_shutdown());
            }
            Some(QuitRequest::Again) => return Ok(given_up(&engine.unfinished().await)),
            None if signal == Signal::Suspend && insistence.is_silent() => match to_stop.on_request(Instant::now()) {
                QuitRequest::First => {
                    let unfinished = engine.unfinished().await;
                    if !unfinished.is_empty() {
                        message!(
                            "suspending once saved: {}; Ctrl-Z again suspends now and may lose it",
                            UnfinishedWork::words(&unfinished)
                        );
                    }
                    rest = Some(engine.rest());
                }
                QuitRequest::Again => {
                    signals::stop()?;
                    (to_stop, rest) = (Insistence::default(), None);
                }
                QuitRequest::Echo => {}
            },
            Some(QuitRequest::Echo) | None => {}
        }
    }
}

/// Says who holds the connection, once for each holder.
fn report_holder(reported: &mut HashMap<ConnectionName, Option<u32>>, name: &ConnectionName, activity: &Activity) {
    let Activity::WaitingForLock { pid, .. } = activity else { return };
    if reported.insert(name.clone(), *pid) == Some(*pid) {
        return;
    }
    match pid {
        Some(pid) => message!("{name}: waiting for process {pid}, which is using this connection"),
        None => message!("{name}: waiting for another process, which is using this connection"),
    }
}
