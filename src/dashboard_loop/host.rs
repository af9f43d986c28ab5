//! What the loop needs of the terminal beyond drawing, and in the demo of what can be broken.

use std::io;

use ratatui::layout::Rect;

use crate::dashboard::tour::fault::FaultKind;
use crate::domain::{ConnectionName, Secret};
use crate::terminal::window::Window;

/// The terminal beyond drawing. The real one is the terminal itself; tests have one in memory.
pub trait Host: Window {
    /// Restores the terminal and stops the process; returns when it is continued, without the
    /// terminal.
    ///
    /// # Errors
    /// The process cannot be stopped.
    fn suspend(&mut self) -> io::Result<()>;

    /// Leaves the terminal to another program, until [`Host::reenter`].
    fn lend(&mut self) {}

    /// Writes a line on the terminal while it is lent.
    fn say(&mut self, _line: &str) {}

    /// Has the terminal report the mouse, or keep it: then its own selection works.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn report_mouse(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    /// Takes over the terminal again after another program had it.
    ///
    /// # Errors
    /// The terminal cannot be set up.
    fn reenter(&mut self) -> io::Result<()>;

    /// Copies a text to the terminal's clipboard (OSC 52).
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn copy(&mut self, text: &Secret) -> io::Result<()>;

    /// Makes a part of the frames that follow a link, or none. Called before every frame.
    fn link(&mut self, _link: Option<(Rect, &str)>) {}

    /// In the demo, breaks something or fixes everything; otherwise nothing can be broken. Must not
    /// wait: the engine's events report the effect.
    fn fault(&mut self, _connection: &ConnectionName, _kind: FaultKind) {}
}
