//! What the files below the engine cost: the overview read at start, and the journal.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use divan::{Bencher, black_box};
use manutop::domain::{ConnectionName, RefreshToken, Secret, SystemClock, TokenRecord};
use manutop::store::{MemoryStore, Secrets, Vault, overview};
use tokio::runtime::{Builder, Runtime};

const CONNECTIONS: [usize; 3] = [10, 1000, 10_000];

fn main() {
    divan::main();
}

/// Reading the overview, and taking every connection's facts out of it.
#[divan::bench(args = CONNECTIONS)]
fn overview_read(bencher: Bencher, connections: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let names: Vec<_> = (0..connections).map(name).collect();
    let news = names.iter().map(|name| (name.clone(), Some(record(1).facts()))).collect();
    assert!(runtime().block_on(vault(dir.path()).note_overview(news)), "it is written");
    bencher.bench_local(|| {
        let overview = overview::read(black_box(dir.path()));
        let rows = overview.rows();
        names.iter().filter(|name| rows.facts(name).is_some()).count()
    });
}

fn vault(dir: &Path) -> Vault {
    Vault::open(Secrets::new(MemoryStore::new().factory()), dir, Arc::new(SystemClock)).expect("a data directory")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn name(number: usize) -> ConnectionName {
    ConnectionName::new(&format!("connection-{number}")).expect("a name")
}

fn record(generation: u64) -> TokenRecord {
    let at = DateTime::<Utc>::from_timestamp(1_790_000_000, 0).expect("a moment");
    TokenRecord {
        generation,
        access_token: Secret::new(format!("access-{generation}-{}", "x".repeat(1500))),
        obtained_at: at,
        expires_at: at + TimeDelta::seconds(1799),
        refresh_token: Some(RefreshToken {
            token: Secret::new(format!("refresh-{generation}")),
            obtained_at: at,
            estimated_end: at + TimeDelta::days(730),
        }),
        scope: Some("API_ALL".into()),
        client_id: "client".into(),
    }
}
