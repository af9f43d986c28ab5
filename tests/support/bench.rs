//! A home with one connection, `factory`, its secrets in encrypted files; the demo's servers; and the real program.

use std::ops::{Deref, DerefMut};

use chrono::TimeDelta;
use manutop::demo::Manu;
use manutop::domain::Secret;
use manutop::tokens::reconcile::TokenState;
use serde_json::Value;

use super::factory::Factory;
use super::file_home::{FileHome, name};
use super::program::{Ended, Program, eventually};
use super::pty::Terminal;

/// See the file's head.
pub struct Bench {
    home: FileHome,
    pub factory: Factory,
}

/// A bench is a home with more in it.
impl Deref for Bench {
    type Target = FileHome;

    fn deref(&self) -> &FileHome {
        &self.home
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut FileHome {
        &mut self.home
    }
}

impl Bench {
    /// `factory` is logged in with generation 41, half an hour to go.
    pub async fn new() -> Self {
        Self::with_lines("").await
    }

    /// The same with these lines added to the connection.
    pub async fn with_lines(lines: &str) -> Self {
        let factory = Factory::new();
        let configuration = factory.alone(lines);
        Self::with(factory, &configuration).await
    }

    /// The same with an access token that has ended: a refresh is due at once.
    pub async fn expired() -> Self {
        let mut factory = Factory::new();
        factory.record.obtained_at -= TimeDelta::hours(1);
        factory.record.expires_at = factory.record.obtained_at + TimeDelta::minutes(30);
        let configuration = factory.alone("");
        Self::with(factory, &configuration).await
    }

    /// The same with this configuration.
    pub async fn with(factory: Factory, configuration: &str) -> Self {
        let bench = Self::without_secrets(factory, configuration);
        bench.log_in("factory", &bench.factory.client_secret, bench.factory.record.clone()).await;
        bench
    }

    /// Nothing is stored yet.
    pub fn without_secrets(factory: Factory, configuration: &str) -> Self {
        let mut home = FileHome::new(configuration);
        // The pseudo-terminal answers no question for its colours.
        home.env.insert("MANUTOP_THEME", "16".into());
        Self { home, factory }
    }

    /// The server of `factory`.
    pub fn manu(&self) -> &Manu {
        self.factory.servers.manu()
    }

    /// Token requests that it got.
    pub fn posts(&self) -> u64 {
        self.factory.posts()
    }

    /// The access token that was stored first.
    pub fn access_token(&self) -> &str {
        self.factory.record.access_token.expose()
    }

    /// A refresh token of the same client as another program holds it.
    pub fn refresh_token_elsewhere(&self) -> Secret {
        self.manu().issue(&self.factory.record.client_id, "API_ALL").refresh_token.unwrap()
    }

    /// Waits until the server has replaced so many refresh tokens.
    pub fn until_rotations(&self, count: u64) {
        eventually(&format!("{count} rotations"), || self.manu().stats().rotations >= count);
    }

    /// What is stored for `factory`.
    pub async fn stored(&self) -> TokenState {
        self.vault().await.read(&name("factory")).await.unwrap()
    }

    pub fn start(&self, arguments: &[&str]) -> Program {
        Program::start(&mut self.command(arguments))
    }

    /// Runs the program to its end; fails unless it ends with this code.
    pub fn run(&self, arguments: &[&str], code: i32) -> Ended {
        self.start(arguments).end().expect(code)
    }

    /// The same with this on standard input.
    pub fn pipe(&self, arguments: &[&str], input: &str, code: i32) -> Ended {
        let mut program = self.start(arguments);
        // It may have refused and ended before reading.
        program.try_send(input);
        program.end().expect(code)
    }

    /// The object that the program prints with these arguments.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let ended = self.run(arguments, code);
        let object: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        assert_eq!(object["version"], 1, "{object}");
        object
    }

    /// Starts the program in a terminal of so many columns and rows.
    pub fn terminal(&self, arguments: &[&str], size: (u16, u16)) -> Terminal {
        Terminal::start(self.command_in_terminal(arguments), size)
    }
}
