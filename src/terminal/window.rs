//! The terminal's window, for what is not drawn: its title, a notification, the bell.

use std::io;

/// The window around the screen. By default nothing of it exists.
pub trait Window {
    /// Sets the title.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn set_title(&mut self, _title: &str) -> io::Result<()> {
        Ok(())
    }

    /// Shows a notification.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn notify(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    /// Rings the bell.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn ring(&mut self) -> io::Result<()> {
        Ok(())
    }
}
