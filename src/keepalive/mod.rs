//! The keepalive service: automatic refresh without a screen, for servers. The same engine as the dashboard's,
//! a service manager in place of a person.
//!
//! - `run`: the loop: signals, the engine's events, the role, the configuration, the heartbeat
//! - `pausing`: stopping and suspending, once nothing is unsaved
//! - `role`: of several services on one data directory one leads, the others are on standby
//! - [`service_manager`]: messages to the service manager (`sd_notify(3)`), the watchdog among them
//! - [`log`] and `words`: one line for each thing that happens, as text or as JSON
//! - [`listen`] and `serve`: an optional socket of this machine, for health and metrics
//! - `health`, `metrics`: what is served there
//!
//! Invariants: nothing in here waits for a disk, a pipe or a peer on the loop; nothing it sends holds
//! a secret; what reports that all is well asks the engine, and is silent when that does not answer.

pub mod health;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod pausing;
pub mod role;
pub mod run;
pub mod serve;
pub mod service_manager;
pub mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{Clock, ConnectionView, Holding, Problem, Reason, Status};
use crate::engine::Remote;
use crate::keepalive::metrics::Metrics;
use crate::tokens::vault::Vault;

/// An engine that has not answered after so long is hung.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What the loop and those who answer on the socket share.
pub(crate) struct KeepaliveState {
    remote: Remote,
    vault: Vault,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    leads: AtomicBool,
    /// Why the secret store cannot be used, while that is so.
    store_problem: Mutex<Option<Reason>>,
}

impl KeepaliveState {
    fn new(remote: Remote, vault: Vault, clock: Arc<dyn Clock>) -> Self {
        let (leads, store_problem) = (AtomicBool::new(false), Mutex::default());
        Self { remote, vault, clock, metrics: Metrics::new(), leads, store_problem }
    }

    /// The connections as they stand; `None` where the engine does not answer.
    async fn views(&self) -> Option<Vec<ConnectionView>> {
        tokio::time::timeout(ANSWER_TIMEOUT, self.remote.snapshot()).await.ok().flatten()
    }

    fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    fn store_problem(&self) -> Option<Reason> {
        self.store_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_store_problem(&self, problem: Option<Reason>) {
        *self.store_problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

/// Whether only a person can help: to log in, to fix the configuration, or to choose.
fn needs_person(view: &ConnectionView, status: &Status) -> bool {
    match status {
        Status::NoClientSecret
        | Status::NeedsLogin
        | Status::Misconfigured
        | Status::Uncertain
        | Status::RolledBack => true,
        // Nothing but room or a store that answers saves them, and a restart loses them.
        Status::NotSaved => view.problem.as_ref().is_some_and(Problem::is_in_memory_only),
        Status::NeverLoggedIn => view.needs_browser && view.holding == Holding::Nothing,
        _ => false,
    }
}
