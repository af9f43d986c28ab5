//! The kill harness: processes that share connections are killed with SIGKILL, at random moments
//! and at every step of a rotation, against a server that revokes on reuse and against one with a
//! grace period.
//!
//! Promised, and counted: no refresh token that was durable once is ever lost; none is ever sent while
//! a newer one was durable; one whose answer was lost is only sent again after that was journaled.
//!
//! `MANUTOP_KILLS=2000` asks for so many kills a run instead of half a minute, `MANUTOP_KILL_WORKERS=8` for
//! so many processes at once, and `MANUTOP_KILL_SEED` for the choices of an earlier run (not for its
//! scheduling).

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failure in here fails the test")]

mod figures;
#[path = "../support/keyring.rs"]
mod keyring;
mod ledger;
mod parent;
mod renaming;
mod steps;
mod stores;
mod worker;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyring::Keyring;
use parent::Parent;
use stores::StoreKind;

/// How many connections are shared.
const CONNECTIONS: usize = 5;
/// By how many processes.
const WORKERS: usize = 3;
/// For how long the second server still takes a token that was just replaced.
const GRACE: Duration = Duration::from_secs(30);
/// How long a run takes for which no number of kills is asked.
const SHORT: Duration = Duration::from_secs(28);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn kill_many(test: &str, kind: StoreKind, grace: Duration) {
    let root = tempfile::tempdir().unwrap();
    let seed = number("MANUTOP_KILL_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let asked = number("MANUTOP_KILLS");
    println!("seed {seed}");
    let mut parent = Parent::new(kind, grace, root.path(), CONNECTIONS, seed);
    let workers = number("MANUTOP_KILL_WORKERS").map_or(WORKERS, |workers| usize::try_from(workers).unwrap());
    parent.run(test, workers, |kills, time| asked.map_or(time >= SHORT, |asked| kills >= asked));
    let figures = &parent.figures;
    assert!(figures.losses.is_empty(), "tokens were lost: {:#?}", figures.losses);
    assert!(figures.silent_reuses.is_empty(), "old tokens were sent: {:#?}", figures.silent_reuses);
    assert!(figures.kills > 20 && figures.rotations > 20 && figures.resends > 1, "nothing was tried: {figures}");
    assert!(figures.recovered > 0, "nothing recovered without a person: {figures}");
}

/// Kills processes on the encrypted files.
fn kill_on_files(test: &str, grace: Duration) {
    match worker::orders() {
        Some(orders) => worker::work(&orders),
        None => kill_many(test, StoreKind::Files, grace),
    }
}

/// Kills processes on a keyring of this test's own.
fn kill_on_a_keyring(test: &str, grace: Duration) {
    match worker::orders() {
        Some(orders) => worker::work(&orders),
        None => keyring::inside_a_session(test, |keyring| {
            while_reviving(keyring, || kill_many(test, StoreKind::Keyring, grace));
        }),
    }
}

#[test]
#[ignore = "takes half a minute; scripts/test runs it"]
fn on_files_against_a_server_that_revokes_on_reuse() {
    kill_on_files("on_files_against_a_server_that_revokes_on_reuse", Duration::ZERO);
}

#[test]
#[ignore = "takes half a minute; scripts/test runs it"]
fn on_files_against_a_server_with_a_grace_period() {
    kill_on_files("on_files_against_a_server_with_a_grace_period", GRACE);
}

#[test]
#[ignore = "needs gnome-keyring and half a minute; scripts/test runs it"]
fn on_a_keyring_against_a_server_that_revokes_on_reuse() {
    kill_on_a_keyring("on_a_keyring_against_a_server_that_revokes_on_reuse", Duration::ZERO);
}

#[test]
#[ignore = "needs gnome-keyring and half a minute; scripts/test runs it"]
fn on_a_keyring_against_a_server_with_a_grace_period() {
    kill_on_a_keyring("on_a_keyring_against_a_server_with_a_grace_period", GRACE);
}

/// Runs `body` beside a watcher that restarts a daemon that died of its own: to the processes
/// under test that is one more thing that may happen at any moment.
fn while_reviving(keyring: &mut Keyring, body: impl FnOnce()) {
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut revived = 0;
            while !over.load(Ordering::Relaxed) {
                revived += u32::from(keyring.revive());
                std::thread::sleep(Duration::from_millis(50));
            }
            revived
        });
        let end = End(&over); // also when the body fails
        body();
        drop(end);
        println!("the daemon died of its own {} times", watcher.join().unwrap());
    });
}
