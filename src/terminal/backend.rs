//! The terminal as a backend that shows each frame at once.
//!
//! A frame is many writes: clearing after a new size, cells, cursor. Between `CSI ? 2026 h` and
//! `CSI ? 2026 l` (synchronized output) a terminal that knows them holds its picture still, so
//! no one sees half a frame; others pass over them. Invariant: what was begun is ended by the
//! flush that ends the frame, and nothing is written where nothing has changed.

use std::io;
use std::io::{BufWriter, Stdout, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use crate::terminal::link::LinkSlot;
use crate::terminal::osc;

/// Room for most frames, so that they leave in one piece.
const FRAME: usize = 64 * 1024;

/// The real terminal, drawn on frame by frame.
#[derive(Debug)]
pub struct TerminalBackend<W: Write> {
    inner: CrosstermBackend<W>,
    /// Whether a frame has begun and not ended.
    open: bool,
    /// The part of the frame that is a link.
    link: LinkSlot,
    /// Whether the cursor may be seen: ratatui hides it again with every frame.
    cursor: bool,
}

impl TerminalBackend<BufWriter<Stdout>> {
    /// The terminal at standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(BufWriter::with_capacity(FRAME, io::stdout()))
    }

    /// Where the link of a frame is set.
    #[must_use]
    pub fn link(&self) -> LinkSlot {
        self.link.clone()
    }
}

impl<W: Write> TerminalBackend<W> {
    /// A terminal at the end of a writer.
    pub fn new(writer: W) -> Self {
        Self { inner: CrosstermBackend::new(writer), open: false, link: LinkSlot::default(), cursor: true }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.open {
            queue!(self.inner, BeginSynchronizedUpdate)?;
            self.open = true;
        }
        Ok(())
    }
}

impl<W: Write> Backend for TerminalBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.begin()?;
        let Some(link) = self.link.get() else { return self.inner.draw(content) };
        while let Some(&(x, y, _)) = content.peek() {
            let is_linked = link.contains(x, y);
            let run: Vec<_> =
                std::iter::from_fn(|| content.next_if(|(x, y, _)| link.contains(*x, *y) == is_linked)).collect();
            if is_linked {
                self.inner.write_all(link.opening().as_bytes())?;
            }
            self.inner.draw(run.into_iter())?;
            if is_linked {
                self.inner.write_all(osc::END_LINK.as_bytes())?;
            }
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.begin()?;
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.begin()?;
        self.inner.clear_region(clear_type)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.open {
            queue!(self.inner, EndSynchronizedUpdate)?;
            self.open = false;
        }
        Backend::flush(&mut self.inner)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.cursor) { self.inner.hide_cursor() } else { Ok(()) }
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.cursor = true;
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn size(&self) -> io::Result<Size> {
        // crossterm reopens the terminal to ask, and this is asked for every frame.
        #[cfg(unix)]
        if let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
            && size.ws_col > 0
            && size.ws_row > 0
        {
            return Ok(Size { width: size.ws_col, height: size.ws_row });
        }
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::widgets::Paragraph;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    use super::*;

    /// What drawing the texts one after another writes.
    fn written(texts: &[&str]) -> String {
        let mut bytes = Vec::new();
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 2)) };
        let mut terminal = Terminal::with_options(TerminalBackend::new(&mut bytes), options).unwrap();
        for text in texts {
            terminal.draw(|frame| frame.render_widget(Paragraph::new(*text), frame.area())).unwrap();
        }
        drop(terminal);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_frame_is_shown_as_a_whole() {
        let out = written(&["one", "two"]);
        let mut frames = out.split("\x1b[?2026h").skip(1);
        for text in ["one", "two"] {
            let (frame, after) = frames.next().unwrap().split_once("\x1b[?2026l").unwrap();
            assert!(frame.contains(text) && !after.contains(text), "{out:?}");
        }
        assert_eq!(frames.next(), None);
    }

    #[test]
    fn a_part_of_a_frame_is_a_link_and_what_is_around_it_is_none() {
        let mut bytes = Vec::new();
        let screen = TerminalBackend::new(&mut bytes);
        screen.link.set(Some((Rect::new(2, 0, 3, 1), "https://a.example/")));
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 2)) };
        let mut terminal = Terminal::with_options(screen, options).unwrap();
        terminal.draw(|frame| frame.render_widget(Paragraph::new("abcdefg"), frame.area())).unwrap();
        drop(terminal);
        let out = String::from_utf8(bytes).unwrap();
        let (before, rest) = out.split_once("\x1b]8;id=manutop;https://a.example/\x1b\\").unwrap();
        let (inside, after) = rest.split_once("\x1b]8;;\x1b\\").unwrap();
        assert!(before.contains("ab") && inside.contains("cde") && after.contains("fg"), "{out:?}");
    }

    #[test]
    fn where_nothing_changes_nothing_is_written() {
        let once = written(&["one"]);
        assert_eq!(written(&["one", "one", "one"]), once);
    }
}
