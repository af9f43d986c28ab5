//! A home with one connection, and servers whose answers can be held back.

use std::ops::Deref;
use std::time::Duration;

use manutop::demo::DemoFault;

use crate::support::factory::Factory;
use crate::support::file_home::{FileHome, name};
use crate::support::program::{Program, eventually};
use crate::support::pty::Terminal;

/// Longer than any echo of a signal.
pub const LATER: Duration = Duration::from_millis(1300);

pub struct Bench {
    home: FileHome,
    pub factory: Factory,
}

impl Deref for Bench {
    type Target = FileHome;

    fn deref(&self) -> &FileHome {
        &self.home
    }
}

impl Bench {
    /// `factory` is logged in, with generation 41.
    pub async fn new() -> Self {
        Self::with(Factory::new()).await
    }

    /// The same with an access token that has ended: a refresh is due at once.
    pub async fn due() -> Self {
        let mut factory = Factory::new();
        factory.record.obtained_at -= chrono::TimeDelta::hours(1);
        factory.record.expires_at = factory.record.obtained_at + chrono::TimeDelta::minutes(30);
        Self::with(factory).await
    }

    async fn with(factory: Factory) -> Self {
        let mut home = FileHome::new(&format!("store = \"file\"\n[[connections]]{}", factory.section()));
        // The pseudo-terminal answers no question for its colours.
        home.env.insert("MANUTOP_THEME", "16".into());
        home.log_in("factory", &factory.client_secret, factory.record.clone()).await;
        Self { home, factory }
    }

    /// The next answer is held back so long; the server has replaced the token by then.
    pub fn hold_back(&self, time: Duration) {
        self.factory.servers.manu().push_fault(DemoFault::DelayAfter(time));
    }

    pub fn until_rotations(&self, count: u64) {
        eventually("the refresh token is replaced", || self.factory.servers.manu().stats().rotations >= count);
    }

    /// `manutop refresh factory --force`, whose answer is out and held back.
    pub fn refreshing(&self, time: Duration) -> Program {
        self.hold_back(time);
        let program = Program::start(&mut self.command(&["refresh", "factory", "--force"]));
        self.until_rotations(1);
        program
    }

    /// A dashboard, after `R`, whose answer is out and held back.
    pub fn dashboard_refreshing(&self, time: Duration) -> Terminal {
        let mut terminal = Terminal::start(self.command_in_terminal(&[]), (120, 32));
        terminal.until_text("● live");
        self.hold_back(time);
        terminal.keys("R");
        self.until_rotations(1);
        terminal
    }

    /// The state of the journal: `settled`, `spending` or `received`.
    pub fn journal_state(&self) -> String {
        let text = std::fs::read_to_string(self.data_dir().join("journals/factory.json")).unwrap();
        let journal: serde_json::Value = serde_json::from_str(&text).unwrap();
        journal["state"].as_str().unwrap().to_owned()
    }

    /// The newest refresh token the server knows is in the store, and no old one was ever sent again.
    pub async fn assert_newest_is_stored(&self) {
        let standing = self.vault().await.read(&name("factory")).await.unwrap();
        let newest = self.factory.servers.manu().newest_refresh_token("demo-factory").unwrap();
        assert_eq!((standing.hazard.as_ref(), standing.saved), (None, true));
        assert_eq!(standing.record.unwrap().refresh_token.unwrap().token, newest);
        assert_eq!(self.factory.servers.manu().stats().reuses_detected, 0);
    }
}

/// The state of a process as the kernel has it: `T` for a stopped one; `None` where there is none.
pub fn process_state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

pub fn is_stopped(pid: u32) -> bool {
    process_state(pid) == Some('T')
}
