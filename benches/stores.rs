//! What the files below the engine cost: the status snapshot read at start, the journal, a rotation.

use std::path::Path;
use std::sync::Arc;

use divan::{Bencher, black_box};
use manutop::domain::{ConnectionName, Secret, SystemClock};
use manutop::secrets::encrypted_file::FileStore;
use manutop::secrets::memory::MemoryStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::status_snapshot;
use manutop::tokens::vault::Vault;
use records::record;
use tokio::runtime::{Builder, Runtime};

#[expect(dead_code, reason = "the tests of the stores need more of it")]
#[path = "../tests/support/records.rs"]
mod records;

const CONNECTIONS: [usize; 3] = [10, 1000, 10_000];

fn main() {
    divan::main();
}

/// Reading the status snapshot, and taking every connection's facts out of it.
#[divan::bench(args = CONNECTIONS)]
fn snapshot_read(bencher: Bencher, connections: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let names: Vec<_> = (0..connections).map(name).collect();
    let news = names.iter().map(|name| (name.clone(), Some(record(1).facts()))).collect();
    assert!(runtime().block_on(vault(dir.path()).write_status_snapshot(news)), "it is written");
    bencher.bench_local(|| {
        let snapshot = status_snapshot::read(black_box(dir.path()));
        names.iter().filter(|name| snapshot.facts(name).is_some()).count()
    });
}

/// Two writes of a journal: a refresh token on its way, and taken back. Mostly the disk's own time.
#[divan::bench(sample_count = 30)]
fn journal_write(bencher: Bencher) {
    let dir = tempfile::tempdir().expect("a directory");
    let (runtime, vault) = (runtime(), vault(dir.path()));
    let mut locked = runtime.block_on(vault.lock(&name(0), |_| {})).expect("a lock");
    bencher.bench_local(|| {
        runtime.block_on(async {
            locked.spending(black_box(&record(1))).await.expect("a journal");
            locked.unspent().await.expect("a journal");
        });
    });
}

/// One rotation in the encrypted file store, without the exchange, beside as many other connections.
/// It must cost the same beside any number.
#[divan::bench(args = CONNECTIONS, sample_count = 30)]
fn rotation_in_files(bencher: Bencher, connections: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = FileStore::with_work_factor(dir.path().join("store"), None, 4);
    let vault = Vault::open(Secrets::new(store.factory()), dir.path(), Arc::new(SystemClock)).expect("a vault");
    let runtime = runtime();
    runtime.block_on(vault.unlock(Secret::new("correct horse battery staple"))).expect("a new store");
    for number in 0..connections {
        for file in [format!("store/{number:032x}.age"), format!("journals/{}.json", name(number))] {
            std::fs::write(dir.path().join(file), "").expect("another connection's file");
        }
    }
    let mut generation = 0;
    let factory = ConnectionName::new("factory").expect("a name");
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut locked = vault.lock(&factory, |_| {}).await.expect("a lock");
            let standing = locked.recover().await.expect("a good store");
            locked.preflight().await.expect("room");
            if let Some(record) = standing.record {
                locked.spending(&record).await.expect("a journal");
            }
            generation += 1;
            locked.receive(record(generation)).await.expect("kept");
        });
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
