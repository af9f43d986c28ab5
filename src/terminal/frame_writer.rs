//! Draws frames, and writes of them what has changed.
//!
//! ratatui compares a frame with the one before cell by cell, with care for wide characters. Most
//! rows of most frames are what they were: here a row is compared as a whole first, and with that
//! care only where it differs. Invariant: `shown` is what the terminal shows, or blank where it was
//! cleared.

use std::mem;
use std::mem::ManuallyDrop;

use ratatui::backend::Backend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, Terminal};

/// A terminal that frames are drawn on.
pub struct FrameWriter<B: Backend> {
    /// Never dropped: it would show the cursor again, and panic where the terminal is gone. The one that
    /// took the terminal over gives it back.
    terminal: ManuallyDrop<Terminal<B>>,
    shown: Buffer,
}

impl<B: Backend> FrameWriter<B> {
    /// A painter on a terminal that is blank.
    ///
    /// # Errors
    /// The terminal does not report its size.
    pub fn new(backend: B) -> Result<Self, B::Error> {
        let mut terminal = Terminal::new(backend)?;
        let shown = take_spare(&mut terminal);
        Ok(Self { terminal: ManuallyDrop::new(terminal), shown })
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
        // Of another size than before, it is cleared.
        self.terminal.autoresize()?;
        let area = self.terminal.get_frame().area();
        if area != self.shown.area {
            self.shown = take_spare(&mut self.terminal);
        }
        render(&mut self.terminal.get_frame());
        let changed = take_rows(&mut self.shown, self.terminal.current_buffer_mut());
        let backend = self.terminal.backend_mut();
        backend.draw(changed.iter().flat_map(|(before, after)| before.diff_iter(after)))?;
        self.terminal.hide_cursor()?;
        Backend::flush(self.terminal.backend_mut())?;
        Ok(area.as_size())
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
        self.terminal.resize(Rect::from(size))?;
        self.shown = take_spare(&mut self.terminal);
        Ok(())
    }
}

/// The second of the two buffers that ratatui keeps, blank. It is not compared with here, and would take memory and
/// time at the start for nothing.
fn take_spare<B: Backend>(terminal: &mut Terminal<B>) -> Buffer {
    terminal.swap_buffers();
    let spare = mem::take(terminal.current_buffer_mut());
    terminal.swap_buffers();
    spare
}

/// Takes the rows of a frame over into what is shown, and leaves blanks. Returns those in which the two differ, before
/// and after.
fn take_rows(shown: &mut Buffer, next: &mut Buffer) -> Vec<(Buffer, Buffer)> {
    let area = shown.area;
    let row = |cells: &[Cell], y| {
        let area = Rect { y, height: 1, ..area };
        Buffer { area, content: cells.to_vec() }
    };
    let mut changed = Vec::new();
    for y in area.y..area.bottom() {
        let first = next.index_of(area.x, y);
        let cells = first..first + usize::from(area.width);
        let (before, after) = (&mut shown.content[cells.clone()], &mut next.content[cells]);
        if before.iter().zip(&*after).any(|(before, after)| !looks_alike(before, after)) {
            changed.push((row(before, y), row(after, y)));
            before.swap_with_slice(after);
        }
        after.iter_mut().for_each(Cell::reset);
    }
    changed
}

/// Whether two cells look alike: what [`Cell`]'s own comparison finds, in a third of the time. All
/// cells are compared for every frame.
fn looks_alike(one: &Cell, other: &Cell) -> bool {
    let symbols = match (one.symbol().as_bytes(), other.symbol().as_bytes()) {
        ([one], [other]) => one == other,
        (one, other) => one == other,
    };
    symbols
        && one.modifier == other.modifier
        && one.fg == other.fg
        && one.bg == other.bg
        && one.underline_color == other.underline_color
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;
    use ratatui::style::{Color, Style};

    use super::*;

    /// Where it stands, a text, and whether in a bar.
    type Text = (u16, u16, &'static str, bool);

    /// Frames with wide characters, styles and blanks; of different sizes.
    const FRAMES: [((u16, u16), &[Text]); 6] = [
        ((20, 4), &[(0, 0, "日本語 factory", false), (2, 1, "live", true)]),
        ((20, 4), &[(0, 0, "日本語 factory", false), (2, 1, "live", false)]),
        ((20, 4), &[(1, 0, "日x語 factory", true), (18, 3, "語", false)]),
        ((20, 4), &[(0, 0, "abc", false)]),
        ((30, 3), &[(0, 0, "abc", false), (25, 2, "é e\u{301}", true)]),
        ((30, 3), &[]),
    ];

    /// Held to ratatui's own way, whose place it takes.
    #[test]
    fn what_is_shown_is_what_ratatui_would_show() {
        let mut ours = FrameWriter::new(TestBackend::new(20, 4)).unwrap();
        let mut theirs = Terminal::new(TestBackend::new(20, 4)).unwrap();
        for ((width, height), texts) in FRAMES {
            ours.terminal.backend_mut().resize(width, height);
            theirs.backend_mut().resize(width, height);
            let render = |frame: &mut Frame| {
                for (x, y, text, bar) in texts {
                    let style = if *bar { Style::new().reversed() } else { Style::new() };
                    frame.buffer_mut().set_string(*x, *y, *text, style);
                }
            };
            assert_eq!(ours.draw(render).unwrap(), Size::new(width, height));
            theirs.draw(render).unwrap();
            assert_eq!(ours.terminal.backend().buffer(), theirs.backend().buffer(), "{texts:?}");
        }
    }

    #[test]
    fn cells_look_alike_where_nothing_tells_them_apart() {
        let styles = [Style::new(), Style::new().red(), Style::new().on_red(), Style::new().bold()];
        let styles = styles.into_iter().chain([Style::new().underline_color(Color::Red)]);
        let symbols = [" ", "a", "b", "\u{e4}", "日", "a\u{301}", "👨\u{200d}👩\u{200d}👧\u{200d}👦"];
        let cell = |symbol: &str, style| Cell::default().set_symbol(symbol).set_style(style).clone();
        let cells = styles.flat_map(|style| symbols.map(|symbol| cell(symbol, style)));
        let cells: Vec<Cell> = cells.chain([Cell::EMPTY]).collect();
        for (one, other) in cells.iter().flat_map(|one| cells.iter().map(move |other| (one, other))) {
            assert_eq!(looks_alike(one, other), one == other, "{one:?} {other:?}");
        }
    }

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
