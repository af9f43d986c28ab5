//! Whether a host is out of order, and when it is asked again.
//!
//! One connection that fails waits alone, longer and longer. Where several fail one after another
//! and none is answered in between, it is the host, and all others would fail, too: they are held
//! back, so that they neither hammer a server that tries to recover nor one after another become uncertain at
//! one that takes requests and never answers. After a pause a single one tries, first one that has not
//! failed yet; the first answer ends it, and all go on.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::ConnectionName;
use crate::engine::connections::schedule;

/// So many connections must have failed, one after another, for it to be the host.
const MANY: usize = 8;
/// No pause is longer: the leads of tokens are minutes, and all of them have to go through after it.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// See the file's head.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker {
    /// Whose requests failed since one was answered last.
    failed: BTreeSet<ConnectionName>,
    /// How many pauses there were.
    pauses: u32,
    /// The end of the last pause, while it is the host.
    until: Option<DateTime<Utc>>,
}

impl CircuitBreaker {
    /// The end of the last pause, which may be over; `None` where the host is in order.
    pub(crate) fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    /// Whether a connection has failed since the breaker opened, so that others try before it.
    pub(crate) fn has_failed(&self, name: &ConnectionName) -> bool {
        self.failed.contains(name)
    }

    /// A connection was answered: the host is in order.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    /// A connection was not answered, or with a failure of the server. `jitter` is drawn from `0.0..=1.0`.
    pub(crate) fn fail(&mut self, name: &ConnectionName, now: DateTime<Utc>, jitter: f64) {
        self.failed.insert(name.clone());
        // What was out when a pause began says nothing new.
        if self.failed.len() >= MANY && self.until.is_none_or(|until| until <= now) {
            self.pauses = self.pauses.saturating_add(1);
            self.until = Some(now + schedule::backoff(self.pauses, jitter).min(LONGEST_PAUSE));
        }
    }

    /// The clock was set back: no pause is longer than any.
    pub(crate) fn clock_went_back(&mut self, now: DateTime<Utc>) {
        self.until = self.until.map(|until| until.min(now + LONGEST_PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn fail(breaker: &mut CircuitBreaker, numbers: std::ops::Range<usize>, second: i64) {
        for number in numbers {
            breaker.fail(&ConnectionName::new(&format!("c{number}")).unwrap(), at(second), 1.0);
        }
    }

    #[test]
    fn it_is_the_host_once_several_have_failed_and_not_one_again_and_again() {
        let mut breaker = CircuitBreaker::default();
        for second in 0..100 {
            fail(&mut breaker, 0..MANY - 1, second);
        }
        assert_eq!(breaker.until(), None);
        fail(&mut breaker, MANY - 1..MANY, 100);
        assert_eq!(breaker.until(), Some(at(102)));
        breaker.end();
        fail(&mut breaker, 0..MANY - 1, 103);
        assert_eq!(breaker.until(), None, "an answer ended it");
    }

    #[test]
    fn pauses_grow_by_tries_and_not_by_what_was_out_already() {
        let mut breaker = CircuitBreaker::default();
        fail(&mut breaker, 0..2 * MANY, 0);
        assert_eq!(breaker.until(), Some(at(2)));
        for (second, until) in [(2, 6), (6, 14), (14, 30), (30, 60), (60, 90)] {
            fail(&mut breaker, 0..3, second);
            assert_eq!(breaker.until(), Some(at(until)));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_no_pause() {
        let mut breaker = CircuitBreaker::default();
        fail(&mut breaker, 0..MANY, 7200);
        breaker.clock_went_back(at(3600));
        assert_eq!(breaker.until(), Some(at(3630)));
    }
}
