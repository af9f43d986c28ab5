//! Where the time of an exchange goes, as far as the HTTP client lets itself be watched: its name
//! look-ups and its connector are wrapped, and each passage from one phase to the next is noted
//! by the exchange's own stopwatch.
//!
//! A connection serves one exchange and is made within that exchange's task, so a task-local
//! stopwatch is always the right one. TCP and TLS are one call of the client's connector.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower_layer::Layer;
use tower_service::Service;

use crate::domain::Timings;

tokio::task_local! {
    static STOPWATCH: Stopwatch;
}

/// What an exchange is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Blocked,
    Dns,
    Connect,
    Wait,
    Receive,
}

/// Measures one exchange from its making on.
#[derive(Clone)]
pub(super) struct Stopwatch(Arc<Mutex<Laps>>);

struct Laps {
    phase: Phase,
    since: Instant,
    /// By phase; `None` if it was never entered.
    spent: [Option<Duration>; 5],
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Laps { phase: Phase::Blocked, since: Instant::now(), spent: [None; 5] })))
    }

    /// Does the work of the exchange, whose phases are noted here.
    pub(super) async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        STOPWATCH.scope(self.clone(), work).await
    }

    /// The phases until now, and the whole.
    pub(super) fn read(&self) -> (Timings, Duration) {
        let mut laps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let phase = laps.phase;
        laps.enter(phase);
        let [blocked_us, dns_us, connect_us, wait_us, receive_us] = laps.spent.map(|spent| spent.map(microseconds));
        (Timings { blocked_us, dns_us, connect_us, wait_us, receive_us }, laps.spent.iter().flatten().sum())
    }
}

impl Laps {
    fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        let spent = &mut self.spent[self.phase as usize];
        *spent = Some(spent.unwrap_or_default() + (now - self.since));
        (self.phase, self.since) = (phase, now);
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The exchange of this task passes to another phase.
pub(super) fn enter(phase: Phase) {
    // Without an exchange there is nothing to measure.
    let _ = STOPWATCH.try_with(|watch| watch.0.lock().unwrap_or_else(PoisonError::into_inner).enter(phase));
}

/// The system's name look-up, watched.
pub(super) struct Lookup;

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            enter(Phase::Dns);
            // The caller sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            enter(Phase::Connect);
            let found: Vec<_> = found.map_err(Box::<dyn Error + Send + Sync>::from)?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A layer around the client's connector that watches it.
#[derive(Clone)]
pub(super) struct Watched;

impl<Connector> Layer<Connector> for Watched {
    type Service = WatchedConnector<Connector>;

    fn layer(&self, connector: Connector) -> Self::Service {
        WatchedConnector(connector)
    }
}

#[derive(Clone)]
pub(super) struct WatchedConnector<Connector>(Connector);

type Connecting<Connection, Failure> = Pin<Box<dyn Future<Output = Result<Connection, Failure>> + Send>>;

impl<Connector, Target> Service<Target> for WatchedConnector<Connector>
where
    Connector: Service<Target>,
    Connector::Future: Send + 'static,
{
    type Response = Connector::Response;
    type Error = Connector::Error;
    type Future = Connecting<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let connecting = self.0.call(target);
        Box::pin(async move {
            enter(Phase::Connect);
            let connection = connecting.await?;
            enter(Phase::Wait);
            Ok(connection)
        })
    }
}
