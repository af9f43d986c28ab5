//! A bound on the time that an exchange takes while this process runs.
//!
//! Invariant: an answer that has arrived is read before a timeout is declared. A process that was
//! stopped (Ctrl-Z), or whose machine slept, resumes with every timer overdue, and timers may fire
//! before the I/O driver has looked at its sockets. So time counts in slices, of which one that
//! overran counts as one, and after the last slice the I/O driver gets a while of its own.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// How many slices the limit has. An exchange rarely takes longer than one, so it rarely wakes
/// the process for it.
const SLICES: u32 = 12;
/// How long is still read when the time is up: what is in the socket's buffer takes much less.
const GRACE: Duration = Duration::from_millis(500);

/// What the work gives; `None` when it is not done after `limit`, nor a little later.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let slice = limit / SLICES;
    let mut left = SLICES;
    while left > 0 {
        let began = Instant::now();
        if let Ok(done) = timeout(slice, work.as_mut()).await {
            return Some(done);
        }
        // Stopped meanwhile: the slice to come is the first in which anything could be read.
        let overran = began.elapsed() > slice + GRACE;
        if left > 1 || !overran {
            left -= 1;
        }
    }
    // The work is polled before the time is looked at.
    timeout(GRACE, work).await.ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance, sleep};

    use super::{GRACE, within};

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn work_that_is_done_in_time_is_not_held_up() {
        let began = Instant::now();
        assert_eq!(within(LIMIT, async { 7 }).await, Some(7));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(within(LIMIT, async { sleep(Duration::from_millis(59_500)).await }).await, Some(()));
        assert_eq!(within(LIMIT, sleep(LIMIT + GRACE / 2)).await, Some(()), "just after the end");
    }

    #[tokio::test(start_paused = true)]
    async fn work_without_an_end_is_given_up_when_the_time_is_up() {
        let began = Instant::now();
        assert_eq!(within(LIMIT, std::future::pending::<()>()).await, None);
        let took = began.elapsed();
        assert!((LIMIT + GRACE..LIMIT + 2 * GRACE).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_the_process_was_stopped_does_not_count() {
        let work = async {
            sleep(Duration::from_secs(2)).await;
            // The process is stopped here for ten minutes, whatever its timers say.
            advance(Duration::from_secs(600)).await;
            sleep(Duration::from_secs(30)).await;
        };
        assert_eq!(within(LIMIT, work).await, Some(()));
    }
}
