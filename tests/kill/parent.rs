//! The parent: starts workers, kills them, and holds what they leave behind against the server's
//! own truth and the witness's account.
//!
//! For each connection, under its lock:
//!
//! - the refresh token held is the newest that was ever durable, and what the server has handed out
//!   since, if anything, never was;
//! - rolled back: never.
//!
//! A connection whose answer was lost is left to the workers, which send its refresh token again. One
//! that the server then refuses is logged in again, as a person would.

use std::path::Path;
use std::time::{Duration, Instant};

use manutop::demo::{DemoFault, DemoOptions, Manu, Servers};
use manutop::domain::{ConnectionName, Fingerprint, RefusalKind, Secret, TokenRecord};
use manutop::fault_point::Step;
use manutop::tokens::locked_connection::LockedConnection;
use manutop::tokens::reconcile::TokenState;
use manutop::tokens::vault::Vault;
use tokio::runtime::Runtime;

use super::figures::Figures;
use super::ledger::Ledger;
use super::stores::StoreKind;
use super::worker::Worker;
use super::world::{Habit, Orders, REDIRECT, SCOPE, SECRET, client_id};

/// Longer than any holder of a lock may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a worker lives that is killed at a random moment, in milliseconds.
const LIFE: std::ops::Range<u64> = 30..400;
/// How long one may live that is to kill itself at a fault point.
const ARMED_LIFE: Duration = Duration::from_secs(2);
/// Short enough that tokens fall due in a worker's life.
const ACCESS_LIFETIME: Duration = Duration::from_secs(1);
/// All workers at once are killed every so many kills, as by a power cut.
const POWER_CUT: u64 = 20;

/// The server, the store, and what was counted.
pub struct Parent {
    pub servers: Servers,
    pub orders: Orders,
    pub ledger: Ledger,
    pub figures: Figures,
    vault: Vault,
    runtime: Runtime,
    rng: fastrand::Rng,
}

struct Life {
    worker: Worker,
    ends: Instant,
}

impl Parent {
    /// A server that revokes on reuse, and connections that have just been logged in.
    pub fn new(kind: StoreKind, grace: Duration, root: &Path, connections: usize, seed: u64) -> Self {
        let options = DemoOptions {
            manu_limit: None,
            manu_lifetime: ACCESS_LIFETIME,
            manu_grace: grace,
            ..DemoOptions::default()
        };
        let servers = Servers::start(options).unwrap();
        let orders = Orders {
            store: kind.name().into(),
            root: root.to_owned(),
            base: servers.manu().base_url().to_owned(),
            connections,
            seed,
            habit: Habit::Forces,
        };
        let mut parent = Self {
            servers,
            ledger: Ledger::new(root.join("witness")),
            figures: Figures { store: kind.name(), grace: grace.as_secs(), seed, ..Figures::default() },
            vault: kind.vault(root),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            rng: fastrand::Rng::with_seed(seed),
            orders,
        };
        for name in parent.orders.names() {
            let secret = Secret::new(SECRET);
            parent.servers.manu().register_client(&client_id(&name), &secret, &[REDIRECT]);
            parent.runtime.block_on(parent.vault.set_client_secret(&name, &secret)).unwrap();
            parent.log_in(&name);
        }
        parent
    }

    fn manu(&self) -> &Manu {
        self.servers.manu()
    }

    /// Runs workers side by side and kills them until `enough` accepts kills and time.
    pub fn run(&mut self, test: &str, workers: usize, enough: impl Fn(u64, Duration) -> bool) {
        let begun = Instant::now();
        let mut lives: Vec<Life> = (0..workers).map(|_| self.begin(test)).collect();
        let mut next_cut = POWER_CUT;
        while !enough(self.figures.kills, begun.elapsed()) {
            std::thread::sleep(Duration::from_millis(2));
            let is_cut = self.figures.kills >= next_cut;
            let due: Vec<usize> = (0..workers).filter(|&number| is_cut || is_over(&mut lives[number])).collect();
            if is_cut {
                next_cut += POWER_CUT;
            }
            for &number in &due {
                self.end(&mut lives[number].worker);
            }
            if !due.is_empty() {
                self.settle_what_they_left(is_cut);
            }
            for number in due {
                lives[number] = self.begin(test);
            }
        }
        drop(lives);
        self.settle_what_they_left(true);
        self.sum_up();
    }

    fn begin(&mut self, test: &str) -> Life {
        self.disturb_the_server();
        let point = self.rng.bool().then(|| {
            let step = *self.rng.choice(&Step::ALL).unwrap();
            let passes = match step {
                Step::JournalWritten => 9,
                Step::TakingBack => 1,
                _ => 3,
            };
            // A step of refusals needs them; other workers get some of these.
            let refusals = if step == Step::TakingBack { 5 } else { 0 };
            (0..refusals).for_each(|_| self.manu().push_fault(DemoFault::unavailable(0)));
            (step, self.rng.u32(1..=passes))
        });
        let habit =
            *self.rng.choice(&[Habit::Waits, Habit::Demands, Habit::Demands, Habit::Forces, Habit::Forces]).unwrap();
        let orders = Orders { seed: self.rng.u64(..), habit, ..self.orders.clone() };
        let life = if point.is_some() { ARMED_LIFE } else { Duration::from_millis(self.rng.u64(LIFE)) };
        Life { worker: Worker::start(test, &orders, point), ends: Instant::now() + life }
    }

    /// Answers that are slow, lost or refusals.
    fn disturb_the_server(&mut self) {
        let pause = Duration::from_millis(self.rng.u64(1..80));
        let fault = match self.rng.u32(0..40) {
            0..8 => DemoFault::DelayAfter(pause),
            8..14 => DemoFault::DelayBefore(pause),
            14..17 => DemoFault::unavailable(0),
            17 => DemoFault::lost_answer(),
            18 => DemoFault::Truncated,
            _ => return,
        };
        self.manu().push_fault(fault);
    }

    fn end(&mut self, worker: &mut Worker) {
        let was_dead = worker.ended().is_some();
        let status = worker.kill();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(9), "a worker was not killed: {status}");
        self.figures.kills += 1;
        self.figures.adoptions += worker.adoptions() as u64;
        if let Some(step) = worker.point.filter(|_| was_dead) {
            *self.figures.at_points.entry(step.name()).or_default() += 1;
        }
    }

    /// Checks the connections that a dead worker held or left uncertain, or `all`.
    fn settle_what_they_left(&mut self, all: bool) {
        for name in self.orders.names() {
            let is_uncertain = self.runtime.block_on(self.vault.read(&name)).is_ok_and(|state| state.hazard.is_some());
            if all || is_uncertain || self.is_left_locked(&name) {
                self.settle(&name);
            }
        }
    }

    /// Whether the last one to hold the lock is dead.
    fn is_left_locked(&self, name: &ConnectionName) -> bool {
        let path = self.orders.root.join(format!("data/locks/{name}.lock"));
        let holder = std::fs::read_to_string(path).unwrap_or_default();
        !holder.trim().is_empty() && !Path::new("/proc").join(holder.trim()).exists()
    }

    /// Checks one connection, and logs it in where only that helps.
    pub fn settle(&mut self, name: &ConnectionName) {
        let mut locked = self.lock(name);
        let state = self.recover(&mut locked);
        self.ledger.catch_up();
        let newest = self.manu().newest_refresh_token(&client_id(name)).map(|token| Fingerprint::of(&token));
        let held = state.record.as_ref().map(|record| (record.generation, fingerprint(record)));
        let (mark, known) = self.ledger.newest(name);
        let context = format!("{name}: {state:?}, known {mark} {known}, the server's newest {newest:?}");
        let Some((generation, held)) = held else {
            self.figures.losses.push(context);
            drop(locked);
            return self.log_in(name);
        };
        let is_old = generation < mark || (generation == mark && held.as_str() != known);
        let has_moved = newest.as_ref() != Some(&held);
        // A revoked family has no newest token. A server with a grace period answers a request that reaches
        // it late, whose sender is dead, with tokens that no process receives.
        let may_be_late = state.hazard.is_some() || self.figures.grace > 0;
        let is_lost = has_moved && newest.is_some_and(|newest| self.ledger.was_durable(&newest) || !may_be_late);
        if is_old || is_lost {
            self.figures.losses.push(context);
            drop(locked);
            return self.log_in(name);
        }
        if state.hazard.is_none() {
            self.ledger.found(name, generation, &held);
        } else {
            self.figures.uncertain += 1;
            *(if has_moved { &mut self.figures.lost_answers } else { &mut self.figures.unmoved }) += 1;
        }
        if state.refusal.is_some_and(|refusal| refusal.kind == RefusalKind::InvalidGrant) {
            self.figures.needed_a_person += 1;
            drop(locked);
            self.log_in(name);
        }
    }

    fn lock(&self, name: &ConnectionName) -> LockedConnection {
        let lock = self.vault.lock(name, |_| {});
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, lock).await }).expect("the lock is freed").unwrap()
    }

    /// What store and journal hold once the store answers: its daemon may just have died.
    fn recover(&self, locked: &mut LockedConnection) -> TokenState {
        let begun = Instant::now();
        loop {
            match self.runtime.block_on(locked.recover()) {
                Ok(state) if state.saved || state.record.is_none() => return state,
                other => assert!(begun.elapsed() < PATIENCE, "the store does not come back: {other:?}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Logs a connection in, as a new login would.
    pub fn log_in(&mut self, name: &ConnectionName) {
        let mut locked = self.lock(name);
        let generation = self.recover(&mut locked).next_generation();
        self.ledger.catch_up();
        let issued = self.manu().issue(&client_id(name), SCOPE);
        let record = issued.record(generation);
        if self.runtime.block_on(locked.receive(record.clone())).is_err() {
            self.recover(&mut locked);
        }
        self.ledger.logged_in(name, generation, &fingerprint(&record));
    }

    /// Compares the server's counts with ours.
    fn sum_up(&mut self) {
        let stats = self.manu().stats();
        let figures = &mut self.figures;
        figures.rotations = stats.rotations;
        figures.kept = self.ledger.rotations_kept() as u64;
        figures.silent_reuses.append(&mut self.ledger.wrongly_sent);
        (figures.resends, figures.recovered) = (self.ledger.resends, self.ledger.recovered);
        figures.reuses = stats.reuses_detected;
        // Each token that reached the server a second time was journaled as sent again before.
        if stats.reuses_detected > figures.resends {
            figures.silent_reuses.push(format!("{stats:?}, {} sent again by the rule", figures.resends));
        }
        println!("{figures}\nat fault points: {:?}", figures.at_points);
        assert!(figures.rotations >= figures.kept, "more was kept than rotated: {figures:?}");
    }
}

/// Whether a worker's time is up, or it is dead already.
fn is_over(life: &mut Life) -> bool {
    life.worker.ended().is_some() || Instant::now() >= life.ends
}

/// The fingerprint of the record's refresh token.
pub fn fingerprint(record: &TokenRecord) -> Fingerprint {
    Fingerprint::of(&record.refresh_token.as_ref().unwrap().token)
}
