//! When statuses change with time alone, so that the tick of a second looks only at those that may.
//!
//! Invariant: every connection whose status can still change by itself is due at the moment at which
//! it may, at the latest.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

/// Which connection is due when, by its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusDeadlines {
    due: BTreeSet<(DateTime<Utc>, usize)>,
    /// The moment of each connection that has one.
    moments: Vec<Option<DateTime<Utc>>>,
}

impl StatusDeadlines {
    /// Sets, or takes back, when the connection at `place` is due.
    pub fn set(&mut self, place: usize, moment: Option<DateTime<Utc>>) {
        if self.moments.len() <= place {
            self.moments.resize(place + 1, None);
        }
        if let Some(before) = std::mem::replace(&mut self.moments[place], moment) {
            self.due.remove(&(before, place));
        }
        self.due.extend(moment.map(|moment| (moment, place)));
    }

    /// Whether any connection is due at `now`.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.due.first().is_some_and(|(moment, _)| *moment <= now)
    }

    /// Takes out the connections that are due at `now`.
    pub fn take_due(&mut self, now: DateTime<Utc>) -> Vec<usize> {
        let mut places = Vec::new();
        while let Some((_, place)) = self.due.first().copied().filter(|(moment, _)| *moment <= now) {
            self.set(place, None);
            places.push(place);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::StatusDeadlines;
    use crate::dashboard::fixtures::now;

    #[test]
    fn what_is_due_is_reported_once_and_by_its_latest_moment() {
        let at = |seconds| now() + TimeDelta::seconds(seconds);
        let mut clockwork = StatusDeadlines::default();
        for (place, seconds) in [(0, 5), (2, 5), (1, 3)] {
            clockwork.set(place, Some(at(seconds)));
        }
        clockwork.set(2, Some(at(9)));
        assert!(!clockwork.is_due(at(2)) && clockwork.take_due(at(2)).is_empty());
        assert!(clockwork.is_due(at(5)));
        assert_eq!(clockwork.take_due(at(5)), [1, 0]);
        assert!(clockwork.take_due(at(8)).is_empty());
        clockwork.set(2, None);
        assert!(clockwork.take_due(at(99)).is_empty());
    }
}
