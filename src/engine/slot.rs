//! One connection's state, owned by the actor.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::handle::Refreshed;
use super::login::Input;
use super::schedule;
use crate::domain::{Activity, Connection, ConnectionView, Holding, Problem, TokenRecord};

/// Whoever waits for a refresh to end.
pub(super) type Waiter = oneshot::Sender<Result<Refreshed, Problem>>;

/// A connection and all that is known of it.
pub(super) struct Slot {
    pub(super) connection: Arc<Connection>,
    /// What has been announced, or is about to be.
    pub(super) view: ConnectionView,
    /// The newest durable record.
    pub(super) record: Option<TokenRecord>,
    /// The one thing being done.
    pub(super) work: Option<Work>,
    pub(super) waiters: Vec<Waiter>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// When a passing failure is tried again.
    pub(super) retry_at: Option<DateTime<Utc>>,
    /// When a first token may be minted without being asked: nothing was ever held, and no person
    /// is needed. A logout takes the permission away.
    pub(super) first_mint: Option<DateTime<Utc>>,
    /// Drawn anew for every generation, so that refreshes spread out.
    jitter: f64,
}

/// Work under way. One thing at a time per connection.
pub(super) enum Work {
    Refresh(CancellationToken),
    Login(CancellationToken, mpsc::Sender<Input>),
    Test,
    Logout,
}

impl Slot {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            view: ConnectionView::loading(&connection),
            connection: Arc::new(connection),
            record: None,
            work: None,
            waiters: Vec::new(),
            failures: 0,
            retry_at: None,
            first_mint: None,
            jitter: fastrand::f64(),
        }
    }

    /// Takes over a record, durable at least in the journal.
    pub(super) fn hold(&mut self, record: Option<TokenRecord>, saved: bool) {
        self.view.holding = match &record {
            Some(record) => Holding::Tokens { facts: record.facts(), saved },
            None => Holding::Nothing,
        };
        let generation = |record: &Option<TokenRecord>| record.as_ref().map(|record| record.generation);
        if generation(&record) != generation(&self.record) {
            self.jitter = fastrand::f64();
        }
        self.record = record;
    }

    /// All is well: nothing stands in the way any more.
    pub(super) fn succeed(&mut self) {
        self.view.problem = None;
        self.failures = 0;
        self.retry_at = None;
    }

    /// Something stands in the way. A passing failure is given the moment of its next try.
    pub(super) fn fail(&mut self, problem: Problem, now: DateTime<Utc>, automatic: bool) {
        if problem == Problem::Cancelled {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let next = now + schedule::backoff(self.failures, fastrand::f64());
        let goes_on = problem.is_passing() && automatic && self.view.auto;
        self.view.problem = Some(match problem {
            Problem::RateLimited { until } => Problem::RateLimited { until: until.max(next) },
            Problem::Retrying { at, why } => {
                Problem::Retrying { at: goes_on.then(|| at.map_or(next, |at| at.max(next))), why }
            }
            other => other,
        });
        self.retry_at = match &self.view.problem {
            Some(Problem::RateLimited { until }) => Some(*until),
            Some(Problem::Retrying { at, .. }) => *at,
            Some(problem) if problem.is_passing() => Some(next),
            _ => None,
        };
    }

    /// When the next automatic refresh, or the next try, is planned.
    pub(super) fn planned(&self) -> Option<DateTime<Utc>> {
        if !self.view.auto {
            return None;
        }
        match (&self.view.problem, &self.record) {
            (Some(problem), _) if !problem.is_passing() => None,
            (Some(_), _) => self.retry_at,
            (None, Some(record)) => Some(schedule::due(record.obtained_at, record.expires_at, self.jitter)),
            (None, None) => self.first_mint,
        }
    }

    /// Whether there is work to begin at `now`.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.work.is_none() && self.planned().is_some_and(|planned| planned <= now)
    }

    /// Whether the server's wish to be left alone still holds.
    pub(super) fn rate_limited(&self, now: DateTime<Utc>) -> Option<Problem> {
        self.view.problem.clone().filter(|problem| matches!(problem, Problem::RateLimited { until } if *until > now))
    }

    /// Work ended: nothing is being done.
    pub(super) fn rest(&mut self) {
        self.work = None;
        self.view.activity = Activity::Idle;
    }

    /// Whether leaving the program now could lose something: an exchange is out, or a record is
    /// nowhere durable.
    pub(super) fn is_owing(&self) -> bool {
        matches!(self.work, Some(Work::Refresh(_) | Work::Login(..)))
    }

    pub(super) fn generation(&self) -> Option<u64> {
        match &self.view.holding {
            Holding::Unknown => None,
            Holding::Nothing => Some(0),
            Holding::Tokens { facts, .. } => Some(facts.generation),
        }
    }

    /// How long until something is due; `None` where nothing is planned or work is under way.
    pub(super) fn wait(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        if self.work.is_some() { None } else { self.planned().map(|planned| planned - now) }
    }
}
