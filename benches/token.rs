//! What `manutop token` costs a script: beside a keepalive service that holds the token, alone with a keyring,
//! and with a refresh. Whole programs are timed, one after the other in turns, so that what the
//! machine does meanwhile hits all alike; read the ratios.
//!
//! ```sh
//! cargo bench --bench token                          # needs gnome-keyring, dbus and curl
//! cargo bench --bench token -- "oidc-token account"  # with another program among them
//! ```

#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports, reason = "the keyring is a Linux one"))]

#[cfg(target_os = "linux")]
#[path = "../tests/support/factory.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod factory;
#[cfg(target_os = "linux")]
#[path = "../tests/support/keyring.rs"]
mod keyring;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use manutop::domain::{ConnectionName, Secret, SystemClock};
use manutop::secrets::encrypted_file::FileStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

const BINARY: &str = env!("CARGO_BIN_EXE_manutop");
const PASSPHRASE: &str = "a passphrase for benches";
/// scrypt's cost as a power of two: cheap, for it guards nothing.
const WORK_FACTOR: u8 = 4;
/// How often each program is run.
const TURNS: usize = 100;
/// What has this process do no more than read an item of the keyring.
const READ: &str = "--read";

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs gnome-keyring");
}

#[cfg(target_os = "linux")]
fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let first = words.next();
    if first.as_deref() == Some(READ) {
        return read(&words.next().expect("an item"));
    }
    let others: Vec<String> = first.into_iter().chain(words).collect();
    let keyring = keyring::Keyring::start();
    let factory = factory::Factory::new();
    let dir = |variable: &str| {
        let env = keyring.env();
        let (_, value) = env.iter().find(|(name, _)| *name == variable).expect("it is in every session");
        Path::new(value).join("manutop")
    };
    let (config, data) = (dir("XDG_CONFIG_HOME"), dir("XDG_DATA_HOME"));
    let section = factory.section();
    fs::create_dir(&config).expect("a directory");
    fs::write(config.join("config.toml"), format!("store = \"file\"\n[[connections]]\n{section}")).expect("a file");
    log_in(&data, &factory);
    let manutop = |arguments: &[&str]| {
        let mut command = keyring.command(BINARY);
        command.args(arguments).env("MANUTOP_PASSPHRASE", PASSPHRASE);
        command
    };
    run(&mut manutop(&["store", "migrate", "--to", "keyring"]));
    let read = || {
        let mut read = keyring.command(std::env::current_exe().expect("this program"));
        read.args([READ, "factory/token"]);
        read
    };

    println!("\nalone with a keyring: no more than 20 ms over a bare read of the item");
    compare(vec![("bare read", read()), ("manutop token", manutop(&["token", "factory"]))]);

    println!("\na refresh: no more than 0.7 of curl's time, and the keyring's own");
    let token_url = format!("{}/oauth/token", factory.servers.manu().base_url());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--data", "grant_type=refresh_token&refresh_token=none", &token_url]);
    compare(vec![
        ("curl", curl),
        ("bare read", read()),
        ("manutop token", manutop(&["token", "factory"])),
        ("manutop refresh", manutop(&["refresh", "factory", "--force"])),
    ]);

    println!("\nbeside a keepalive service: no more than 1.1 of oidc-token");
    let _keepalive = KeepaliveService(
        manutop(&["keepalive"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a keepalive service"),
    );
    let socket = data.join("locks/.agent.sock");
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    run(&mut manutop(&["token", "factory"]));
    let mut programs = vec![
        ("true", Command::new("true")),
        ("--version", manutop(&["--version"])),
        ("token", manutop(&["token", "factory"])),
    ];
    for other in &others {
        let mut words = other.split_whitespace();
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words);
        programs.push((other, command));
    }
    compare(programs);
}

/// Ended with the bench, however that ends.
struct KeepaliveService(Child);

impl Drop for KeepaliveService {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stores what a person who has logged in has.
#[cfg(target_os = "linux")]
fn log_in(data: &Path, factory: &factory::Factory) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = FileStore::with_work_factor(data.join("store"), None, WORK_FACTOR);
        let vault = Vault::open(Secrets::new(store.factory()), data, Arc::new(SystemClock)).expect("a vault");
        vault.unlock(Secret::new(PASSPHRASE)).await.expect("a new store");
        let name = ConnectionName::new("factory").expect("a good name");
        vault.set_client_secret(&name, &factory.client_secret).await.expect("a store that works");
        let mut locked = vault.lock(&name, |_| {}).await.expect("not held by anyone else");
        locked.receive(factory.record.clone()).await.expect("a store that works");
    });
}

/// Reads an item by the library that the program uses, and nothing else.
#[cfg(target_os = "linux")]
fn read(user: &str) {
    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;
    let service = SecretService::connect(EncryptionType::Dh).expect("a keyring");
    let wanted = std::collections::HashMap::from([("service", "manutop"), ("username", user)]);
    let found = service.search_items(wanted).expect("a keyring that answers");
    let item = found.unlocked.first().expect("the item is there");
    assert!(!item.get_secret().expect("it can be read").is_empty());
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// Runs programs in turns and prints how long each took.
fn compare(mut programs: Vec<(&str, Command)>) {
    let mut took = vec![Vec::new(); programs.len()];
    for (_, command) in &mut programs {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    }
    for turn in 0..TURNS + 3 {
        for ((name, command), took) in programs.iter_mut().zip(&mut took) {
            let started = Instant::now();
            let status = command.status().expect("it starts");
            let ended = started.elapsed();
            assert!(status.success(), "{name} ended with {status}");
            if turn >= 3 {
                took.push(ended);
            }
        }
    }
    let mut base = None;
    for ((name, _), took) in programs.iter().zip(&mut took) {
        took.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (least, median) = (ms(took[0]), ms(took[took.len() / 2]));
        let base = *base.get_or_insert(median);
        println!("{name:>24}  least {least:8.3} ms  median {median:8.3} ms  x {:6.2}", median / base);
    }
}
