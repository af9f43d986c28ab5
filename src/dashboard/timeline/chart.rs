//! How long exchanges took and which failed, over a stretch of the past.
//!
//! It looks at the whole log, so it is made once a second at most, only while it is seen, and
//! kept: drawing reads what is here.

use chrono::{DateTime, Utc};

use crate::dashboard::timeline::axis::{Axis, Zoom};
use crate::domain::{Brief, ConnectionName, Exchange};

/// What a chart was made for; the same question gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartQuery {
    /// The second it was asked in.
    pub second: i64,
    /// The end of the stretch.
    pub to: DateTime<Utc>,
    /// How much of the past.
    pub zoom: Zoom,
    /// Over how many columns.
    pub columns: usize,
    /// Whose exchanges; `None` for everybody's.
    pub connection: Option<ConnectionName>,
}

/// The exchanges of a stretch of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    asked: ChartQuery,
    stretch: Axis,
    slowest: Vec<Option<u64>>,
    failed: Vec<usize>,
    /// Of those that went well, in milliseconds, in ascending order.
    durations: Vec<u64>,
}

impl Chart {
    /// The chart of a log.
    #[must_use]
    pub fn new<'a>(log: impl Iterator<Item = Brief<'a>>, asked: ChartQuery) -> Self {
        let stretch = Axis::until(asked.to, asked.zoom, asked.columns);
        let mut slowest = vec![None; stretch.columns()];
        let mut failed = vec![0; stretch.columns()];
        let mut durations = Vec::new();
        let wanted = |entry: &Brief<'_>| asked.connection.as_ref().is_none_or(|name| name.as_str() == entry.connection);
        // How long a person took to log in says nothing about the server.
        for entry in log.filter(wanted).filter(|entry| entry.exchange != Exchange::Authorization) {
            let Some(column) = stretch.column(entry.at) else { continue };
            if entry.is_ok() {
                slowest[column] = slowest[column].max(Some(entry.duration_ms));
                durations.push(entry.duration_ms);
            } else {
                failed[column] += 1;
            }
        }
        durations.sort_unstable();
        Self { asked, stretch, slowest, failed, durations }
    }

    /// Whether it answers this.
    #[must_use]
    pub fn answers(&self, question: &ChartQuery) -> bool {
        self.asked == *question
    }

    /// What it was made for.
    #[must_use]
    pub fn asked(&self) -> &ChartQuery {
        &self.asked
    }

    /// The stretch of time it covers.
    #[must_use]
    pub fn stretch(&self) -> &Axis {
        &self.stretch
    }

    /// The longest duration in each column in milliseconds, of exchanges that went well.
    #[must_use]
    pub fn slowest(&self) -> &[Option<u64>] {
        &self.slowest
    }

    /// How many failed in each column.
    #[must_use]
    pub fn failed(&self) -> &[usize] {
        &self.failed
    }

    /// How many went well.
    #[must_use]
    pub fn went_well(&self) -> usize {
        self.durations.len()
    }

    /// How many failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.iter().sum()
    }

    /// The duration that so many of a hundred exchanges that went well did not exceed, by nearest
    /// rank, in milliseconds.
    #[must_use]
    pub fn percentile(&self, of_hundred: usize) -> Option<u64> {
        let rank = (self.durations.len() * of_hundred).div_ceil(100).max(1);
        self.durations.get(rank - 1).copied()
    }
}
