//! An engine over the demo servers, with a store in memory that can be made to fail.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use manutop::demo::{DemoOptions, Servers};
use manutop::domain::{
    AfterLostAnswer, Clock, Connection, ConnectionGrant, ConnectionName, ConnectionView, Event, Program, Secret,
    SecretSource, SystemClock, TokenRecord,
};
use manutop::engine::{Browser, Engine, Opened, Parts};
use manutop::oauth::providers::{MANU, MANUS};
use manutop::secrets::memory::MemoryStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;
use tokio::sync::mpsc::UnboundedReceiver;

pub const SECRET: &str = "client-secret-of-the-tests";
/// The first pause after a lost answer, by the clock that tests move.
pub const LOST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// How long a call to the store may take.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that runs like the system's, but can be moved.
#[derive(Default)]
pub struct MovableClock(Mutex<TimeDelta>);

impl MovableClock {
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

/// A browser that only remembers what it should have opened.
#[derive(Default)]
pub struct NoBrowser(pub Mutex<Vec<String>>);

impl Browser for NoBrowser {
    fn open(&self, url: &str) -> Result<Opened, String> {
        self.0.lock().unwrap().push(url.to_owned());
        Err("tests open no browser".into())
    }
}

pub struct Rig {
    pub servers: Servers,
    pub store: MemoryStore,
    pub dir: tempfile::TempDir,
    pub clock: Arc<MovableClock>,
    pub browser: Arc<NoBrowser>,
    pub connections: Vec<Connection>,
}

/// An engine, and all that it has announced so far.
pub struct Running {
    pub engine: Engine,
    pub events: UnboundedReceiver<Event>,
}

pub fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

impl Rig {
    pub fn new() -> Self {
        Self::with(|options| (options.manu_limit, options.manus_limit) = (None, None))
    }

    /// A rig whose servers are as `set` makes them.
    pub fn with(set: impl FnOnce(&mut DemoOptions)) -> Self {
        let clock = Arc::new(MovableClock::default());
        let mut options = DemoOptions { clock: Arc::<MovableClock>::clone(&clock), ..DemoOptions::default() };
        set(&mut options);
        Self {
            servers: Servers::start(options).unwrap(),
            store: MemoryStore::new(),
            dir: tempfile::tempdir().unwrap(),
            clock,
            browser: Arc::default(),
            connections: Vec::new(),
        }
    }

    pub fn vault(&self) -> Vault {
        let clock: Arc<dyn Clock> = Arc::<MovableClock>::clone(&self.clock);
        Vault::open(Secrets::with_timeout(self.store.factory(), STORE_TIMEOUT), self.dir.path(), clock).unwrap()
    }

    /// A Manu connection, its client registered and its client secret stored.
    pub async fn manu(&mut self, text: &str, redirect_uri: &str) -> ConnectionName {
        let (id, secret) = (format!("app-{text}"), Secret::new(SECRET));
        let manu = self.servers.manu();
        manu.register_client(&id, &secret, &[redirect_uri]);
        let connection = Connection {
            name: name(text),
            title: None,
            provider: &MANU,
            client_id: id,
            client_secret: SecretSource::Store,
            grant: ConnectionGrant::AuthorizationCode {
                authorize_url: manu.authorize_url(),
                redirect_uri: redirect_uri.to_owned(),
                scope: "API_ALL".into(),
                pkce: true,
            },
            token_url: manu.token_url(),
            test_url: manu.test_url(),
            auto_refresh: true,
            after_lost_answer: AfterLostAnswer::default(),
            revoke_url: None,
        };
        self.vault().set_client_secret(&connection.name, &secret).await.unwrap();
        self.connections.push(connection);
        name(text)
    }

    /// A Manus connection, its client registered and its client secret stored.
    pub async fn manus(&mut self, text: &str) -> ConnectionName {
        let (id, secret) = (format!("tm_{text}"), Secret::new(SECRET));
        let manus = self.servers.manus();
        manus.register_client(&id, &secret);
        let connection = Connection {
            name: name(text),
            title: None,
            provider: &MANUS,
            client_id: id,
            client_secret: SecretSource::Store,
            grant: ConnectionGrant::ClientCredentials,
            token_url: manus.token_url(),
            test_url: manus.test_url(),
            auto_refresh: true,
            after_lost_answer: AfterLostAnswer::default(),
            revoke_url: None,
        };
        self.vault().set_client_secret(&connection.name, &secret).await.unwrap();
        self.connections.push(connection);
        name(text)
    }

    /// Puts a first generation of tokens into the store, as a login would.
    pub async fn logged_in(&self, connection: &ConnectionName, age: TimeDelta) -> TokenRecord {
        let known = self.connections.iter().find(|known| known.name == *connection).unwrap();
        let issued = if known.needs_browser() {
            self.servers.manu().issue_aged(&known.client_id, "API_ALL", age)
        } else {
            self.servers.manus().issue_aged(&known.client_id, age)
        };
        let record = issued.record(1);
        self.vault().lock(connection, |_| {}).await.unwrap().receive(record.clone()).await.unwrap();
        record
    }

    /// Refresh requests that have reached Manu Online's server.
    pub fn refresh_posts(&self) -> u64 {
        self.servers.manu().stats().token_posts.refresh_token
    }

    /// Waits until so many refresh requests have reached Manu Online's server.
    pub async fn until_refresh_posts(&self, count: u64) {
        eventually("the refresh request came", || self.refresh_posts() >= count).await;
    }

    /// Waits until Manu Online's server has replaced so many refresh tokens.
    pub async fn until_rotations(&self, count: u64) {
        eventually("the refresh token was replaced", || self.servers.manu().stats().rotations >= count).await;
    }

    /// The state the connection's journal is in: `settled`, `spending` or `received`.
    pub fn journal_state(&self, connection: &ConnectionName) -> String {
        let path = self.dir.path().join(format!("journals/{connection}.json"));
        let journal: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        journal["state"].as_str().unwrap().to_owned()
    }

    /// Waits until the connection's journal is in this state.
    pub async fn until_journal(&self, connection: &ConnectionName, state: &str) {
        eventually(state, || self.journal_state(connection) == state).await;
    }

    /// Moves the clock, and lets the schedule of `running` look at it at once: `clockwork`, a Manus
    /// connection whose token the move ends, is seen to be minted again by that same look.
    pub async fn schedule_looks(&self, running: &Running, by: TimeDelta) {
        let before = self.servers.manus().stats().mints;
        self.clock.advance(by);
        running.engine.views().await;
        eventually("the schedule looked", || self.servers.manus().stats().mints > before).await;
        // What the same look began has left by now.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// Moves the clock by less than it takes a token to end, and lets the schedule of `running` look at it.
    pub async fn moves_on(&self, running: &Running, by: TimeDelta) {
        self.clock.advance(by);
        // It looks after each question.
        running.engine.views().await;
        running.engine.views().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// A Manus connection with a token, for [`Rig::schedule_looks`].
    pub async fn clockwork(&mut self) {
        let clockwork = self.manus("clockwork").await;
        self.logged_in(&clockwork, TimeDelta::zero()).await;
    }

    /// Puts a record into the store past journal and lock.
    pub async fn put(&self, connection: &ConnectionName, record: &TokenRecord) {
        let (elsewhere, dir) = (MemoryStore::new(), tempfile::tempdir().unwrap());
        let vault = Vault::open(Secrets::new(elsewhere.factory()), dir.path(), Arc::new(SystemClock)).unwrap();
        vault.lock(connection, |_| {}).await.unwrap().receive(record.clone()).await.unwrap();
        let item = format!("{connection}/token");
        self.store.put(&item, &elsewhere.item(&item).unwrap());
    }

    /// The connections as a configuration file has them.
    pub fn configuration(&self) -> String {
        self.connections.iter().map(section).collect()
    }

    /// Starts an engine, as a dashboard (`automatic`) or as a single command would.
    pub fn start(&self, automatic: bool) -> Running {
        let (engine, events) = Engine::start(Parts {
            connections: self.connections.clone(),
            vault: self.vault(),
            clock: Arc::<MovableClock>::clone(&self.clock),
            browser: Arc::<NoBrowser>::clone(&self.browser),
            program: if automatic { Program::Dashboard } else { Program::Command },
            automatic,
            login_timeout: Duration::from_secs(60),
            lost_pause: LOST_PAUSE,
        })
        .unwrap();
        Running { engine, events }
    }
}

/// Waits until it is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn section(connection: &Connection) -> String {
    let Connection { name, provider, client_id, token_url, test_url, .. } = connection;
    let urls = match &connection.grant {
        ConnectionGrant::AuthorizationCode { authorize_url, redirect_uri, .. } => {
            format!("authorize_url = \"{authorize_url}\"\nredirect_uri = \"{redirect_uri}\"\n")
        }
        ConnectionGrant::ClientCredentials => String::new(),
    };
    let provider = provider.id;
    format!(
        "[[connections]]\nname = \"{name}\"\nprovider = \"{provider}\"\nclient_id = \"{client_id}\"\n\
         token_url = \"{token_url}\"\ntest_url = \"{test_url}\"\n{urls}\n"
    )
}

impl Running {
    /// Waits for an event that `pick` takes.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let event = self.events.recv().await.expect("the engine ended");
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
        })
        .await
        .expect("the event never came")
    }

    /// What was announced and not looked at yet.
    pub fn announced(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// A connection's state now.
    pub async fn view(&self, connection: &ConnectionName) -> ConnectionView {
        self.engine.views().await.into_iter().find(|view| view.name == *connection).unwrap()
    }

    /// Waits for a connection's state to be as asked.
    pub async fn until_view(
        &mut self,
        connection: &ConnectionName,
        ok: impl Fn(&ConnectionView) -> bool,
    ) -> ConnectionView {
        self.until(|event| match event {
            Event::Changed(view) if view.name == *connection && ok(view) => Some(view.as_ref().clone()),
            _ => None,
        })
        .await
    }
}
