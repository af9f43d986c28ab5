//! What is planned, soonest first, host by host: a connection whose host has its hands full, or is out
//! of order, waits here, and does not delay connections of another.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::domain::ConnectionName;
use crate::engine::connections::circuit_breaker::CircuitBreaker;
use crate::engine::connections::host_limit::{HostKey, PER_HOST};

/// How much is begun at once for one host: what may be out, and as much waiting right behind it.
pub(crate) const AHEAD: usize = 2 * PER_HOST;

/// See the file's head.
#[derive(Debug, Default)]
pub(crate) struct HostQueue {
    hosts: HashMap<HostKey, HostLine>,
    /// The first moment of every host that has room.
    heads: BTreeSet<(DateTime<Utc>, HostKey)>,
}

#[derive(Debug, Default)]
struct HostLine {
    planned: BTreeSet<(DateTime<Utc>, ConnectionName)>,
    under_way: usize,
    circuit_breaker: CircuitBreaker,
    /// Its entry among the heads.
    head: Option<DateTime<Utc>>,
}

/// What one connection waits in the queue for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Something is planned.
    Planned(DateTime<Utc>),
    /// Work is under way.
    UnderWay,
}

impl HostQueue {
    pub(crate) fn add(&mut self, host: &HostKey, name: &ConnectionName, item: &Item) {
        self.change(host, |line| match item {
            Item::Planned(at) => drop(line.planned.insert((*at, name.clone()))),
            Item::UnderWay => line.under_way += 1,
        });
    }

    /// Takes away what was added.
    pub(crate) fn remove(&mut self, host: &HostKey, name: &ConnectionName, item: &Item) {
        self.change(host, |line| match item {
            Item::Planned(at) => drop(line.planned.remove(&(*at, name.clone()))),
            Item::UnderWay => line.under_way -= 1,
        });
    }

    /// A connection was answered by its host, or it failed to be.
    pub(crate) fn heard(&mut self, host: &HostKey, name: &ConnectionName, is_answered: bool, now: DateTime<Utc>) {
        self.change(host, |line| {
            if is_answered { line.circuit_breaker.end() } else { line.circuit_breaker.fail(name, now, fastrand::f64()) }
        });
    }

    /// The clock was set back.
    pub(crate) fn clock_went_back(&mut self, now: DateTime<Utc>) {
        for host in self.hosts.keys().cloned().collect::<Vec<_>>() {
            self.change(&host, |line| line.circuit_breaker.clock_went_back(now));
        }
    }

    /// When the first thing can be begun.
    pub(crate) fn soonest(&self) -> Option<DateTime<Utc>> {
        self.heads.first().map(|(at, _)| *at)
    }

    /// The connection whose turn it is then.
    pub(crate) fn next(&self) -> Option<&ConnectionName> {
        let (_, host) = self.heads.first()?;
        self.hosts.get(host)?.first().map(|(_, name)| name)
    }

    fn change(&mut self, host: &HostKey, change: impl FnOnce(&mut HostLine)) {
        let line = self.hosts.entry(host.clone()).or_default();
        change(line);
        let head = line.head();
        if head != line.head {
            if let Some(old) = line.head {
                self.heads.remove(&(old, host.clone()));
            }
            self.heads.extend(head.map(|at| (at, host.clone())));
            line.head = head;
        }
        if line.planned.is_empty() && line.under_way == 0 {
            self.hosts.remove(host);
        }
    }
}

impl HostLine {
    /// Whose turn it is. While the host is out of order, those go first that have not failed, of all
    /// that are due when it is tried again.
    fn first(&self) -> Option<&(DateTime<Utc>, ConnectionName)> {
        let is_untried = |until| {
            let mut due = self.planned.iter().take_while(move |(at, _)| *at <= until);
            due.find(|(_, name)| !self.circuit_breaker.has_failed(name))
        };
        self.circuit_breaker.until().and_then(is_untried).or_else(|| self.planned.first())
    }

    /// When it can be begun; `None` where the host has no room.
    fn head(&self) -> Option<DateTime<Utc>> {
        let until = self.circuit_breaker.until();
        let room = if until.is_some() { 1 } else { AHEAD };
        let (at, _) = self.first().filter(|_| self.under_way < room)?;
        Some(until.map_or(*at, |until| until.max(*at)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{AHEAD, HostQueue, Item};
    use crate::domain::ConnectionName;
    use crate::engine::connections::host_limit::HostKey;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    fn host(port: u16) -> HostKey {
        HostKey::of(&format!("http://127.0.0.1:{port}/").parse().unwrap())
    }

    #[test]
    fn the_soonest_of_all_hosts_comes_first() {
        let mut host_queue = HostQueue::default();
        for (port, text, second) in [(1, "b", 20), (2, "a", 10), (1, "c", 5)] {
            host_queue.add(&host(port), &name(text), &Item::Planned(at(second)));
        }
        for (text, port, second) in [("c", 1, 5), ("a", 2, 10), ("b", 1, 20)] {
            assert_eq!((host_queue.soonest(), host_queue.next()), (Some(at(second)), Some(&name(text))));
            host_queue.remove(&host(port), &name(text), &Item::Planned(at(second)));
        }
        assert_eq!((host_queue.soonest(), host_queue.next(), host_queue.hosts.len()), (None, None, 0));
    }

    #[test]
    fn a_host_with_its_hands_full_waits_and_others_do_not() {
        let mut host_queue = HostQueue::default();
        host_queue.add(&host(1), &name("waits"), &Item::Planned(at(1)));
        host_queue.add(&host(2), &name("goes"), &Item::Planned(at(9)));
        for _ in 0..AHEAD {
            host_queue.add(&host(1), &name("busy"), &Item::UnderWay);
        }
        assert_eq!(host_queue.next(), Some(&name("goes")));
        host_queue.remove(&host(1), &name("busy"), &Item::UnderWay);
        assert_eq!(host_queue.next(), Some(&name("waits")));
    }
    #[test]
    fn a_host_that_is_out_of_order_is_tried_by_one_at_a_time_until_it_answers() {
        let mut host_queue = HostQueue::default();
        let names: Vec<_> = (10..30).map(|number| name(&format!("c{number}"))).collect();
        for name in &names {
            host_queue.add(&host(1), name, &Item::Planned(at(0)));
        }
        host_queue.add(&host(2), &name("elsewhere"), &Item::Planned(at(0)));
        for name in &names[..10] {
            host_queue.heard(&host(1), name, false, at(0));
        }
        assert_eq!(host_queue.next(), Some(&name("elsewhere")), "the pause is longer than nothing");
        host_queue.remove(&host(2), &name("elsewhere"), &Item::Planned(at(0)));
        let until = host_queue.soonest().unwrap();
        assert!(until > at(0), "none goes before the pause has ended");
        assert_eq!(host_queue.next(), Some(&names[10]), "first who has not failed");
        host_queue.remove(&host(1), &names[10], &Item::Planned(at(0)));
        host_queue.add(&host(1), &names[10], &Item::UnderWay);
        assert_eq!(host_queue.next(), None, "one at a time");
        host_queue.heard(&host(1), &names[10], true, until);
        assert_eq!((host_queue.soonest(), host_queue.next()), (Some(at(0)), Some(&names[0])), "all go on");
    }
}
