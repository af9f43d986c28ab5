//! Draws frames in the terminal's present size, and leaves the terminal as it is in the end: the guard that took it over
//! restores it.

use std::mem::ManuallyDrop;

use ratatui::backend::Backend;
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, Terminal};

/// A terminal that frames are drawn on.
pub struct FrameWriter<B: Backend> {
    /// Never dropped: that would show the cursor again, and panic where the terminal is gone.
    terminal: ManuallyDrop<Terminal<B>>,
}

impl<B: Backend> FrameWriter<B> {
    /// Draws on a terminal that is blank.
    ///
    /// # Errors
    /// The terminal does not report its size.
    pub fn new(backend: B) -> Result<Self, B::Error> {
        Ok(Self { terminal: ManuallyDrop::new(Terminal::new(backend)?) })
    }

    /// The terminal's size now.
    ///
    /// # Errors
    /// It does not report it.
    pub fn size(&self) -> Result<Size, B::Error> {
        self.terminal.size()
    }

    /// Draws a frame in the terminal's present size, and says which that was. No cursor is shown.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> Result<Size, B::Error> {
        Ok(self.terminal.draw(render)?.area.as_size())
    }

    /// Forgets what the terminal is thought to show and clears it, so that the next frame draws
    /// every cell.
    ///
    /// [`Terminal::clear`] would ask the terminal where its cursor is and wait for the answer, which
    /// the input's own reading may swallow; giving it a size asks for nothing.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub fn redraw(&mut self) -> Result<(), B::Error> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from(size))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn after_a_redraw_nothing_is_taken_for_shown() {
        let mut painter = FrameWriter::new(TestBackend::with_lines(["xxxx", "xxxx"])).unwrap();
        let render = |frame: &mut Frame| frame.buffer_mut().set_string(0, 0, "ab", Style::new());
        painter.draw(render).unwrap();
        painter.redraw().unwrap();
        painter.draw(render).unwrap();
        painter.terminal.backend().assert_buffer_lines(["ab  ", "    "]);
    }
}
