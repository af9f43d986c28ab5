//! Rate limits: so many requests of one client in a fixed window of time.

use std::collections::HashMap;

use axum::http::HeaderName;
use axum::http::header::RETRY_AFTER;
use chrono::{DateTime, TimeDelta, Utc};

/// How many requests a client may make in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per window.
    pub requests: u32,
    /// The window's length.
    pub window: TimeDelta,
}

impl RateLimit {
    /// So many requests a minute.
    #[must_use]
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, window: TimeDelta::minutes(1) }
    }
}

/// Counts every client's requests against one limit.
pub(super) struct Limiter {
    limit: Option<RateLimit>,
    windows: HashMap<String, RateWindow>,
}

#[derive(Clone, Copy)]
struct RateWindow {
    began: DateTime<Utc>,
    used: u32,
}

/// Where a client stands.
pub(super) struct MintingState {
    /// Whether this request is over the limit.
    pub(super) refused: bool,
    limit: RateLimit,
    remaining: u32,
    /// Until the next window, whole seconds, at least one.
    reset: i64,
}

impl Limiter {
    pub(super) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, windows: HashMap::new() }
    }

    /// Counts one request of a client. `None`: there is no limit.
    pub(super) fn count(&mut self, client_id: &str, now: DateTime<Utc>) -> Option<MintingState> {
        let limit = self.limit?;
        let window = self.windows.entry(client_id.to_owned()).or_insert(RateWindow { began: now, used: 0 });
        // A clock set back must not lock a client out: its window starts again as well.
        if now < window.began || now >= window.began + limit.window {
            *window = RateWindow { began: now, used: 0 };
        }
        let refused = window.used >= limit.requests;
        window.used += u32::from(!refused);
        Some(MintingState::of(limit, *window, refused, now))
    }

    /// Where a client stands, without counting.
    pub(super) fn look(&self, client_id: Option<&str>, now: DateTime<Utc>) -> Option<MintingState> {
        let limit = self.limit?;
        let fresh = RateWindow { began: now, used: 0 };
        let window = client_id.and_then(|id| self.windows.get(id)).copied().unwrap_or(fresh);
        let window = if now < window.began + limit.window { window } else { fresh };
        Some(MintingState::of(limit, window, false, now))
    }
}

impl MintingState {
    fn of(limit: RateLimit, window: RateWindow, refused: bool, now: DateTime<Utc>) -> Self {
        let left = window.began + limit.window - now;
        // Rounded up: a client that waits as instructed is let in.
        let reset = (left.num_milliseconds() + 999).div_euclid(1000).max(1);
        Self { refused, limit, remaining: limit.requests - window.used.min(limit.requests), reset }
    }

    /// The headers that inform the client: `X-RateLimit-*` (the reset in seconds from now), and
    /// `Retry-After` once it is refused.
    pub(super) fn headers(&self) -> Vec<(HeaderName, String)> {
        let mut headers = vec![
            (HeaderName::from_static("x-ratelimit-limit"), self.limit.requests.to_string()),
            (HeaderName::from_static("x-ratelimit-remaining"), self.remaining.to_string()),
            (HeaderName::from_static("x-ratelimit-reset"), self.reset.to_string()),
        ];
        if self.refused {
            headers.push((RETRY_AFTER, self.reset.to_string()));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{Limiter, RateLimit};

    #[test]
    fn a_client_is_refused_at_its_limit_and_served_after_the_wait_it_was_given() {
        let start = DateTime::from_timestamp(1_000_000, 500_000_000).unwrap();
        let mut limiter = Limiter::new(Some(RateLimit::per_minute(2)));
        assert!(!limiter.count("a", start).unwrap().refused);
        assert!(!limiter.count("a", start).unwrap().refused);
        let later = start + TimeDelta::milliseconds(10_300);
        let standing = limiter.count("a", later).unwrap();
        assert!(standing.refused);
        assert_eq!(standing.reset, 50, "rounded up");
        assert!(!limiter.count("b", later).unwrap().refused, "another client has its own window");
        assert!(!limiter.count("a", later + TimeDelta::seconds(50)).unwrap().refused);
    }

    #[test]
    fn a_clock_set_back_locks_no_client_out() {
        let start = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let mut limiter = Limiter::new(Some(RateLimit::per_minute(1)));
        assert!(!limiter.count("a", start).unwrap().refused);
        assert!(!limiter.count("a", start - TimeDelta::hours(1)).unwrap().refused);
    }
}
