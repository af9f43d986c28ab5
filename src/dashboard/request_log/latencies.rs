//! The latest durations of every connection's exchanges, for the sparklines.

use std::collections::{HashMap, VecDeque};

use crate::domain::{ConnectionName, Exchange, LogEntry};

/// Durations in milliseconds, at most [`Latencies::MAX`] a connection, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(HashMap<ConnectionName, VecDeque<u64>>);

impl Latencies {
    /// The most durations kept for a connection.
    pub const MAX: usize = 60;

    pub(super) fn add_newest(&mut self, entry: &LogEntry) {
        let Some(durations) = self.durations(entry) else { return };
        if durations.len() == Self::MAX {
            durations.pop_front();
        }
        durations.push_back(entry.duration_ms);
    }

    pub(super) fn add_oldest(&mut self, entry: &LogEntry) {
        if let Some(durations) = self.durations(entry).filter(|durations| durations.len() < Self::MAX) {
            durations.push_front(entry.duration_ms);
        }
    }

    pub(super) fn of(&self, connection: &ConnectionName) -> impl ExactSizeIterator<Item = u64> + '_ {
        static NONE: VecDeque<u64> = VecDeque::new();
        self.0.get(connection).unwrap_or(&NONE).iter().copied()
    }

    fn durations(&mut self, entry: &LogEntry) -> Option<&mut VecDeque<u64>> {
        // How long a person takes to log in says nothing about the server.
        let is_of_server = entry.exchange != Exchange::Authorization;
        is_of_server.then(|| self.0.entry(entry.connection.clone()).or_default())
    }
}
