//! What parent and workers have in common: connections, engine, orders.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use manutop::domain::{
    AfterLostAnswer, Connection, ConnectionGrant, ConnectionName, Event, Program, SecretSource, SystemClock,
};
use manutop::engine::{Browser, Engine, Opened, Parts};
use manutop::oauth::providers::MANU;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;

use super::stores::StoreKind;

pub const REDIRECT: &str = "http://127.0.0.1/callback";
pub const SECRET: &str = "client-secret-of-the-tests";
pub const SCOPE: &str = "API_ALL";

/// What a process needs to know to work with the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    pub store: String,
    pub root: PathBuf,
    /// `http://127.0.0.1:PORT` of Manu Online's server.
    pub base: String,
    pub connections: usize,
    /// For a worker: the seed of its choices.
    pub seed: u64,
    /// For a worker: what it does.
    pub habit: Habit,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Habit {
    /// Refreshes what falls due, as a dashboard left alone.
    Waits,
    /// The same, and wants fresh tokens all the time, as scripts do.
    Demands,
    /// Forces refreshes one after the other, as a person with a quick hand.
    Forces,
}

pub fn name(number: usize) -> ConnectionName {
    ConnectionName::new(&format!("c{number}")).unwrap()
}

pub fn client_id(name: &ConnectionName) -> String {
    format!("app-{name}")
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _: &str) -> Result<Opened, String> {
        Err("tests open no browser".into())
    }
}

impl Orders {
    pub fn kind(&self) -> StoreKind {
        StoreKind::named(&self.store)
    }

    pub fn names(&self) -> Vec<ConnectionName> {
        (0..self.connections).map(name).collect()
    }

    /// An engine as a newly started process has it.
    pub fn engine(&self, automatic: bool) -> (Engine, UnboundedReceiver<Event>) {
        self.engine_of(self.names().into_iter().map(|name| self.connection(name)).collect(), automatic)
    }

    /// The same with other connections.
    pub fn engine_of(&self, connections: Vec<Connection>, automatic: bool) -> (Engine, UnboundedReceiver<Event>) {
        let parts = Parts {
            connections,
            vault: self.kind().vault(&self.root),
            clock: Arc::new(SystemClock),
            browser: Arc::new(NoBrowser),
            program: if automatic { Program::Dashboard } else { Program::Command },
            automatic,
            login_timeout: Duration::from_secs(60),
            lost_pause: chrono::TimeDelta::milliseconds(200),
        };
        Engine::start(parts).unwrap()
    }

    pub fn connection(&self, name: ConnectionName) -> Connection {
        let url = |path: &str| format!("{}{path}", self.base).parse().unwrap();
        Connection {
            client_id: client_id(&name),
            name,
            title: None,
            provider: &MANU,
            client_secret: SecretSource::Store,
            grant: ConnectionGrant::AuthorizationCode {
                authorize_url: url("/oauth/authorize"),
                redirect_uri: REDIRECT.into(),
                scope: SCOPE.into(),
                pkce: true,
            },
            token_url: url("/oauth/token"),
            test_url: url("/"),
            auto_refresh: true,
            after_lost_answer: AfterLostAnswer::default(),
            revoke_url: None,
        }
    }
}
