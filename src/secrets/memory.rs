//! A secret store in memory: the demo's, and the tests' with failures on demand.
//!
//! Clones share their contents, so that a "second process" or a "restart" sees the same items.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::secrets::secret_store::{SecretStore, StoreFactory};

/// Secrets in memory, gone with the process. Cheap to clone; clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<SharedMemory>,
}

#[derive(Default)]
struct SharedMemory {
    state: Mutex<MemoryState>,
    released: Condvar,
}

#[derive(Default)]
struct MemoryState {
    items: BTreeMap<String, Secret>,
    item_limit: Option<usize>,
    once: VecDeque<(Call, InjectedFault)>,
    failing: Option<StoreError>,
    refusing: Option<(Call, StoreError)>,
    hanging: bool,
    session: u64,
    calls: Vec<Call>,
}

/// A kind of call, to aim a [`InjectedFault`] at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// [`SecretStore::probe`].
    Probe,
    /// [`SecretStore::get`].
    Get,
    /// [`SecretStore::set`].
    Set,
    /// [`SecretStore::delete`].
    Delete,
}

/// How a call fails.
#[derive(Debug, Clone)]
pub enum InjectedFault {
    /// It does not: lets one call succeed, to aim at a later one.
    None,
    /// It fails and changes nothing.
    Error(StoreError),
    /// It reports success and changes nothing.
    Ignored,
    /// It hangs before doing anything, and every later call with it, until
    /// [`MemoryStore::release`]; then it does what it was asked.
    Hang,
    /// It leaves the item empty, and fails: a daemon killed while creating.
    Emptied,
}

impl MemoryStore {
    /// An empty store without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that takes items of at most `bytes`, like Windows' 2,560.
    #[must_use]
    pub fn with_item_limit(bytes: usize) -> Self {
        let store = Self::default();
        store.state().item_limit = Some(bytes);
        store
    }

    /// Makes handles on this store.
    #[must_use]
    pub fn factory(&self) -> StoreFactory {
        let store = self.clone();
        Arc::new(move || {
            let state = store.state();
            if let Some(error) = &state.failing {
                return Err(error.clone());
            }
            let session = state.session;
            drop(state);
            Ok(Box::new(MemorySession { store: store.clone(), session }))
        })
    }

    /// What the item holds, read in spite of every fault.
    #[must_use]
    pub fn item(&self, item: &str) -> Option<Secret> {
        self.state().items.get(item).cloned()
    }

    /// The names of all items, sorted.
    #[must_use]
    pub fn items(&self) -> Vec<String> {
        self.state().items.keys().cloned().collect()
    }

    /// Stores an item in spite of every fault: a restored backup, say.
    pub fn put(&self, item: &str, secret: &Secret) {
        self.state().items.insert(item.to_owned(), secret.clone());
    }

    /// Removes an item in spite of every fault.
    pub fn remove(&self, item: &str) {
        self.state().items.remove(item);
    }

    /// Makes the next call of this kind fail; several are queued.
    pub fn fail_next(&self, call: Call, fault: InjectedFault) {
        self.state().once.push_back((call, fault));
    }

    /// Makes every call fail from now on, making handles too; `None` ends that.
    pub fn fail_always(&self, error: Option<StoreError>) {
        self.state().failing = error;
    }

    /// Makes every call of one kind fail from now on; `None` ends that.
    pub fn refuse(&self, refusing: Option<(Call, StoreError)>) {
        self.state().refusing = refusing;
    }

    /// Makes every call hang from now on, until [`MemoryStore::release`].
    pub fn hang(&self) {
        self.state().hanging = true;
    }

    /// Lets the hanging calls continue.
    pub fn release(&self) {
        self.state().hanging = false;
        self.shared.released.notify_all();
    }

    /// Breaks every handle made so far, as a restarted keyring daemon does; new ones work.
    pub fn restart(&self) {
        self.state().session += 1;
    }

    /// Every call begun so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One handle on a [`MemoryStore`].
struct MemorySession {
    store: MemoryStore,
    session: u64,
}

impl MemorySession {
    /// Begins a call: hangs, fails, or returns the fault to inject.
    fn enter(&self, call: Call) -> Result<(MutexGuard<'_, MemoryState>, InjectedFault), StoreError> {
        let mut state = self.store.state();
        state.calls.push(call);
        let fault = match state.once.iter().position(|(aimed, _)| *aimed == call) {
            Some(at) => state.once.remove(at).map_or(InjectedFault::None, |(_, fault)| fault),
            None => InjectedFault::None,
        };
        state.hanging |= matches!(fault, InjectedFault::Hang);
        let released = &self.store.shared.released;
        let state = released.wait_while(state, |state| state.hanging).unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &state.failing {
            return Err(error.clone());
        }
        if let Some((_, error)) = state.refusing.as_ref().filter(|(refused, _)| *refused == call) {
            return Err(error.clone());
        }
        if state.session != self.session {
            return Err(StoreError::unavailable("the session does not exist any more"));
        }
        match fault {
            InjectedFault::Error(error) => Err(error),
            fault => Ok((state, fault)),
        }
    }
}

impl SecretStore for MemorySession {
    fn probe(&mut self) -> Result<(), StoreError> {
        self.enter(Call::Probe).map(|_| ())
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        let (state, _) = self.enter(Call::Get)?;
        Ok(state.items.get(item).filter(|secret| !secret.is_empty()).cloned())
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        let (mut state, fault) = self.enter(Call::Set)?;
        if let Some(limit) = state.item_limit.filter(|limit| secret.expose().len() > *limit) {
            return Err(StoreError::TooLarge { item: item.to_owned(), limit });
        }
        match fault {
            InjectedFault::Ignored => Ok(()),
            InjectedFault::Emptied => {
                state.items.insert(item.to_owned(), Secret::default());
                Err(StoreError::unavailable("the daemon was killed"))
            }
            InjectedFault::None | InjectedFault::Hang | InjectedFault::Error(_) => {
                state.items.insert(item.to_owned(), secret.clone());
                Ok(())
            }
        }
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        let (mut state, fault) = self.enter(Call::Delete)?;
        if !matches!(fault, InjectedFault::Ignored) {
            state.items.remove(item);
        }
        Ok(())
    }

    fn item_limit(&self) -> Option<usize> {
        self.store.state().item_limit
    }
}
