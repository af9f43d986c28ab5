//! One connection, `factory`, live, its secrets in encrypted files; the server; and the program.

use std::ops::Deref;

use manutop::demo::Servers;
use manutop::domain::Secret;

use crate::support::factory::Factory;
use crate::support::file_home::FileHome;
use crate::support::program::{Ended, Program};
use crate::support::pty::Terminal;

pub struct Bench {
    home: FileHome,
    pub servers: Servers,
    pub client_secret: Secret,
}

/// A bench is a home with more in it.
impl Deref for Bench {
    type Target = FileHome;

    fn deref(&self) -> &FileHome {
        &self.home
    }
}

impl Bench {
    pub async fn new() -> Self {
        let factory = Factory::new();
        let section = factory.section().trim_end();
        let text = format!("# mine\nstore = \"file\"   # encrypted\n\n# the first\n[[connections]]{section}\n");
        let home = FileHome::new(&text);
        home.log_in("factory", &factory.client_secret, factory.record).await;
        Self { home, servers: factory.servers, client_secret: factory.client_secret }
    }

    /// Gives the program another variable.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.home.env.insert(name, value);
    }

    /// Runs the program to its end; fails unless it ends with this code.
    pub fn run(&self, arguments: &[&str], code: i32) -> Ended {
        Program::start(&mut self.command(arguments)).end().expect(code)
    }

    /// The same for what prints JSON.
    pub fn json(&self, arguments: &[&str], code: i32) -> serde_json::Value {
        let ended = self.run(arguments, code);
        let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        assert_eq!(told["version"], 1, "{told}");
        told
    }

    /// Starts the program in a terminal, with these variables too.
    pub fn terminal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let mut command = self.command_in_terminal(arguments);
        for (name, value) in variables {
            command.env(name, value);
        }
        Terminal::start(command, (160, 30))
    }

    /// Nothing that was printed or is written beside the store holds a secret.
    pub fn assert_no_secret(&self, texts: &[&str], secrets: &[&str]) {
        let config = self.text();
        for text in texts.iter().chain(&[config.as_str()]) {
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret is readable");
        }
    }
}
