//! A bounded number of places for connections.
//!
//! Invariant: a connection that has not sent its request yet loses its place to a newer one when all places are
//! taken, the oldest first, but not within its first [`GRACE`]: a program that connects and sends its request at once
//! is answered, however many others connect and stay silent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a connection keeps its place at least.
const GRACE: Duration = Duration::from_millis(50);

/// The places of one server, which may have several sockets. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    silent: Arc<Mutex<Silent>>,
}

/// The connections whose request has not arrived, oldest first.
#[derive(Debug, Default)]
struct Silent {
    next: u64,
    connections: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// A connection's place; dropping it frees it.
#[derive(Debug)]
pub struct OpenPlace {
    number: u64,
    silent: Arc<Mutex<Silent>>,
    lost: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// A place that no connection has yet.
#[derive(Debug)]
pub(super) struct Free(OwnedSemaphorePermit);

impl Places {
    /// So many places.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), silent: Arc::default() }
    }

    /// Gives a place to a connection, which has sent no request yet.
    pub(super) fn seat(&self, free: Free) -> OpenPlace {
        let (mut silent, lost) = (self.silent(), CancellationToken::new());
        let number = silent.next;
        silent.next += 1;
        silent.connections.insert(number, (Instant::now(), lost.clone()));
        drop(silent);
        OpenPlace { number, silent: Arc::clone(&self.silent), lost, _permit: free.0 }
    }

    /// Waits for a free place. Where all are taken, the oldest silent connection loses its own.
    pub(super) async fn free(&self) -> Free {
        let mut permit = std::pin::pin!(Arc::clone(&self.free).acquire_owned());
        loop {
            // Which is the oldest changes while this waits: look again after each grace.
            let oldest = self.silent().connections.values().next().map(|(since, _)| *since);
            let due = oldest.unwrap_or_else(Instant::now) + GRACE;
            let permit = tokio::select! {
                biased;
                permit = &mut permit => permit,
                () = tokio::time::sleep_until(due) => {
                    if !self.evict_before(Instant::now() - GRACE) {
                        continue;
                    }
                    permit.await
                }
            };
            return Free(permit.expect("the semaphore is never closed"));
        }
    }

    /// Ends the oldest silent connection, where it is at least so old; gives whether there was one.
    fn evict_before(&self, before: Instant) -> bool {
        let mut silent = self.silent();
        let oldest = silent.connections.first_entry().filter(|oldest| oldest.get().0 <= before);
        oldest.map(|oldest| oldest.remove().1.cancel()).is_some()
    }

    /// Ends the oldest silent connection, if there is one.
    pub(super) fn evict_oldest(&self) {
        let _ = self.evict_before(Instant::now());
    }

    /// Ends every silent connection.
    pub(super) fn evict_all(&self) {
        for (_, lost) in std::mem::take(&mut self.silent().connections).into_values() {
            lost.cancel();
        }
    }

    fn silent(&self) -> MutexGuard<'_, Silent> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenPlace {
    /// The request has arrived: the place is kept until it is answered.
    pub fn keep(&self) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).connections.remove(&self.number);
    }

    /// Cancelled when the place is lost to a newer connection.
    pub(super) fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }
}

impl Drop for OpenPlace {
    fn drop(&mut self) {
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::{GRACE, OpenPlace, Places};

    async fn take(places: &Places) -> OpenPlace {
        places.seat(places.free().await)
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_silent_connection_loses_its_place_after_its_grace() {
        let places = Places::new(2);
        let (first, second) = (take(&places).await, take(&places).await);
        let began = Instant::now();
        let lost = first.lost();
        let task = tokio::spawn(async move {
            lost.cancelled().await;
            drop(first);
        });
        let _third = take(&places).await;
        assert!(began.elapsed() >= GRACE, "not before");
        task.await.unwrap();
        assert!(!second.lost().is_cancelled(), "one for one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_request_has_arrived_keeps_its_place() {
        let places = Places::new(1);
        let only = take(&places).await;
        only.keep();
        assert!(timeout(GRACE * 100, take(&places)).await.is_err());
        assert!(!only.lost().is_cancelled());
        drop(only);
        assert!(timeout(GRACE, take(&places)).await.is_ok());
    }
}
