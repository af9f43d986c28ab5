//! Many connections at once on automatic refresh, whole: `cargo bench --bench scale -- 10 1000 10000`.
//!
//! This process is the provider. For each number it makes a home with the encrypted file store, in
//! which as many tokens are about to be due, all at the same time, and starts another process with
//! the real engine on it, which reports how it went. `--home DIR N` makes such a home and serves it
//! until standard input ends, for a dashboard to be started on. Where temporary files go, so does
//! the home: `TMPDIR` decides what disk is measured.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use manutop::config;
use manutop::demo::{Options, Servers};
use manutop::domain::{Clock, ConnectionName, Event, Program, Secret, SystemClock, TokenRecord};
use manutop::engine::{Browser, Engine, Parts};
use manutop::oauth::providers;
use manutop::store::{FileStore, MemoryStore, Secrets, Vault};
use tokio::runtime::{Builder, Runtime};

const PASSPHRASE: &str = "correct horse battery staple";
/// scrypt's cost as a power of two: cheap, for it guards nothing.
const WORK_FACTOR: u8 = 4;
const CLIENT: &str = "bench";
/// As Manu Online's live.
const LIFETIME: Duration = Duration::from_secs(1799);
/// How much is left of each token: their refreshes are due from ten seconds on, and all within the
/// 36 seconds over which the schedule spreads them.
const LEFT: TimeDelta = TimeDelta::seconds(360 + 36 + 10);
/// How long after their end the stragglers are waited for.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--engine", home] => engine(Path::new(home)),
        ["--home", home, count] => {
            let servers = servers();
            make_home(Path::new(home), &servers, count.parse().expect("a number"));
            println!(
                "export MANUTOP_CONFIG={home}/config.toml MANUTOP_DATA_DIR={home}/data MANUTOP_PASSPHRASE='{PASSPHRASE}'"
            );
            let _ = std::io::stdout().flush();
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
        _ => {
            let counts: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
            println!("{HEADINGS}");
            for count in if counts.is_empty() { vec![10, 1000] } else { counts } {
                bench(count);
            }
        }
    }
}

const HEADINGS: &str = "connections  read/s  first..last refresh/s  least left/s  late  most at once  CPU/s  peak/MiB";

fn servers() -> Servers {
    let options = Options { manu_limit: None, manu_lifetime: LIFETIME, ..Options::default() };
    Servers::start(options).expect("servers on loopback")
}

fn bench(count: usize) {
    let servers = servers();
    let home = tempfile::tempdir().expect("a directory");
    make_home(home.path(), &servers, count);
    let this = std::env::current_exe().expect("this program");
    let child = Command::new(this).arg("--engine").arg(home.path()).stdout(Stdio::piped()).spawn();
    let output = child.and_then(std::process::Child::wait_with_output).expect("the engine's process");
    assert!(output.status.success(), "the engine's process failed");
    let told = String::from_utf8_lossy(&output.stdout);
    let stats = servers.manu().stats();
    assert_eq!((stats.rotations, stats.reuses_detected), (count as u64, 0), "each is refreshed once");
    let [read, first, last, left, late, cpu, peak] = told.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("the engine's process said {told:?}")
    };
    let most = stats.peak_in_flight;
    println!(
        "{count:11}  {read:>6}  {:>21}  {left:>12}  {late:>4}  {most:12}  {cpu:>5}  {peak:>8}",
        format!("{first}..{last}")
    );
}

/// A configuration, and a store with the client secret and a token of each connection.
fn make_home(home: &Path, servers: &Servers, count: usize) {
    let manu = servers.manu();
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
        let age = TimeDelta::from_std(LIFETIME).expect("minutes") - LEFT;
        for numbers in (0..count).collect::<Vec<_>>().chunks(64) {
            let puts = numbers.iter().map(|number| {
                let (name, issued) = (name(*number), manu.issue_aged(CLIENT, "API_ALL", age));
                put(&secrets, name, secret.clone(), issued.record(1))
            });
            join_all(puts).await;
        }
    });
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

/// The other process: refreshes all there is in a home, and reports in one line.
fn engine(home: &Path) {
    struct NoBrowser;
    impl Browser for NoBrowser {
        fn open(&self, _: &str) -> Result<(), String> {
            Err("a bench opens no browser".into())
        }
    }
    let file = home.join("config.toml");
    let config = config::load(&file, providers::ALL).expect("a good file").expect("a file");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secrets = Secrets::new(store(home).factory());
    let vault = Vault::open(secrets, &home.join("data"), Arc::clone(&clock)).expect("a data directory");
    runtime().block_on(async {
        vault.unlock(Secret::new(PASSPHRASE)).await.expect("the passphrase");
        let count = config.connections.len();
        let started = Instant::now();
        let (engine, mut events) = Engine::start(Parts {
            connections: config.connections,
            vault,
            clock: Arc::clone(&clock),
            browser: Arc::new(NoBrowser),
            program: Program::Dashboard,
            automatic: true,
            login_timeout: Duration::from_secs(60),
        })
        .expect("a thread");
        let views = engine.views().await;
        let read = started.elapsed();
        let ends = views.iter().filter_map(|view| Some((view.name.clone(), view.token()?.expires_at)));
        let mut ends: std::collections::HashMap<ConnectionName, DateTime<Utc>> = ends.collect();
        assert_eq!(ends.len(), count, "all have tokens");
        let (mut least, mut late, mut first) = (TimeDelta::MAX, 0, None);
        let refreshing = async {
            while !ends.is_empty() {
                let event = events.recv().await.expect("the engine goes on");
                if let Event::Refreshed { connection, .. } = event
                    && let Some(expires) = ends.remove(&connection)
                {
                    let left = expires - clock.now();
                    first.get_or_insert_with(|| started.elapsed());
                    least = least.min(left);
                    late += usize::from(left <= TimeDelta::zero());
                }
            }
        };
        let patience = LEFT.to_std().expect("minutes") + PATIENCE;
        tokio::time::timeout(patience, refreshing).await.expect("all are refreshed");
        let end = started.elapsed();
        engine.shutdown().await;
        let (cpu, peak) = spent();
        println!(
            "{:.2} {:.1} {:.1} {} {late} {cpu} {peak}",
            read.as_secs_f64(),
            first.unwrap_or_default().as_secs_f64(),
            end.as_secs_f64(),
            least.num_seconds()
        );
    });
}

/// CPU seconds and peak memory of this process, where the system tells.
fn spent() -> (String, String) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: Vec<f64> = behind_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let cpu = if ticks.is_empty() { "-".into() } else { format!("{:.2}", ticks.iter().sum::<f64>() / 100.0) };
    (cpu, peak.map_or_else(|| "-".into(), |kib| format!("{:.1}", kib / 1024.0)))
}

fn store(home: &Path) -> FileStore {
    let dir: PathBuf = home.join("data/store");
    std::fs::create_dir_all(&dir).expect("a directory");
    FileStore::with_work_factor(dir, None, WORK_FACTOR)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn name(number: usize) -> ConnectionName {
    ConnectionName::new(&format!("connection-{number}")).expect("a name")
}
