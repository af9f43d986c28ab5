//! How the demo's servers behave.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::demo::limit::RateLimit;
use crate::domain::{Clock, SystemClock};

/// How the servers behave.
#[derive(Clone)]
pub struct DemoOptions {
    /// Manu Online's port; Manus gets the next one. `None` (the default): two free ones.
    pub port: Option<u16>,
    /// How long Manu Online's access tokens live. Default 90 s.
    pub manu_lifetime: Duration,
    /// For how long Manu Online's server still takes a refresh token that was just replaced (zero:
    /// not at all, and its family is revoked). Other servers have such a grace period.
    pub manu_grace: Duration,
    /// How long Manus's access tokens live. Default 150 s.
    pub manus_lifetime: Duration,
    /// Token requests Manu Online allows each client. Default 60 a minute; `None`: any number.
    pub manu_limit: Option<RateLimit>,
    /// Mints Manus allows each client. Default 5 a minute; `None`: any number.
    pub manus_limit: Option<RateLimit>,
    /// How long each answer takes before it is begun, asked for each request. Default: no time.
    pub delay: Option<fn() -> Duration>,
    /// The servers' clock. Default [`SystemClock`].
    pub clock: Arc<dyn Clock>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            port: None,
            manu_lifetime: Duration::from_secs(90),
            manu_grace: Duration::ZERO,
            manus_lifetime: Duration::from_secs(150),
            manu_limit: Some(RateLimit::per_minute(60)),
            manus_limit: Some(RateLimit::per_minute(5)),
            delay: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// A configured lifetime; one beyond all calendars becomes a hundred years.
pub(super) fn lifetime(configured: Duration) -> TimeDelta {
    let longest = TimeDelta::days(36_500);
    TimeDelta::from_std(configured).unwrap_or(longest).min(longest)
}
