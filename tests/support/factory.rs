//! The demo's servers with its story, and of its connections `factory`: live, generation 41.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::time::Duration;

use manutop::demo::{DemoOptions, Servers, story};
use manutop::domain::{Secret, TokenRecord};

/// See the file's head.
pub struct Factory {
    pub servers: Servers,
    /// The whole story's.
    pub configuration: String,
    pub client_secret: Secret,
    pub record: TokenRecord,
}

impl Factory {
    pub fn new() -> Self {
        let options =
            DemoOptions { manu_limit: None, manu_lifetime: Duration::from_secs(1800), ..DemoOptions::default() };
        let servers = Servers::start(options).unwrap();
        let story = story::set_up(&servers);
        let factory = story.characters.into_iter().find(|character| character.name.as_str() == "factory").unwrap();
        Self {
            servers,
            configuration: story.configuration,
            client_secret: factory.client_secret,
            record: factory.record.unwrap(),
        }
    }

    /// What stands below `[[connections]]` for it alone.
    pub fn section(&self) -> &str {
        let (_, sections) = self.configuration.split_once("[[connections]]").unwrap();
        sections.split("[[connections]]").find(|section| section.contains("\"factory\"")).unwrap()
    }

    /// A configuration of it alone, its secrets in encrypted files; `lines` belong to the connection.
    pub fn alone(&self, lines: &str) -> String {
        format!("store = \"file\"\n[[connections]]{}\n{lines}", self.section().trim_end())
    }

    /// Token requests that the server got.
    pub fn posts(&self) -> u64 {
        self.servers.manu().stats().token_posts.total()
    }
}
