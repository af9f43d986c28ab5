//! What is planned, soonest first, host by host: a connection whose host has its hands full waits
//! here, and keeps nobody waiting who goes to another.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::gate::{Host, PER_HOST};
use crate::domain::ConnectionName;

/// How much is begun at once for one host: what may be out, and as much waiting right behind it.
pub(super) const AHEAD: usize = 2 * PER_HOST;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    hosts: HashMap<Host, Line>,
    /// The first moment of every host that has room.
    heads: BTreeSet<(DateTime<Utc>, Host)>,
}

#[derive(Debug, Default)]
struct Line {
    planned: BTreeSet<(DateTime<Utc>, ConnectionName)>,
    under_way: usize,
    /// As it stands among the heads.
    head: Option<DateTime<Utc>>,
}

/// What one connection is on the agenda for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Something is planned.
    Planned(DateTime<Utc>),
    /// Work is under way.
    UnderWay,
}

impl Agenda {
    pub(super) fn add(&mut self, host: &Host, name: &ConnectionName, item: &Item) {
        self.change(host, |line| match item {
            Item::Planned(at) => drop(line.planned.insert((*at, name.clone()))),
            Item::UnderWay => line.under_way += 1,
        });
    }

    /// Takes away what was added.
    pub(super) fn remove(&mut self, host: &Host, name: &ConnectionName, item: &Item) {
        self.change(host, |line| match item {
            Item::Planned(at) => drop(line.planned.remove(&(*at, name.clone()))),
            Item::UnderWay => line.under_way -= 1,
        });
    }

    /// When the first thing can be begun.
    pub(super) fn soonest(&self) -> Option<DateTime<Utc>> {
        self.heads.first().map(|(at, _)| *at)
    }

    /// The connection whose turn it is then.
    pub(super) fn next(&self) -> Option<&ConnectionName> {
        let (_, host) = self.heads.first()?;
        self.hosts.get(host)?.planned.first().map(|(_, name)| name)
    }

    fn change(&mut self, host: &Host, change: impl FnOnce(&mut Line)) {
        let line = self.hosts.entry(host.clone()).or_default();
        change(line);
        let head = line.planned.first().filter(|_| line.under_way < AHEAD).map(|(at, _)| *at);
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{AHEAD, Agenda, Item};
    use crate::domain::ConnectionName;
    use crate::engine::gate::Host;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    fn host(port: u16) -> Host {
        Host::of(&format!("http://127.0.0.1:{port}/").parse().unwrap())
    }

    #[test]
    fn the_soonest_of_all_hosts_comes_first() {
        let mut agenda = Agenda::default();
        for (port, text, second) in [(1, "b", 20), (2, "a", 10), (1, "c", 5)] {
            agenda.add(&host(port), &name(text), &Item::Planned(at(second)));
        }
        for (text, port, second) in [("c", 1, 5), ("a", 2, 10), ("b", 1, 20)] {
            assert_eq!((agenda.soonest(), agenda.next()), (Some(at(second)), Some(&name(text))));
            agenda.remove(&host(port), &name(text), &Item::Planned(at(second)));
        }
        assert_eq!((agenda.soonest(), agenda.next(), agenda.hosts.len()), (None, None, 0));
    }

    #[test]
    fn a_host_with_its_hands_full_waits_and_others_do_not() {
        let mut agenda = Agenda::default();
        agenda.add(&host(1), &name("waits"), &Item::Planned(at(1)));
        agenda.add(&host(2), &name("goes"), &Item::Planned(at(9)));
        for _ in 0..AHEAD {
            agenda.add(&host(1), &name("busy"), &Item::UnderWay);
        }
        assert_eq!(agenda.next(), Some(&name("goes")));
        agenda.remove(&host(1), &name("busy"), &Item::UnderWay);
        assert_eq!(agenda.next(), Some(&name("waits")));
    }
}
