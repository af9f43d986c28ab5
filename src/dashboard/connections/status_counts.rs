//! How many connections are in each status.

use crate::domain::{Severity, Status};

/// How many connections are in each status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts(
    /// A status as an example of its kind, and how many are of that kind.
    Vec<(Status, usize)>,
);

impl StatusCounts {
    /// Counts one more connection.
    pub fn count(&mut self, status: Status) {
        match self.0.iter_mut().find(|(kind, _)| kind.id() == status.id()) {
            Some((_, number)) => *number += 1,
            None => self.0.push((status, 1)),
        }
    }

    /// The worst there is.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.counts().map(|(status, _)| status.severity()).max()
    }

    /// Every status that occurs, with its number.
    pub fn counts(&self) -> impl Iterator<Item = (&Status, usize)> {
        self.0.iter().map(|(status, number)| (status, *number))
    }
}
