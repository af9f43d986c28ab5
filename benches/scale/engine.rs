//! The other process: refreshes all there is in a home, and reports in one line.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use manutop::config;
use manutop::domain::{Clock, ConnectionEvent, ConnectionName, Event, EventKind, Program, Secret, SystemClock};
use manutop::engine::{Browser, Engine, Opened, Parts};
use manutop::oauth::providers;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

use super::home::{PASSPHRASE, runtime, store};
use super::spent::spent;

/// How long the machine sleeps, where it does: longer than any token lives.
const SLEEP: TimeDelta = TimeDelta::hours(1);

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _: &str) -> Result<Opened, String> {
        Err("a bench opens no browser".into())
    }
}

/// The system's clock, which keeps running while the machine sleeps.
#[derive(Default)]
struct Slept(AtomicI64);

impl Clock for Slept {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// Runs until all are refreshed, at most so long. With `sleeps` the machine sleeps once all are read.
pub fn run(home: &Path, patience: Duration, sleeps: bool) {
    let config = config::load(&home.join("config.toml"), providers::ALL).expect("a good file").expect("a file");
    let slept = Arc::new(Slept::default());
    let clock: Arc<dyn Clock> = Arc::clone(&slept) as _;
    let secrets = Secrets::new(store(home).factory());
    let vault = Vault::open(secrets, &home.join("data"), Arc::clone(&clock)).expect("a data directory");
    runtime().block_on(async {
        vault.unlock(Secret::new(PASSPHRASE)).await.expect("the passphrase");
        let count = config.connections.len();
        let mut started = Instant::now();
        let (engine, mut events) = Engine::start(Parts {
            connections: config.connections,
            vault,
            clock: Arc::clone(&clock),
            browser: Arc::new(NoBrowser),
            program: Program::Dashboard,
            automatic: true,
            login_timeout: Duration::from_secs(60),
            lost_pause: manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER,
        })
        .expect("a thread");
        let views = engine.views().await;
        let read = started.elapsed();
        let ends = views.iter().filter_map(|view| Some((view.name.clone(), view.token()?.expires_at)));
        let mut ends: HashMap<ConnectionName, DateTime<Utc>> = ends.collect();
        assert_eq!(ends.len(), count, "all have tokens");
        if sleeps {
            slept.0.store(SLEEP.num_seconds(), Ordering::Relaxed);
            started = Instant::now();
        }
        let (mut least, mut late, mut first) = (TimeDelta::MAX, 0, None);
        let refreshing = async {
            while !ends.is_empty() {
                let event = events.recv().await.expect("the engine keeps running");
                if let Event::Connection(ConnectionEvent { connection, kind: EventKind::Refreshed { .. } }) = event
                    && let Some(expires) = ends.remove(&connection)
                {
                    let left = expires - clock.now();
                    first.get_or_insert_with(|| started.elapsed());
                    least = least.min(left);
                    late += usize::from(left <= TimeDelta::zero());
                }
            }
        };
        tokio::time::timeout(patience, refreshing).await.expect("all are refreshed");
        let end = started.elapsed();
        engine.shutdown().await;
        let (cpu, peak) = spent("self");
        println!(
            "{:.2} {:.1} {:.1} {} {late} {cpu} {peak}",
            read.as_secs_f64(),
            first.unwrap_or_default().as_secs_f64(),
            end.as_secs_f64(),
            least.num_seconds()
        );
    });
}
