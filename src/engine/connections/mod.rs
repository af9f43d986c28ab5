//! All connections, and what has to be known of them together: what is due next, whether anything
//! is owed, whether all have been read. None of it is found by walking through all of them.
//!
//! Invariant: a slot can only be changed through what notes its name, and whoever asks about all of
//! them is answered after the noted ones were looked at: what is known together is never behind.

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
    agenda: HostQueue,
    owing: usize,
    unread: usize,
    /// Those whose work has ended and that are to go, or to be looked at anew.
    stale: BTreeSet<ConnectionName>,
    /// When this was looked at last, by a clock that may be set back.
    latest: DateTime<Utc>,
}

/// What a slot counts for in what is known of all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filed {
    agenda: Option<(HostKey, Item)>,
    is_owing: bool,
    is_unread: bool,
    is_stale: bool,
}

impl Filed {
    fn of(slot: &ConnectionState, now: DateTime<Utc>) -> Self {
        let item = if slot.work.is_none() {
            slot.planned(now).map(Item::Planned)
        } else {
            slot.is_at_its_host().then_some(Item::UnderWay)
        };
        Self {
            agenda: item.map(|item| (slot.host.clone(), item)),
            is_owing: slot.is_owing(),
            is_unread: slot.is_unread(),
            is_stale: slot.is_stale(),
        }
    }
}

impl ConnectionStates {
    pub(crate) fn new(clock: Arc<dyn Clock>, slots: impl IntoIterator<Item = ConnectionState>) -> Self {
        let latest = clock.now();
        let mut all = Self {
            clock,
            all: HashMap::new(),
            touched: Vec::new(),
            agenda: HostQueue::default(),
            owing: 0,
            unread: 0,
            stale: BTreeSet::new(),
            latest,
        };
        slots.into_iter().for_each(|slot| all.insert(slot));
        all
    }

    pub(crate) fn insert(&mut self, slot: ConnectionState) {
        let name = slot.connection.name.clone();
        self.remove(&name);
        self.touched.push(name.clone());
        self.all.insert(name, (slot, Filed::default()));
    }

    pub(crate) fn remove(&mut self, name: &ConnectionName) {
        if let Some((_, filed)) = self.all.remove(name) {
            self.file(name, &filed, false);
        }
    }

    pub(crate) fn get(&self, name: &ConnectionName) -> Option<&ConnectionState> {
        self.all.get(name).map(|(slot, _)| slot)
    }

    pub(crate) fn get_mut(&mut self, name: &ConnectionName) -> Option<&mut ConnectionState> {
        let (slot, _) = self.all.get_mut(name)?;
        if self.touched.last() != Some(name) {
            self.touched.push(name.clone());
        }
        Some(slot)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &ConnectionState> {
        self.all.values().map(|(slot, _)| slot)
    }

    /// All of them, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut ConnectionState> {
        self.touched.clear();
        self.touched.extend(self.all.keys().cloned());
        self.all.values_mut().map(|(slot, _)| slot)
    }

    /// When the next thing is planned that can be begun.
    pub(crate) fn soonest(&mut self) -> Option<DateTime<Utc>> {
        self.settle();
        self.agenda.soonest()
    }

    /// A connection of which something is due and can be begun, the longest due first.
    pub(crate) fn due(&mut self) -> Option<ConnectionName> {
        loop {
            if self.soonest()? > self.latest {
                return None;
            }
            let name = self.agenda.next()?.clone();
            if self.get(&name).is_some_and(|slot| slot.is_due(self.latest)) {
                return Some(name);
            }
            // Put off while the clock went on: it is filed where it belongs now.
            self.touched.push(name);
        }
    }

    /// A connection's host answered it, or failed to.
    pub(crate) fn heard(&mut self, name: &ConnectionName, is_answered: bool) {
        self.settle();
        if let Some((slot, _)) = self.all.get(name) {
            self.agenda.heard(&slot.host, name, is_answered, self.latest);
        }
    }

    /// Whether leaving the program now could lose something.
    pub(crate) fn is_owing(&mut self) -> bool {
        self.settle();
        self.owing > 0
    }

    /// Whether every connection has been read, or has failed to be.
    pub(crate) fn are_read(&mut self) -> bool {
        self.settle();
        self.unread == 0
    }

    /// Those whose work has ended and that are to go, or to be looked at anew.
    pub(crate) fn stale(&mut self) -> Vec<ConnectionName> {
        self.settle();
        self.stale.iter().cloned().collect()
    }

    /// Looks at those that were noted.
    fn settle(&mut self) {
        let now = self.clock.now();
        // What is planned by a moment that has not come yet goes by the new time.
        if now < self.latest - TimeDelta::seconds(1) {
            self.values_mut().for_each(|slot| slot.clock_went_back(now));
            self.agenda.clock_went_back(now);
        }
        self.latest = now;
        for name in std::mem::take(&mut self.touched) {
            let Some((slot, filed)) = self.all.get_mut(&name) else { continue };
            let new = Filed::of(slot, now);
            if new != *filed {
                let old = std::mem::take(filed);
                self.file(&name, &old, false);
                self.file(&name, &new, true);
                self.all.get_mut(&name).expect("it was there").1 = new;
            }
        }
    }

    /// Counts a slot in, or out.
    fn file(&mut self, name: &ConnectionName, filed: &Filed, counts: bool) {
        let count = |sum: &mut usize, is_so: bool| {
            *sum = if counts { *sum + usize::from(is_so) } else { *sum - usize::from(is_so) };
        };
        count(&mut self.owing, filed.is_owing);
        count(&mut self.unread, filed.is_unread);
        match (filed.is_stale, counts) {
            (true, true) => drop(self.stale.insert(name.clone())),
            (true, false) => drop(self.stale.remove(name)),
            (false, _) => {}
        }
        match &filed.agenda {
            Some((host, item)) if counts => self.agenda.add(host, name, item),
            Some((host, item)) => self.agenda.remove(host, name, item),
            None => {}
        }
    }
}
