//! The real terminal, for everything but drawing.

use std::io;
use std::io::Write as _;

use ratatui::layout::Rect;

use crate::cli::commands::demo::faults::Faults;
use crate::dashboard::tour::fault::FaultKind;
use crate::dashboard_loop::host::Host;
use crate::domain::{ConnectionName, Secret};
use crate::platform::clipboard::send_to_terminal;
use crate::terminal::guard::TerminalGuard;
use crate::terminal::link::LinkSlot;
use crate::terminal::osc;
use crate::terminal::window::Window;

/// The real terminal, and in the demo what breaks things.
pub(crate) struct TerminalHost<'a> {
    guard: &'a mut TerminalGuard,
    /// Whether it understands more than what is drawn.
    understands: bool,
    in_tmux: bool,
    link: LinkSlot,
    /// The title as set last: restored whenever the terminal is taken over again.
    title: String,
    faults: Option<Faults>,
}

impl<'a> TerminalHost<'a> {
    pub(crate) fn new(guard: &'a mut TerminalGuard, link: LinkSlot, faults: Option<Faults>) -> Self {
        let in_tmux = std::env::var_os("TMUX").is_some_and(|tmux| !tmux.is_empty());
        Self { guard, understands: osc::is_understood(), in_tmux, link, title: String::new(), faults }
    }

    fn write(&self, sequence: &str) -> io::Result<()> {
        let mut out = io::stdout();
        if self.understands { out.write_all(sequence.as_bytes()).and_then(|()| out.flush()) } else { Ok(()) }
    }
}

impl Window for TerminalHost<'_> {
    fn set_title(&mut self, title: &str) -> io::Result<()> {
        title.clone_into(&mut self.title);
        self.write(&osc::title(title))
    }

    fn notify(&mut self, text: &str) -> io::Result<()> {
        self.write(&osc::notification(text, self.in_tmux))
    }

    fn ring(&mut self) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(b"\x07").and_then(|()| out.flush())
    }
}

impl Host for TerminalHost<'_> {
    #[cfg(unix)]
    fn suspend(&mut self) -> io::Result<()> {
        self.guard.suspend()
    }

    #[cfg(not(unix))]
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn lend(&mut self) {
        self.guard.leave();
    }

    fn say(&mut self, line: &str) {
        // A terminal that is gone is found to be when it is taken over again.
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn report_mouse(&mut self, on: bool) -> io::Result<()> {
        self.guard.report_mouse(on)
    }

    fn reenter(&mut self) -> io::Result<()> {
        self.guard.reenter()?;
        self.write(&osc::title(&self.title))
    }

    fn copy(&mut self, text: &Secret) -> io::Result<()> {
        send_to_terminal(&mut io::stdout(), text)
    }

    fn link(&mut self, link: Option<(Rect, &str)>) {
        self.link.set(link.filter(|_| self.understands));
    }

    fn fault(&mut self, connection: &ConnectionName, kind: FaultKind) {
        if let Some(faults) = &self.faults {
            faults.play(connection, kind);
        }
    }
}
