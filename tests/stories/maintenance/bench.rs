//! A configuration that its owner has commented, and a terminal to edit it in.

pub use crate::support::bench::Bench;
use crate::support::factory::Factory;
use crate::support::pty::Terminal;

/// The configuration has comments of its owner.
pub async fn commented() -> Bench {
    let factory = Factory::new();
    let section = factory.section().trim_end();
    let text = format!("# mine\nstore = \"file\"   # encrypted\n\n# the first\n[[connections]]{section}\n");
    Bench::with(factory, &text).await
}

impl Bench {
    /// Starts the program in a terminal, with these variables too.
    pub fn terminal_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
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
