//! All connections, and what has to be known of them together: what is due next, whether anything
//! is unfinished, whether all have been read. None of it is found by walking through all of them.
//!
//! Invariant: a state can only be changed through what notes its name, and questions about all of
//! them are answered after the noted ones were looked at: what is known together is never behind.

pub mod circuit_breaker;
pub mod host_limit;
pub mod host_queue;
pub mod schedule;
pub mod state;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Clock, ConnectionName};
use crate::engine::connections::host_limit::HostKey;
use crate::engine::connections::host_queue::{HostQueue, Item};
use crate::engine::connections::state::ConnectionState;

/// See the file's head.
pub(crate) struct ConnectionStates {
    clock: Arc<dyn Clock>,
    all: HashMap<ConnectionName, (ConnectionState, Filed)>,
    /// Those that may have changed since they were filed.
    touched: Vec<ConnectionName>,
    host_queue: HostQueue,
    unfinished: usize,
    unread: usize,
    /// Those whose work has ended and that are to go, or to be looked at again.
    stale: BTreeSet<ConnectionName>,
    /// When this was looked at last, by a clock that may be set back.
    latest: DateTime<Utc>,
}

/// What a state counts for in what is known of all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filed {
    host_queue: Option<(HostKey, Item)>,
    has_unfinished: bool,
    is_unread: bool,
    is_stale: bool,
}

impl Filed {
    fn of(state: &ConnectionState, now: DateTime<Utc>) -> Self {
        let item = if state.work.is_none() {
            state.planned(now).map(Item::Planned)
        } else {
            state.is_at_its_host().then_some(Item::UnderWay)
        };
        Self {
            host_queue: item.map(|item| (state.host.clone(), item)),
            has_unfinished: state.has_unfinished(),
            is_unread: state.is_unread(),
            is_stale: state.is_stale(),
        }
    }
}

impl ConnectionStates {
    pub(crate) fn new(clock: Arc<dyn Clock>, states: impl IntoIterator<Item = ConnectionState>) -> Self {
        let latest = clock.now();
        let mut all = Self {
            clock,
            all: HashMap::new(),
            touched: Vec::new(),
            host_queue: HostQueue::default(),
            unfinished: 0,
            unread: 0,
            stale: BTreeSet::new(),
            latest,
        };
        states.into_iter().for_each(|state| all.insert(state));
        all
    }

    pub(crate) fn insert(&mut self, state: ConnectionState) {
        let name = state.connection.name.clone();
        self.remove(&name);
        self.touched.push(name.clone());
        self.all.insert(name, (state, Filed::default()));
    }

    pub(crate) fn remove(&mut self, name: &ConnectionName) {
        if let Some((_, filed)) = self.all.remove(name) {
            self.file(name, &filed, false);
        }
    }

    pub(crate) fn get(&self, name: &ConnectionName) -> Option<&ConnectionState> {
        self.all.get(name).map(|(state, _)| state)
    }

    pub(crate) fn get_mut(&mut self, name: &ConnectionName) -> Option<&mut ConnectionState> {
        let (state, _) = self.all.get_mut(name)?;
        if self.touched.last() != Some(name) {
            self.touched.push(name.clone());
        }
        Some(state)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &ConnectionState> {
        self.all.values().map(|(state, _)| state)
    }

    /// All of them, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut ConnectionState> {
        self.touched.clear();
        self.touched.extend(self.all.keys().cloned());
        self.all.values_mut().map(|(state, _)| state)
    }

    /// When the next thing is planned that can be begun.
    pub(crate) fn soonest(&mut self) -> Option<DateTime<Utc>> {
        self.settle();
        self.host_queue.soonest()
    }

    /// A connection of which something is due and can be begun, the longest due first.
    pub(crate) fn due(&mut self) -> Option<ConnectionName> {
        loop {
            if self.soonest()? > self.latest {
                return None;
            }
            let name = self.host_queue.next()?.clone();
            if self.get(&name).is_some_and(|state| state.is_due(self.latest)) {
                return Some(name);
            }
            // Put off while the clock went on: it is filed where it belongs now.
            self.touched.push(name);
        }
    }

    /// A connection's host answered it, or failed to.
    pub(crate) fn heard(&mut self, name: &ConnectionName, is_answered: bool) {
        self.settle();
        if let Some((state, _)) = self.all.get(name) {
            self.host_queue.heard(&state.host, name, is_answered, self.latest);
        }
    }

    /// Whether leaving the program now could lose something.
    pub(crate) fn has_unfinished(&mut self) -> bool {
        self.settle();
        self.unfinished > 0
    }

    /// Whether every connection has been read, or has failed to be.
    pub(crate) fn are_read(&mut self) -> bool {
        self.settle();
        self.unread == 0
    }

    /// Those whose work has ended and that are to go, or to be looked at again.
    pub(crate) fn stale(&mut self) -> Vec<ConnectionName> {
        self.settle();
        self.stale.iter().cloned().collect()
    }

    /// Looks at those that were noted.
    fn settle(&mut self) {
        let now = self.clock.now();
        // What is planned by a moment that has not come yet goes by the new time.
        if now < self.latest - TimeDelta::seconds(1) {
            self.values_mut().for_each(|state| state.clock_went_back(now));
            self.host_queue.clock_went_back(now);
        }
        self.latest = now;
        for name in std::mem::take(&mut self.touched) {
            let Some((state, filed)) = self.all.get_mut(&name) else { continue };
            let new = Filed::of(state, now);
            if new != *filed {
                let old = std::mem::take(filed);
                self.file(&name, &old, false);
                self.file(&name, &new, true);
                self.all.get_mut(&name).expect("it was there").1 = new;
            }
        }
    }

    /// Counts a state in, or out.
    fn file(&mut self, name: &ConnectionName, filed: &Filed, counts: bool) {
        let count = |sum: &mut usize, is_so: bool| {
            *sum = if counts { *sum + usize::from(is_so) } else { *sum - usize::from(is_so) };
        };
        count(&mut self.unfinished, filed.has_unfinished);
        count(&mut self.unread, filed.is_unread);
        match (filed.is_stale, counts) {
            (true, true) => drop(self.stale.insert(name.clone())),
            (true, false) => drop(self.stale.remove(name)),
            (false, _) => {}
        }
        match &filed.host_queue {
            Some((host, item)) if counts => self.host_queue.add(host, name, item),
            Some((host, item)) => self.host_queue.remove(host, name, item),
            None => {}
        }
    }
}
