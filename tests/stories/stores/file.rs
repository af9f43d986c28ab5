//! The encrypted store: what its files hold, who may read them, and what is noticed of whatever
//! happened to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manutop::config;
use manutop::domain::{Command, Event, Secret, SystemClock};
use manutop::engine::{Browser, Engine, Opened, Parts};
use manutop::oauth::providers;
use manutop::secrets::encrypted_file::{FileStore, Passphrase};
use manutop::secrets::error::StoreError;
use manutop::secrets::secret_store::SecretStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

use crate::support::records::{name, record};

const PASSPHRASE: &str = "correct horse battery staple";
/// scrypt's least: nothing is protected here.
const CHEAP: u8 = 2;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// The store as a newly started process has it, not unlocked.
    fn locked(&self) -> FileStore {
        FileStore::with_work_factor(self.store_dir(), None, CHEAP)
    }

    fn given(&self, secret: &str) -> FileStore {
        let given = Passphrase { secret: Secret::new(secret), from: "of the test".into() };
        FileStore::with_work_factor(self.store_dir(), Some(given), CHEAP)
    }

    /// A handle on the unlocked store.
    fn open(&self) -> Box<dyn SecretStore> {
        self.given(PASSPHRASE).factory()().unwrap()
    }

    fn vault(&self) -> Vault {
        let secrets = Secrets::new(self.given(PASSPHRASE).factory());
        Vault::open(secrets, self.dir.path(), Arc::new(SystemClock)).unwrap()
    }

    /// Every file of the store but the key.
    fn records(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(self.store_dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.file_name().unwrap() != "identity.age");
        paths.sort();
        paths
    }

    /// The store's key as `age` itself gives it.
    fn key(&self) -> age::x25519::Identity {
        let wrapped = fs::read(self.store_dir().join("identity.age")).unwrap();
        let text = age::decrypt(&age::scrypt::Identity::new(PASSPHRASE.to_owned().into()), &wrapped).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines().find(|line| !line.starts_with('#')).unwrap().parse().unwrap()
    }
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test]
async fn tokens_survive_a_restart_one_file_each_and_no_file_can_be_read() {
    let bench = Bench::new();
    let vault = bench.vault();
    vault.set_client_secret(&name(), &Secret::new("client secret")).await.unwrap();
    let mut locked = vault.lock(&name(), |_| {}).await.unwrap();
    locked.preflight().await.unwrap();
    for generation in 1..=3 {
        locked.receive(record(generation)).await.unwrap();
        locked.spending(&record(generation)).await.unwrap();
        locked.unspent().await.unwrap();
    }
    drop(locked);
    let restarted = bench.vault();
    assert_eq!(restarted.read(&name()).await.unwrap().record, Some(record(3)));
    assert_eq!(restarted.client_secret(&name()).await.unwrap(), Some(Secret::new("client secret")));
    assert_eq!(bench.records().len(), 3, "token, client secret, the journal's identity");
    for path in all_files(bench.dir.path()) {
        let bytes = fs::read(&path).unwrap();
        let shown = format!("{} {}", path.display(), String::from_utf8_lossy(&bytes));
        for secret in ["access-", "refresh-", "client secret", "AGE-SECRET", PASSPHRASE] {
            assert!(!shown.contains(secret), "{secret} is readable in {}", path.display());
        }
        assert!(!path.starts_with(bench.store_dir()) || !shown.contains("factory"), "{}", path.display());
    }
    restarted.lock(&name(), |_| {}).await.unwrap().forget().await.unwrap();
    assert!(restarted.remove_client_secret(&name()).await.unwrap());
    assert_eq!(bench.records().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let bench = Bench::new();
    bench.vault().set_client_secret(&name(), &Secret::new("client secret")).await.unwrap();
    assert_eq!(mode(&bench.store_dir()), 0o700);
    for path in all_files(&bench.store_dir()) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    // What an administrator opened for reading stays as it is; what others can write to is refused.
    for (mode_before, allowed) in [(0o755, true), (0o777, false)] {
        fs::set_permissions(bench.store_dir(), fs::Permissions::from_mode(mode_before)).unwrap();
        assert_eq!(bench.open().probe().is_ok(), allowed);
        assert_eq!(mode(&bench.store_dir()), mode_before);
    }
}

#[test]
fn without_a_passphrase_nothing_is_read_written_or_made() {
    let bench = Bench::new();
    let mut store = bench.locked().factory()().unwrap();
    for result in [store.probe(), store.get("x").map(|_| ()), store.set("x", &Secret::new("y")), store.delete("x")] {
        assert!(matches!(result, Err(StoreError::PassphraseNeeded { new: true })), "{result:?}");
    }
    assert!(!bench.store_dir().exists());
    store.unlock(&Secret::new(PASSPHRASE)).unwrap();
    store.set("x", &Secret::new("y")).unwrap();
    let mut later = bench.locked().factory()().unwrap();
    assert!(matches!(later.get("x"), Err(StoreError::PassphraseNeeded { new: false })));
    later.unlock(&Secret::new(PASSPHRASE)).unwrap();
    assert_eq!(later.get("x").unwrap(), Some(Secret::new("y")));
}

#[test]
fn a_wrong_passphrase_is_said_as_such_and_the_right_one_still_works() {
    let bench = Bench::new();
    bench.open().set("x", &Secret::new("y")).unwrap();
    let mut store = bench.given("hunter2").factory()().unwrap();
    for _ in 0..2 {
        let error = store.get("x").unwrap_err();
        assert_eq!(error.to_string(), "the passphrase is wrong (of the test)");
    }
    let error = store.unlock(&Secret::new("hunter3")).unwrap_err();
    assert!(matches!(error, StoreError::WrongPassphrase { from: None }), "{error}");
    store.unlock(&Secret::new(PASSPHRASE)).unwrap();
    assert_eq!(store.get("x").unwrap(), Some(Secret::new("y")));
}

#[test]
fn an_empty_passphrase_is_refused() {
    let bench = Bench::new();
    let mut store = bench.locked().factory()().unwrap();
    assert!(matches!(store.unlock(&Secret::new("")), Err(StoreError::Refused { .. })));
    assert!(!bench.store_dir().exists());
}

#[test]
fn all_handles_are_unlocked_at_once_and_the_passphrase_is_needed_once() {
    let bench = Bench::new();
    let store = bench.locked();
    let (mut one, mut other) = (store.factory()().unwrap(), store.factory()().unwrap());
    one.unlock(&Secret::new(PASSPHRASE)).unwrap();
    other.set("x", &Secret::new("y")).unwrap();
    assert_eq!(one.get("x").unwrap(), Some(Secret::new("y")));
}

#[test]
fn two_processes_that_make_the_store_at_once_end_up_with_one_key() {
    let bench = Bench::new();
    let threads: Vec<_> = (0..4)
        .map(|at| {
            let store = bench.given(PASSPHRASE);
            std::thread::spawn(move || store.factory()().unwrap().set(&format!("item {at}"), &Secret::new("y")))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    let mut store = bench.open();
    for at in 0..4 {
        assert_eq!(store.get(&format!("item {at}")).unwrap(), Some(Secret::new("y")));
    }
}

#[test]
fn any_changed_byte_is_damage_and_the_file_is_left_alone() {
    let bench = Bench::new();
    bench.open().set("factory/token", &Secret::new("hunter2")).unwrap();
    let path = bench.records().remove(0);
    let whole = fs::read(&path).unwrap();
    let mut broken: Vec<Vec<u8>> = (0..whole.len()).map(|at| whole[..at].to_vec()).collect();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        broken.push(bytes);
    }
    let mut store = bench.open();
    for bytes in broken {
        fs::write(&path, &bytes).unwrap();
        let error = store.get("factory/token").unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn swapped_records_are_noticed() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.set("factory/token", &Secret::new("factory's")).unwrap();
    let factory = bench.records();
    store.set("sandbox/token", &Secret::new("sandbox's")).unwrap();
    let sandbox = bench.records().into_iter().find(|path| !factory.contains(path)).unwrap();
    fs::copy(&factory[0], sandbox).unwrap();
    assert!(matches!(store.get("sandbox/token"), Err(StoreError::Corrupt { .. })));
    assert_eq!(store.get("factory/token").unwrap(), Some(Secret::new("factory's")));
}

#[test]
fn a_missing_key_is_not_replaced_where_records_need_the_old_one() {
    let bench = Bench::new();
    bench.open().set("x", &Secret::new("y")).unwrap();
    fs::remove_file(bench.store_dir().join("identity.age")).unwrap();
    let error = bench.open().get("x").unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("backup"), "{error}");
    assert!(!bench.store_dir().join("identity.age").exists());
}

#[test]
fn a_damaged_key_is_not_mistaken_for_a_wrong_passphrase() {
    let bench = Bench::new();
    bench.open().set("x", &Secret::new("y")).unwrap();
    let path = bench.store_dir().join("identity.age");
    let whole = fs::read(&path).unwrap();
    let plain = age::encrypt(&bench.key().to_public(), b"no passphrase").unwrap();
    for bytes in [whole[..whole.len() - 1].to_vec(), whole[..40].to_vec(), Vec::new(), plain] {
        fs::write(&path, bytes).unwrap();
        let error = bench.open().probe().unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn a_key_that_would_take_all_memory_is_refused_before_it_does() {
    let bench = Bench::new();
    bench.open().set("x", &Secret::new("y")).unwrap();
    let path = bench.store_dir().join("identity.age");
    let wrapped = fs::read(&path).unwrap();
    let header_end = wrapped.windows(3).position(|bytes| bytes == b"---").unwrap();
    let header = std::str::from_utf8(&wrapped[..header_end]).unwrap();
    let greedy = header.replacen(" 2\n", " 40\n", 1);
    assert_ne!(greedy, header);
    fs::write(&path, [greedy.as_bytes(), &wrapped[header_end..]].concat()).unwrap();
    let error = bench.open().probe().unwrap_err();
    assert!(error.to_string().contains("more memory"), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_left_untouched_even_by_a_write() {
    let bench = Bench::new();
    bench.open().set("factory/token", &Secret::new("old")).unwrap();
    let path = bench.records().remove(0);
    let newer = age::encrypt(&bench.key().to_public(), br#"{"version":2,"things":[]}"#).unwrap();
    fs::write(&path, &newer).unwrap();
    let mut store = bench.open();
    for result in [store.get("factory/token").map(|_| ()), store.set("factory/token", &Secret::new("new"))] {
        assert!(matches!(result, Err(StoreError::NewerFormat { version: 2, .. })), "{result:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), newer);

    let key = bench.store_dir().join("identity.age");
    let newer =
        age::encrypt(&age::scrypt::Recipient::new(PASSPHRASE.to_owned().into()), b"# manutop store, version 2\n");
    fs::write(&key, newer.unwrap()).unwrap();
    assert!(matches!(bench.open().probe(), Err(StoreError::NewerFormat { version: 2, .. })));
}

#[test]
fn age_itself_opens_the_key_and_the_records() {
    let bench = Bench::new();
    bench.open().set("factory/token", &Secret::new("a record")).unwrap();
    let text = age::decrypt(&bench.key(), &fs::read(&bench.records()[0]).unwrap()).unwrap();
    assert_eq!(text, br#"{"version":1,"item":"factory/token","value":"a record"}"#);
}

#[test]
fn replacing_a_record_costs_one_file_whatever_the_number_of_connections() {
    let bench = Bench::new();
    let mut store = bench.open();
    for at in 0..50 {
        store.set(&format!("connection-{at}/token"), &Secret::new("x".repeat(2000))).unwrap();
    }
    let before: Vec<_> = bench.records().iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    store.set("connection-7/token", &Secret::new("y")).unwrap();
    let changed = before.iter().filter(|(path, bytes)| fs::read(path).unwrap() != *bytes).count();
    assert_eq!((changed, bench.records().len()), (1, 50));
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &str) -> Result<Opened, String> {
        Err("tests open no browser".into())
    }
}

/// The next event that the test waits for.
async fn next<T>(events: &mut tokio::sync::mpsc::UnboundedReceiver<Event>, wanted: impl Fn(Event) -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = wanted(events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.expect("the event comes")
}

#[tokio::test]
async fn the_engine_asks_for_the_passphrase_once_and_reads_the_tokens_as_soon_as_it_is_right() {
    let bench = Bench::new();
    bench.vault().lock(&name(), |_| {}).await.unwrap().receive(record(3)).await.unwrap();
    let vault = Vault::open(Secrets::new(bench.locked().factory()), bench.dir.path(), Arc::new(SystemClock)).unwrap();
    let text = "[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"client\"\n\
                redirect_uri = \"http://127.0.0.1:8400/callback\"\nauto_refresh = false\n";
    let config = config::parse(text, Path::new("config.toml"), providers::ALL).unwrap();
    let (engine, mut events) = Engine::start(Parts {
        connections: config.connections,
        vault,
        clock: Arc::new(SystemClock),
        browser: Arc::new(NoBrowser),
        program: manutop::domain::Program::Dashboard,
        automatic: true,
        login_timeout: config.login_timeout,
        lost_pause: manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER,
    })
    .unwrap();
    let asked = |event| match event {
        Event::PassphraseAsked { new, refused } => Some((new, refused)),
        _ => None,
    };
    assert_eq!(next(&mut events, asked).await, (false, None));
    let ended = |event| match event {
        Event::PassphraseAsked { .. } => panic!("asked twice"),
        Event::UnlockEnded(result) => Some(result),
        _ => None,
    };
    engine.send(Command::Unlock { passphrase: Secret::new("hunter2") });
    assert_eq!(next(&mut events, ended).await, Err("the passphrase is wrong".into()));
    // By now the next automatic try is five seconds after the last one.
    tokio::time::sleep(std::time::Duration::from_millis(3300)).await;
    engine.send(Command::Unlock { passphrase: Secret::new(PASSPHRASE) });
    assert_eq!(next(&mut events, ended).await, Ok(()));
    let generation = |event| match event {
        Event::Changed(view) => view.token().map(|facts| facts.generation),
        _ => None,
    };
    let begun = std::time::Instant::now();
    assert_eq!(next(&mut events, generation).await, 3);
    assert!(begun.elapsed() < std::time::Duration::from_secs(3), "it waited for the next try");
    engine.shutdown().await;
}
