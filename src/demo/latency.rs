//! How long the demo's servers think, and the hour of requests they seem to have answered before.
//!
//! Times are between 30 and 180 ms, mostly near the lower end, as those of a provider in the same country.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

use crate::domain::{Connection, Exchange, LogEntry, Outcome, Timings, TokenRecord, Wire};

/// How far back the requests go.
const PAST: TimeDelta = TimeDelta::hours(1);
/// One refresh in so many is answered with 503 at first.
const REFRESHES_PER_FAILURE: usize = 19;
/// One refresh in so many is followed by a test call.
const REFRESHES_PER_TEST: usize = 13;
/// How long after a 503 the request is repeated.
const RETRY: TimeDelta = TimeDelta::seconds(2);

/// How long one answer takes.
#[must_use]
pub fn thinking() -> Duration {
    Duration::from_millis(milliseconds(&mut Rng::new()))
}

fn milliseconds(random: &mut Rng) -> u64 {
    let (near, far) = (random.u64(0..30), random.u64(0..121));
    // One in eight has farther to go.
    30 + near + if random.u8(0..8) == 0 { far } else { 0 }
}

/// The requests of an hour that led to a connection's tokens, oldest first: a refresh each time that tokens like these
/// are due, some only at the second try, and some test calls. The same for the same tokens.
#[must_use]
pub fn past_hour(connection: &Connection, tokens: &TokenRecord) -> Vec<LogEntry> {
    let mut random = Rng::with_seed(tokens.generation);
    let lifetime = tokens.expires_at - tokens.obtained_at;
    let every = lifetime - (lifetime / 5).max(TimeDelta::seconds(60));
    let mut entries = Vec::new();
    let mut at = tokens.obtained_at;
    for number in 1.. {
        if at < tokens.obtained_at - PAST || every <= TimeDelta::zero() {
            break;
        }
        let past = Past { connection, random: &mut random };
        entries.extend(past.refresh(at, number));
        at -= every;
    }
    entries.sort_by_key(|entry| entry.at);
    entries
}

struct Past<'a> {
    connection: &'a Connection,
    random: &'a mut Rng,
}

impl Past<'_> {
    /// A refresh whose answer came at `at`, and what went with it.
    fn refresh(mut self, at: DateTime<Utc>, number: usize) -> Vec<LogEntry> {
        let exchange = if self.connection.needs_browser() { Exchange::Refresh } else { Exchange::Mint };
        let mut entries = Vec::new();
        let fails = number.is_multiple_of(REFRESHES_PER_FAILURE);
        if fails {
            let mut failed = self.entry(at - RETRY, exchange, 503);
            failed.oauth_error = Some("temporarily_unavailable".into());
            entries.push(failed);
        }
        let mut answered = self.entry(at, exchange, 200);
        answered.attempt += u32::from(fails);
        entries.push(answered);
        if number.is_multiple_of(REFRESHES_PER_TEST) {
            entries.push(self.entry(at + TimeDelta::seconds(9), Exchange::Test, 200));
        }
        entries
    }

    fn entry(&mut self, at: DateTime<Utc>, exchange: Exchange, status: u16) -> LogEntry {
        let is_test = exchange == Exchange::Test;
        let url = if is_test { &self.connection.test_url } else { &self.connection.token_url };
        let duration_ms = milliseconds(self.random);
        let timings = Timings { wait_us: Some(duration_ms * 1000), receive_us: Some(0), ..Timings::default() };
        LogEntry {
            at,
            connection: self.connection.name.clone(),
            exchange,
            method: if is_test { "GET" } else { "POST" }.into(),
            host: url.authority().to_owned(),
            path: url.path().to_owned(),
            outcome: Outcome::Status(status),
            duration_ms,
            attempt: 1,
            size: if status == 200 { 312 } else { 98 },
            headers: Vec::new(),
            oauth_error: None,
            oauth_error_description: None,
            wire: Wire { url: Some(url.to_string()), version: Some("HTTP/1.1".into()), timings, ..Wire::default() },
        }
    }
}
