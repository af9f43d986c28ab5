//! How many connections are in each status, kept up to date so that no draw counts them all.
//!
//! Invariant: the numbers are as of the latest tick (every second: a status can change with time
//! alone) and every connection announced since.

use std::collections::BTreeSet;

use crate::domain::{Severity, Status};

/// How many connections are in each status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// A status as an example of its kind, and how many are of that kind.
    counts: Vec<(Status, usize)>,
    /// What each connection was counted as: [`Status::id`].
    counted: Vec<&'static str>,
    /// The places of those that are busy or ask for attention.
    asking: BTreeSet<usize>,
}

impl StatusCounts {
    /// Counts the connection at `place`, again if it was counted before. Places are given out in
    /// order: one more than the last is a new connection.
    pub fn count(&mut self, place: usize, status: Status) {
        let id = status.id();
        if status.severity() >= Severity::Busy {
            self.asking.insert(place);
        } else {
            self.asking.remove(&place);
        }
        if let Some(before) = self.counted.get_mut(place) {
            let before = std::mem::replace(before, id);
            if let Some((_, number)) = self.counts.iter_mut().find(|(kind, _)| kind.id() == before) {
                *number -= 1;
            }
        } else {
            self.counted.push(id);
        }
        match self.counts.iter_mut().find(|(kind, _)| kind.id() == id) {
            Some((_, number)) => *number += 1,
            None => self.counts.push((status, 1)),
        }
    }

    /// The places of the connections that are busy or ask for attention, in order.
    pub fn asking(&self) -> impl Iterator<Item = usize> {
        self.asking.iter().copied()
    }

    /// The worst there is.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.counts().map(|(status, _)| status.severity()).max()
    }

    /// Every status that occurs, with its number.
    pub fn counts(&self) -> impl Iterator<Item = (&Status, usize)> {
        self.counts.iter().filter(|(_, number)| *number > 0).map(|(status, number)| (status, *number))
    }
}
