//! An account kept apart from journal and store: which tokens were received and which were spent,
//! as the workers recorded it the moment it was durable (see `manutop::fault_point`).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use manutop::domain::{ConnectionName, Fingerprint};
use manutop::fault_point::Step;

/// One connection's account.
#[derive(Default)]
struct Account {
    /// The newest generation known to have been durable, and its refresh token's fingerprint.
    newest: (u64, String),
    /// The generation that was sent and neither replaced nor taken back.
    out: Option<u64>,
    /// Whether that was sent again, its answer having been lost.
    is_sent_again: bool,
}

/// All accounts.
#[derive(Default)]
pub struct Ledger {
    path: PathBuf,
    read: u64,
    accounts: HashMap<ConnectionName, Account>,
    /// Every refresh token known to have been durable once, of logins and of rotations.
    durable: HashSet<String>,
    logins: usize,
    /// How often a token was sent again whose answer had been lost: the most reuses there can be.
    pub resends: u64,
    /// How many lost answers were followed by new tokens without a person.
    pub recovered: u64,
    /// What must never be: an old token sent.
    pub wrongly_sent: Vec<String>,
}

impl Ledger {
    pub fn new(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// Takes in what the witness wrote since the last time.
    pub fn catch_up(&mut self) {
        let Ok(mut file) = File::open(&self.path) else { return };
        let mut text = String::new();
        file.seek(SeekFrom::Start(self.read)).unwrap();
        file.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        self.read += whole.len() as u64;
        for line in whole.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            // A torn line says too little, which is allowed.
            let [step, name, generation, fingerprint] = words[..] else { continue };
            if fingerprint.len() < 8 {
                continue;
            }
            let name = ConnectionName::new(name).unwrap();
            self.enter(Step::named(step).unwrap(), &name, generation.parse().unwrap(), fingerprint);
        }
    }

    fn enter(&mut self, step: Step, name: &ConnectionName, generation: u64, fingerprint: &str) {
        let account = self.accounts.entry(name.clone()).or_default();
        let newest = account.newest.clone();
        match step {
            Step::SpendingDurable => {
                let is_old = generation < newest.0 || (generation == newest.0 && fingerprint != newest.1);
                if is_old {
                    self.wrongly_sent.push(format!("{name}: {generation} {fingerprint} sent, newest {newest:?}"));
                }
                account.is_sent_again = account.out == Some(generation);
                self.resends += u64::from(account.is_sent_again);
                account.out = Some(generation);
            }
            Step::ReceivedDurable => {
                self.recovered += u64::from(std::mem::take(&mut account.is_sent_again));
                account.out = None;
            }
            Step::TakingBack => {
                // What was lost before is as lost as it was.
                if !account.is_sent_again {
                    account.out = None;
                }
                return;
            }
            _ => panic!("the witness records no {step:?}"),
        }
        // What is spent was durable, even if its process died before it could record that.
        if generation >= newest.0 {
            account.newest = (generation, fingerprint.to_owned());
        }
        self.durable.insert(fingerprint.to_owned());
    }

    /// A record found under the lock, certainly durable.
    pub fn found(&mut self, name: &ConnectionName, generation: u64, fingerprint: &Fingerprint) {
        let account = self.accounts.entry(name.clone()).or_default();
        if (generation, fingerprint.as_str()) != (account.newest.0, account.newest.1.as_str()) {
            self.enter(Step::ReceivedDurable, name, generation, fingerprint.as_str());
        }
    }

    /// A login of the parent's own.
    pub fn logged_in(&mut self, name: &ConnectionName, generation: u64, fingerprint: &Fingerprint) {
        self.accounts.entry(name.clone()).or_default().is_sent_again = false;
        self.found(name, generation, fingerprint);
        self.logins += 1;
    }

    /// The newest generation that was durable, and its fingerprint.
    pub fn newest(&self, name: &ConnectionName) -> (u64, &str) {
        self.accounts.get(name).map_or((0, ""), |account| (account.newest.0, &account.newest.1))
    }

    pub fn was_durable(&self, fingerprint: &Fingerprint) -> bool {
        self.durable.contains(fingerprint.as_str())
    }

    /// How many refresh tokens, replaced by a rotation, are known to have been durable.
    pub fn rotations_kept(&self) -> usize {
        self.durable.len() - self.logins
    }
}
