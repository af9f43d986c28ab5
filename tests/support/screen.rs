//! A terminal in memory that a test can read while the real loop draws on it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// A clone shows the same screen.
#[derive(Clone)]
pub struct Screen(Arc<Mutex<TestBackend>>);

impl Screen {
    pub fn new(width: u16, height: u16) -> Self {
        Self(Arc::new(Mutex::new(TestBackend::new(width, height))))
    }

    /// All rows as text.
    pub fn text(&self) -> String {
        self.inner().to_string()
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.inner().resize(width, height);
    }

    fn inner(&self) -> MutexGuard<'_, TestBackend> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `TestBackend` cannot fail.
fn sure<T>(result: Result<T, core::convert::Infallible>) -> io::Result<T> {
    result.map_err(|never| match never {})
}

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        sure(self.inner().draw(content))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        sure(self.inner().hide_cursor())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        sure(self.inner().show_cursor())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        sure(self.inner().get_cursor_position())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        sure(self.inner().set_cursor_position(position))
    }

    fn clear(&mut self) -> io::Result<()> {
        sure(self.inner().clear())
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        sure(self.inner().clear_region(clear_type))
    }

    fn size(&self) -> io::Result<Size> {
        sure(self.inner().size())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        sure(self.inner().window_size())
    }

    fn flush(&mut self) -> io::Result<()> {
        sure(self.inner().flush())
    }
}
