//! A home with many connections: a configuration, and an encrypted store with the client secret and a
//! token of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use manutop::demo::Manu;
use manutop::domain::{ConnectionName, Secret, SystemClock, TokenRecord};
use manutop::secrets::encrypted_file::FileStore;
use manutop::secrets::memory::MemoryStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;
use tokio::runtime::{Builder, Runtime};

use super::provider::LIFETIME;

pub const PASSPHRASE: &str = "correct horse battery staple";
/// scrypt's cost as a power of two: cheap, for it guards nothing.
const WORK_FACTOR: u8 = 4;
const CLIENT: &str = "bench";

/// Makes the home. Of each token there is so much left.
pub fn make(home: &Path, manu: &Manu, count: usize, left: TimeDelta) {
    let secret = Secret::new("client-secret-of-the-bench");
    manu.register_client(CLIENT, &secret, &[]);
    let (token_url, test_url, authorize_url) = (manu.token_url(), manu.test_url(), manu.authorize_url());
    let mut text = String::from("store = \"file\"\n");
    for number in 0..count {
        let section = format!(
            "[[connections]]\nname = \"{}\"\nprovider = \"manu\"\nclient_id = \"{CLIENT}\"\ntoken_url = \"{token_url}\"\n\
             test_url = \"{test_url}\"\nauthorize_url = \"{authorize_url}\"\nredirect_uri = \"http://127.0.0.1:8085/callback\"\n\n",
            name(number)
        );
        text.push_str(&section);
    }
    std::fs::create_dir_all(home).and_then(|()| std::fs::write(home.join("config.toml"), text)).expect("a home");
    runtime().block_on(async {
        let store = store(home);
        let secrets = Secrets::new(store.factory());
        secrets.unlock(Secret::new(PASSPHRASE)).await.expect("a new store");
        let age = TimeDelta::from_std(LIFETIME).expect("minutes") - left;
        for numbers in (0..count).collect::<Vec<_>>().chunks(64) {
            let puts = numbers.iter().map(|number| {
                let (name, issued) = (name(*number), manu.issue_aged(CLIENT, "API_ALL", age));
                put(&secrets, name, secret.clone(), issued.record(1))
            });
            join_all(puts).await;
        }
    });
}

/// What programs that are to use the home find in their environment.
pub fn environment(home: &Path) -> [(&'static str, String); 3] {
    let path = |within: &str| home.join(within).display().to_string();
    [
        ("MANUTOP_CONFIG", path("config.toml")),
        ("MANUTOP_DATA_DIR", path("data")),
        ("MANUTOP_PASSPHRASE", PASSPHRASE.into()),
    ]
}

pub fn store(home: &Path) -> FileStore {
    let dir: PathBuf = home.join("data/store");
    std::fs::create_dir_all(&dir).expect("a directory");
    FileStore::with_work_factor(dir, None, WORK_FACTOR)
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Puts a record into the store past journal and lock, as an earlier manutop left it.
async fn put(secrets: &Secrets, name: ConnectionName, client_secret: Secret, record: TokenRecord) {
    let (elsewhere, dir) = (MemoryStore::new(), tempfile::tempdir().expect("a directory"));
    let vault = Vault::open(Secrets::new(elsewhere.factory()), dir.path(), Arc::new(SystemClock)).expect("a vault");
    vault.lock(&name, |_| {}).await.expect("a lock").receive(record).await.expect("kept in memory");
    let token = format!("{name}/token");
    let line = elsewhere.item(&token).expect("it was put there");
    secrets.set(&token, &line).await.expect("kept");
    secrets.set(&format!("{name}/client-secret"), &client_secret).await.expect("kept");
}

fn name(number: usize) -> ConnectionName {
    ConnectionName::new(&format!("connection-{number}")).expect("a name")
}
