//! A terminal in memory that a test can read while the real loop draws on it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// A clone shows the same screen.
#[derive(Clone)]
pub struct Screen {
    backend: Arc<Mutex<TestBackend>>,
    /// Every frame that was drawn, the oldest first: what stands there for a moment only is seen.
    frames: Arc<Mutex<Vec<String>>>,
}

impl Screen {
    pub fn new(width: u16, height: u16) -> Self {
        let backend = TestBackend::new(width, height);
        let frames = Arc::new(Mutex::new(vec![backend.to_string()]));
        Self { backend: Arc::new(Mutex::new(backend)), frames }
    }

    /// All rows as text.
    pub fn text(&self) -> String {
        self.inner().to_string()
    }

    /// The number of the frame that is shown.
    pub fn newest(&self) -> usize {
        self.frames().len() - 1
    }

    /// The number of the first frame from this one on that is as asked.
    pub fn first_from(&self, number: usize, is_so: impl Fn(&str) -> bool) -> Option<usize> {
        self.frames()[number..].iter().position(|frame| is_so(frame)).map(|at| number + at)
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.inner().resize(width, height);
    }

    fn inner(&self) -> MutexGuard<'_, TestBackend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn frames(&self) -> MutexGuard<'_, Vec<String>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
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
        sure(self.inner().flush())?;
        let text = self.text();
        let mut frames = self.frames();
        if frames.last() != Some(&text) {
            frames.push(text);
        }
        Ok(())
    }
}
