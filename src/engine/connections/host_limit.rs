//! The limit of each host: at most so many exchanges at once per host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// How many exchanges may be out at once to one host.
pub(crate) const PER_HOST: usize = 8;

/// A host and its port. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostKey(Arc<str>);

impl HostKey {
    pub(crate) fn of(url: &Url) -> Self {
        let port = url.port_or_known_default().unwrap_or_default();
        Self(format!("{}:{port}", url.host_str().unwrap_or_default()).into())
    }
}

/// Hands out places. Waiting is first come, first served.
#[derive(Debug, Default)]
pub(crate) struct HostLimit(Mutex<HashMap<HostKey, Arc<Semaphore>>>);

impl HostLimit {
    /// Waits for a place at the host of `url`; the place is free again when the permit is dropped.
    pub(crate) async fn enter(&self, url: &Url) -> OwnedSemaphorePermit {
        let host = HostKey::of(url);
        let places = {
            let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(host).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))))
        };
        places.acquire_owned().await.expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{HostLimit, PER_HOST};

    #[tokio::test(start_paused = true)]
    async fn the_ninth_exchange_waits_and_other_hosts_do_not() {
        let host_limit = HostLimit::default();
        let (one, other) = ("http://127.0.0.1:1/a".parse().unwrap(), "http://127.0.0.1:2/a".parse().unwrap());
        let mut places = Vec::new();
        for _ in 0..PER_HOST {
            places.push(host_limit.enter(&one).await);
        }
        assert!(timeout(Duration::from_secs(1), host_limit.enter(&one)).await.is_err());
        assert!(timeout(Duration::from_secs(1), host_limit.enter(&other)).await.is_ok());
        places.pop();
        assert!(timeout(Duration::from_secs(1), host_limit.enter(&one)).await.is_ok());
    }
}
