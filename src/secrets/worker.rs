//! The asynchronous handle on a secret store that may block or hang.
//!
//! One plain thread owns the store; requests go in through a channel, answers come back through a
//! oneshot, and each call has a timeout. A thread whose call hangs is abandoned and
//! replaced. Not `spawn_blocking`: a blocked task there keeps the runtime from
//! shutting down.
//!
//! Invariants: a request whose caller gave up before it began is never carried out, so that no
//! late write overtakes a newer one; a write counts only once it is read back the same.
//!
//! The timeout runs on tokio's clock: with a paused clock (`start_paused`) it would end at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::Secret;
use crate::secrets::chunks;
use crate::secrets::error::StoreError;
use crate::secrets::secret_store::{Elsewhere, SecretStore, StoreFactory};

/// How long a call to the secret store may take by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long unlocking with a passphrase may take: it is slow on purpose, and some machines
/// are slower than the one whose speed set the cost.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(120);

/// How many threads may hang in a dead store; beyond that, calls fail at once until one returns.
const MAX_THREADS: usize = 8;

/// An asynchronous handle on a secret store. Cheap to clone; clones share the store's thread.
#[derive(Clone)]
pub struct Secrets {
    shared: Arc<SharedWorker>,
}

struct SharedWorker {
    factory: Mutex<StoreFactory>,
    /// Makes the store that can take the place of this one.
    alternative: Mutex<Option<StoreFactory>>,
    timeout: Duration,
    worker: Mutex<Option<Worker>>,
    /// Every living thread holds a clone; its count is theirs.
    alive: Arc<()>,
}

struct Worker {
    requests: mpsc::Sender<StoreRequest>,
    abandoned: Arc<AtomicBool>,
}

struct StoreRequest {
    operation: Operation,
    reply: oneshot::Sender<Answer>,
}

type Answer = Result<Output, StoreError>;

/// The result of an operation.
enum Output {
    Nothing,
    Secret(Option<Secret>),
    Secrets(Vec<Secret>),
    Elsewhere(Vec<Elsewhere>),
}

enum Operation {
    Probe,
    Get(String),
    GetAll(String),
    Elsewhere(String),
    Set(String, Secret),
    Delete(String),
    Unlock(Secret),
}

impl Secrets {
    /// A handle on the store that `factory` makes; no thread is started and no store made before
    /// the first call. A call may take 10 seconds.
    #[must_use]
    pub fn new(factory: StoreFactory) -> Self {
        Self::with_timeout(factory, TIMEOUT)
    }

    /// The same with another limit on how long a call may take.
    #[must_use]
    pub fn with_timeout(factory: StoreFactory, timeout: Duration) -> Self {
        let (factory, alternative, worker) = (Mutex::new(factory), Mutex::default(), Mutex::default());
        Self { shared: Arc::new(SharedWorker { factory, alternative, timeout, worker, alive: Arc::default() }) }
    }

    /// The same with a store that can take the place of this one, see [`Secrets::use_alternative`].
    #[must_use]
    pub fn with_alternative(self, factory: StoreFactory) -> Self {
        *unpoisoned(&self.shared.alternative) = Some(factory);
        self
    }

    /// Whether another store can take the place of this one.
    #[must_use]
    pub fn has_alternative(&self) -> bool {
        unpoisoned(&self.shared.alternative).is_some()
    }

    /// Uses the other store from now on, in every clone; false where there is none. What the present one holds stays
    /// there.
    #[must_use]
    pub fn use_alternative(&self) -> bool {
        let Some(factory) = unpoisoned(&self.shared.alternative).take() else { return false };
        let mut worker = unpoisoned(&self.shared.worker);
        *unpoisoned(&self.shared.factory) = factory;
        if let Some(worker) = worker.take() {
            worker.abandoned.store(true, Ordering::Release);
        }
        true
    }

    /// Succeeds if the store is reachable and unlocked; raises no prompt.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`, `TimedOut`.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.call(Operation::Probe).await.map(|_| ())
    }

    /// The item; an empty one is missing.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn get(&self, item: &str) -> Result<Option<Secret>, StoreError> {
        match self.call(Operation::Get(item.to_owned())).await? {
            Output::Secret(secret) => Ok(secret),
            _ => Ok(None),
        }
    }

    /// All items of that name, as a keyring may hold several; empty ones are missing.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn get_all(&self, item: &str) -> Result<Vec<Secret>, StoreError> {
        match self.call(Operation::GetAll(item.to_owned())).await? {
            Output::Secrets(secrets) => Ok(secrets),
            _ => Ok(Vec::new()),
        }
    }

    /// Where else there are items of that name than where new ones are made.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn elsewhere(&self, item: &str) -> Result<Vec<Elsewhere>, StoreError> {
        match self.call(Operation::Elsewhere(item.to_owned())).await? {
            Output::Elsewhere(found) => Ok(found),
            _ => Ok(Vec::new()),
        }
    }

    /// Writes the item, reads it back and compares.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files; `NotReadBack` if the store holds something else.
    pub async fn set(&self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        self.call(Operation::Set(item.to_owned(), secret.clone())).await.map(|_| ())
    }

    /// Removes the item; a missing one is fine.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn delete(&self, item: &str) -> Result<(), StoreError> {
        self.call(Operation::Delete(item.to_owned())).await.map(|_| ())
    }

    /// Unlocks a store that waits for a passphrase; succeeds on one that needs none. May take up to two
    /// minutes.
    ///
    /// # Errors
    /// `WrongPassphrase`, or what keeps the store from being opened.
    pub async fn unlock(&self, passphrase: Secret) -> Result<(), StoreError> {
        self.call_within(Operation::Unlock(passphrase), UNLOCK_TIMEOUT).await.map(|_| ())
    }

    async fn call(&self, operation: Operation) -> Answer {
        self.call_within(operation, self.shared.timeout).await
    }

    async fn call_within(&self, operation: Operation, limit: Duration) -> Answer {
        let (reply, answer) = oneshot::channel();
        let abandoned = self.shared.submit(StoreRequest { operation, reply })?;
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                abandoned.store(true, Ordering::Release);
                Err(StoreError::unavailable("its thread ended; it is being restarted"))
            }
            Err(_) => {
                abandoned.store(true, Ordering::Release);
                Err(timed_out(limit))
            }
        }
    }
}

impl SharedWorker {
    /// Hands the request to the thread, starting one if there is none or it hangs.
    fn submit(&self, request: StoreRequest) -> Result<Arc<AtomicBool>, StoreError> {
        let mut slot = unpoisoned(&self.worker);
        let request = match slot.take().filter(|worker| !worker.abandoned.load(Ordering::Acquire)) {
            Some(worker) => match worker.requests.send(request) {
                Ok(()) => {
                    let abandoned = Arc::clone(&worker.abandoned);
                    *slot = Some(worker);
                    return Ok(abandoned);
                }
                Err(mpsc::SendError(request)) => request,
            },
            None => request,
        };
        let worker = self.start()?;
        let abandoned = Arc::clone(&worker.abandoned);
        worker.requests.send(request).map_err(|_| StoreError::unavailable("its thread ended at once"))?;
        *slot = Some(worker);
        Ok(abandoned)
    }

    fn start(&self) -> Result<Worker, StoreError> {
        if Arc::strong_count(&self.alive) > MAX_THREADS {
            return Err(timed_out(self.timeout));
        }
        let (requests, inbox) = mpsc::channel();
        let abandoned = Arc::new(AtomicBool::new(false));
        let factory = Arc::clone(&*unpoisoned(&self.factory));
        let (flag, alive) = (Arc::clone(&abandoned), Arc::clone(&self.alive));
        thread::Builder::new()
            .name("secret-store".into())
            .spawn(move || {
                serve(&factory, &inbox, &flag);
                drop(alive);
            })
            .map_err(|error| StoreError::unavailable(&format!("no thread for it: {error}")))?;
        Ok(Worker { requests, abandoned })
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn timed_out(after: Duration) -> StoreError {
    StoreError::TimedOut { what: "the secret store", after }
}

/// The thread's work: ends when the last handle is dropped, or when it has been abandoned.
fn serve(factory: &StoreFactory, inbox: &mpsc::Receiver<StoreRequest>, abandoned: &AtomicBool) {
    let mut store = None;
    while let Ok(StoreRequest { operation, reply }) = inbox.recv() {
        let is_wanted = || !abandoned.load(Ordering::Acquire) && !reply.is_closed();
        if is_wanted() {
            let answer = attempt(factory, &mut store, &operation, is_wanted);
            // The caller may have given up; then the answer is dropped.
            let _ = reply.send(answer);
        }
    }
}

/// Carries the operation out; if the session broke since its last use, again on a new one.
fn attempt(
    factory: &StoreFactory,
    store: &mut Option<Box<dyn SecretStore>>,
    operation: &Operation,
    is_wanted: impl Fn() -> bool,
) -> Answer {
    let was_used = store.is_some();
    let answer = once(factory, store, operation);
    if !matches!(answer, Err(StoreError::Unavailable { .. })) {
        return answer;
    }
    *store = None;
    if was_used && is_wanted() { once(factory, store, operation) } else { answer }
}

fn once(factory: &StoreFactory, store: &mut Option<Box<dyn SecretStore>>, operation: &Operation) -> Answer {
    let store = match store {
        Some(store) => store,
        None => store.insert(factory()?),
    };
    match operation {
        Operation::Probe => store.probe().map(|()| Output::Nothing),
        Operation::Get(item) => chunks::get(&mut **store, item).map(Output::Secret),
        Operation::GetAll(item) => chunks::get_all(&mut **store, item).map(Output::Secrets),
        Operation::Elsewhere(item) => store.elsewhere(item).map(Output::Elsewhere),
        Operation::Set(item, secret) => {
            chunks::set(&mut **store, item, secret)?;
            match chunks::get(&mut **store, item)? {
                Some(kept) if kept == *secret => Ok(Output::Nothing),
                _ => Err(StoreError::NotReadBack { item: item.clone() }),
            }
        }
        Operation::Delete(item) => chunks::delete(&mut **store, item).map(|()| Output::Nothing),
        Operation::Unlock(passphrase) => store.unlock(passphrase).map(|()| Output::Nothing),
    }
}
