//! The provider, in this process: the demo's servers as a far host is, which takes its time, can be out
//! of order for a while, and counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use manutop::demo::{DemoFault, DemoOptions, Manu, Servers, Stats};

/// As Manu Online's access tokens live.
pub const LIFETIME: Duration = Duration::from_secs(1799);
/// How long an answer takes: else it is there before the next question is asked.
const ANSWER: Duration = Duration::from_millis(30);
/// How long an outage lasts, from the first request that meets it.
const OUTAGE: Duration = Duration::from_secs(120);

/// See the file's head.
pub struct Provider {
    servers: Servers,
    counter: JoinHandle<u64>,
    is_over: Arc<AtomicBool>,
}

impl Provider {
    /// A provider that answers; with `is_out`, not at first.
    pub fn start(is_out: bool) -> Self {
        let options = DemoOptions { manu_limit: None, manu_lifetime: LIFETIME, ..DemoOptions::default() };
        let servers = Servers::start(options).expect("servers on loopback");
        let manu = servers.manu().clone();
        manu.break_down(None, DemoFault::DelayBefore(ANSWER));
        if is_out {
            // At once, which is the worst that can be: nothing but the asker holds back.
            manu.break_down(None, DemoFault::status(503, "out of order"));
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let counter = thread::spawn(move || count(&manu, is_out, &over));
        Self { servers, counter, is_over }
    }

    /// Manu Online's server.
    pub fn manu(&self) -> &Manu {
        self.servers.manu()
    }

    /// What was counted, and the most requests within one second.
    pub fn end(self) -> (Stats, u64) {
        self.is_over.store(true, Ordering::Relaxed);
        let busiest = self.counter.join().expect("counting cannot fail");
        (self.servers.manu().stats(), busiest)
    }
}

/// Counts the requests of each second, gives the most, and ends the outage when it is time.
fn count(manu: &Manu, mut is_out: bool, is_over: &AtomicBool) -> u64 {
    let (mut before, mut busiest, mut began) = (0, 0, None);
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(1));
        let posts = manu.stats().token_posts.total();
        busiest = busiest.max(posts - before);
        before = posts;
        if posts > 0 {
            began.get_or_insert_with(Instant::now);
        }
        if is_out && began.is_some_and(|began| began.elapsed() >= OUTAGE) {
            is_out = false;
            manu.clear_faults();
            manu.break_down(None, DemoFault::DelayBefore(ANSWER));
        }
    }
    busiest
}
