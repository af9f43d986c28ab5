//! The demo's faults, as they are done: to its servers, to its keyring, to its locks.
//!
//! Invariants: all of it happens on a thread of its own, so that the screen never waits; whatever
//! is broken is fixed by [`FaultKind::AllWell`], also what only a person could fix in earnest.

use std::collections::HashMap;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::dashboard::tour::fault::FaultKind;
use crate::demo::{DemoFault, Manu, Manus, Reply, story};
use crate::domain::{Command, Connection, ConnectionName, Secret};
use crate::engine::Remote;
use crate::secrets::error::StoreError;
use crate::secrets::memory::{Call, MemoryStore};
use crate::tokens::vault::Vault;

/// How long a client that is over its limit is asked to wait, in seconds.
const RETRY_AFTER: u32 = 15;
/// What a provider that is out of order answers: by an OAuth error it says that it took no request.
const OUT_OF_ORDER: &str =
    r#"{"error":"temporarily_unavailable","error_description":"The demo's provider is out of order"}"#;
/// How long a slow provider takes.
const SLOW: Duration = Duration::from_secs(5);
/// How long the other process holds a lock.
const HELD: Duration = Duration::from_secs(10);
/// The lifetime of a token that is soon to end, in seconds.
const SHORT_LIFE: u32 = 20;

/// What can be broken.
pub struct Breakable {
    /// Manu Online's server.
    pub manu: Manu,
    /// Manus's server.
    pub manus: Manus,
    /// The keyring.
    pub store: MemoryStore,
    /// Journals and locks, over that keyring.
    pub vault: Vault,
    /// The connections.
    pub connections: Vec<Connection>,
    /// The client secrets that the servers know.
    pub secrets: HashMap<ConnectionName, Secret>,
}

/// The injector of faults, on a thread that ends with this.
pub struct Faults {
    requests: UnboundedSender<(ConnectionName, FaultKind)>,
}

impl Faults {
    /// Starts it; `engine` is asked for what shows each fault at once.
    ///
    /// # Errors
    /// The system gives no thread or no event queue.
    pub fn start(breakable: Breakable, engine: Remote) -> io::Result<Self> {
        let (requests, asked) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let breaker = Breaker::new(breakable, engine);
        thread::Builder::new().name("demo-faults".into()).spawn(move || runtime.block_on(breaker.run(asked)))?;
        Ok(Self { requests })
    }

    /// Breaks something, seen from a connection. Does not wait.
    pub fn play(&self, connection: &ConnectionName, kind: FaultKind) {
        // The thread ends only when this is dropped.
        let _ = self.requests.send((connection.clone(), kind));
    }
}

struct Breaker {
    parts: Breakable,
    engine: Remote,
    /// The keyring's tokens as they were at the beginning.
    backup: HashMap<ConnectionName, Secret>,
    /// The connections that something was done to since all was well, and whether it took their newest tokens.
    hit: HashMap<ConnectionName, bool>,
    /// Ends the holding of locks.
    release: CancellationToken,
}

impl Breaker {
    fn new(parts: Breakable, engine: Remote) -> Self {
        let item = |connection: &Connection| {
            let tokens = parts.store.item(&token_item(&connection.name))?;
            Some((connection.name.clone(), tokens))
        };
        let backup = parts.connections.iter().filter_map(item).collect();
        Self { parts, engine, backup, hit: HashMap::new(), release: CancellationToken::new() }
    }

    async fn run(mut self, mut asked: UnboundedReceiver<(ConnectionName, FaultKind)>) {
        while let Some((name, kind)) = asked.recv().await {
            let Some(connection) = self.parts.connections.iter().find(|connection| connection.name == name) else {
                continue;
            };
            let connection = connection.clone();
            self.play(&connection, kind).await;
        }
    }

    async fn play(&mut self, connection: &Connection, kind: FaultKind) {
        let (name, id) = (&connection.name, connection.client_id.as_str());
        match kind {
            FaultKind::RateLimit => self.break_down(connection, Some(id), DemoFault::Instead(too_many())),
            FaultKind::Outage => self.break_down(connection, None, DemoFault::status(503, OUT_OF_ORDER)),
            FaultKind::Slow => self.break_down(connection, None, DemoFault::DelayBefore(SLOW)),
            FaultKind::LostAnswer => self.once(connection, DemoFault::lost_answer()),
            FaultKind::Revoked => {
                if let Some(token) = self.parts.manu.newest_refresh_token(id) {
                    self.parts.manu.revoke(&token);
                }
            }
            // Where the store takes none, the right one stays; the screen shows why.
            FaultKind::WrongSecret => {
                let _ = self.parts.vault.set_client_secret(name, &Secret::new("not-the-secret")).await;
            }
            FaultKind::KeyringLocked => self.parts.store.fail_always(Some(StoreError::Locked)),
            FaultKind::KeyringFull => {
                let full = StoreError::Refused { item: token_item(name), why: "the keyring is full".into() };
                self.parts.store.refuse(Some((Call::Set, full)));
            }
            FaultKind::RolledBack => self.roll_back(name),
            FaultKind::LockHeld => self.hold_lock(name).await,
            FaultKind::ShortLived => {
                self.once(connection, DemoFault::Rewrite(short_lived));
                self.engine.send(Command::SetAuto { connection: name.clone(), on: false });
            }
            FaultKind::AllWell => return self.fix().await,
        }
        *self.hit.entry(name.clone()).or_default() |= kind.needs_refresh_token();
        self.engine.send(Command::ForceIfSure { connection: name.clone() });
    }

    fn break_down(&self, connection: &Connection, whose: Option<&str>, fault: DemoFault) {
        if connection.needs_browser() {
            self.parts.manu.break_down(whose, fault);
        } else {
            self.parts.manus.break_down(whose, fault);
        }
    }

    fn once(&self, connection: &Connection, fault: DemoFault) {
        if connection.needs_browser() {
            self.parts.manu.push_fault_for(&connection.client_id, fault);
        } else {
            self.parts.manus.push_fault_for(&connection.client_id, fault);
        }
    }

    /// Brings back the tokens of the beginning; where those are the newest still, none at all.
    fn roll_back(&self, name: &ConnectionName) {
        let (item, store) = (token_item(name), &self.parts.store);
        match self.backup.get(name).filter(|old| store.item(&item).as_ref() != Some(*old)) {
            Some(old) => store.put(&item, old),
            None => store.remove(&item),
        }
    }

    /// Takes the lock as another process would: the engine's own tries do not know of it.
    async fn hold_lock(&self, name: &ConnectionName) {
        let Ok(locked) = self.parts.vault.lock(name, |_| {}).await else { return };
        let release = self.release.clone();
        tokio::spawn(async move {
            // Either way it is let go.
            let _ = tokio::time::timeout(HELD, release.cancelled()).await;
            drop(locked);
        });
    }

    /// Repairs providers, keyring and connections, and has whatever was broken refreshed, so that it shows.
    async fn fix(&mut self) {
        self.parts.manu.clear_faults();
        self.parts.manus.clear_faults();
        self.parts.store.fail_always(None);
        self.parts.store.refuse(None);
        std::mem::take(&mut self.release).cancel();
        let hit = std::mem::take(&mut self.hit);
        for connection in &self.parts.connections {
            let name = &connection.name;
            if let Some(secret) = self.parts.secrets.get(name) {
                // A store that was just repaired takes it.
                let _ = self.parts.vault.set_client_secret(name, secret).await;
            }
            if let Some(refresh_token) = self.new_grant(connection, hit.get(name) == Some(&true)) {
                self.engine.send(Command::Import { connection: name.clone(), refresh_token });
            } else if hit.contains_key(name) {
                self.engine.send(Command::SetAuto { connection: name.clone(), on: connection.auto_refresh });
                self.engine.send(Command::Refresh { connection: name.clone(), force: true });
            }
        }
        self.engine.send(Command::AskAgain);
    }

    /// A new login's refresh token, where one has logged in before and the tokens it holds work no more.
    fn new_grant(&self, connection: &Connection, lost_tokens: bool) -> Option<Secret> {
        if !connection.needs_browser() || !self.backup.contains_key(&connection.name) {
            return None;
        }
        let newest = self.parts.manu.newest_refresh_token(&connection.client_id);
        if newest.is_some() && !lost_tokens {
            return None;
        }
        self.parts.manu.issue(&connection.client_id, story::SCOPE).refresh_token
    }
}

fn too_many() -> Reply {
    let body = r#"{"error":"too_many_requests","error_description":"The demo limits this client"}"#;
    Reply::Status { code: 429, body: body.into(), retry_after: Some(RETRY_AFTER.to_string()) }
}

fn short_lived(mut answer: serde_json::Value) -> String {
    if let Some(lifetime) = answer.get_mut("expires_in") {
        *lifetime = SHORT_LIFE.into();
    }
    answer.to_string()
}

/// The keyring's item with a connection's tokens.
fn token_item(name: &ConnectionName) -> String {
    format!("{name}/token")
}
