//! Answers of the server that are held back, and what is left when a program ends meanwhile.

use std::time::Duration;

use manutop::demo::DemoFault;

pub use crate::support::bench::Bench;
use crate::support::program::Program;
use crate::support::pty::Terminal;

/// Longer than any echo of a signal.
pub const LATER: Duration = Duration::from_millis(1300);

impl Bench {
    /// The next answer is held back so long; the server has replaced the token by then.
    pub fn hold_back(&self, time: Duration) {
        self.manu().push_fault(DemoFault::DelayAfter(time));
    }

    /// `manutop refresh factory --force`, whose answer is out and held back.
    pub fn refreshing(&self, time: Duration) -> Program {
        self.hold_back(time);
        let program = self.start(&["refresh", "factory", "--force"]);
        self.until_rotations(1);
        program
    }

    /// A dashboard, after `R`, whose answer is out and held back.
    pub fn dashboard_refreshing(&self, time: Duration) -> Terminal {
        let mut terminal = self.terminal(&[], (120, 32));
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
        let standing = self.stored().await;
        let newest = self.manu().newest_refresh_token("demo-factory").unwrap();
        assert_eq!((standing.hazard.as_ref(), standing.saved), (None, true));
        assert_eq!(standing.record.unwrap().refresh_token.unwrap().token, newest);
        assert_eq!(self.manu().stats().reuses_detected, 0);
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
