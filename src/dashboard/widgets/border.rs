//! The border of a pane, with what is written on it.
//!
//! It touches the cells of the border and no other. ratatui's own block paints everything within,
//! too, several times in a frame.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::dashboard::widgets::line::put;

/// A border.
pub(crate) struct Border<'a> {
    style: Style,
    above: Vec<Line<'a>>,
    below: Vec<Line<'a>>,
}

impl<'a> Border<'a> {
    /// One in a style, with nothing written on it.
    pub(crate) fn new(style: Style) -> Self {
        Self { style, above: Vec::new(), below: Vec::new() }
    }

    /// Writes on the upper line, to the right of what stands there.
    pub(crate) fn title(mut self, line: impl Into<Line<'a>>) -> Self {
        self.above.push(line.into());
        self
    }

    /// Writes on the lower line: at its right end what is aligned to it, the rest from the left.
    pub(crate) fn title_bottom(mut self, line: impl Into<Line<'a>>) -> Self {
        self.below.push(line.into());
        self
    }
}

impl Widget for Border<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for y in [area.y, bottom] {
            let (first, end) = (buffer.index_of(area.x + 1, y), buffer.index_of(right, y));
            for cell in &mut buffer.content[first..end] {
                cell.set_symbol("─").set_style(self.style);
            }
        }
        let mut put = |x, y, symbol| {
            buffer[(x, y)].set_symbol(symbol).set_style(self.style);
        };
        for y in area.y + 1..bottom {
            put(area.x, y, "│");
            put(right, y, "│");
        }
        for (x, y, corner) in [(area.x, area.y, "┌"), (right, area.y, "┐"), (area.x, bottom, "└"), (right, bottom, "┘")]
        {
            put(x, y, corner);
        }
        let line = Rect { x: area.x + 1, width: area.width - 2, height: 1, ..area };
        write(buffer, line, &self.above);
        write(buffer, Rect { y: bottom, ..line }, &self.below);
    }
}

/// Writes titles a column apart, as far as there is room.
fn write(buffer: &mut Buffer, area: Rect, titles: &[Line]) {
    let mut left = area;
    for title in titles {
        let width = u16::try_from(title.width()).unwrap_or(u16::MAX).min(left.width);
        let at_the_end = title.alignment == Some(Alignment::Right);
        let x = if at_the_end { area.right() - width } else { left.x };
        // A title stands over the border and would inherit its dimness, or its colour.
        let bright = Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM);
        buffer.set_style(Rect { x, width, ..area }, bright);
        put(buffer, x, area.y, title, width);
        if !at_the_end {
            let taken = (width + 1).min(left.width);
            left = Rect { x: left.x + taken, width: left.width - taken, ..left };
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::text::Line;
    use ratatui::widgets::{Block, Widget as _};

    use super::*;

    /// Held to ratatui's own block, whose place it takes.
    #[test]
    fn it_looks_as_a_block_with_the_same_titles() {
        let style = Style::new().fg(Color::Green).add_modifier(Modifier::DIM);
        let bright = Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM);
        for width in [2, 14, 20, 21, 30, 60] {
            let area = Rect::new(1, 1, width, 4);
            let titles = || [Line::from(" Requests "), Line::from(" errors only ").style(Style::new().fg(Color::Red))];
            let place = || Line::from(" 1-9 of 100 ").right_aligned();
            let whole = Rect::new(0, 0, 64, 6);
            let (mut ours, mut theirs) = (Buffer::empty(whole), Buffer::empty(whole));
            let [one, other] = titles();
            Border::new(style).title(one).title(other).title_bottom(place()).render(area, &mut ours);
            let [one, other] = titles();
            let block = Block::bordered().border_style(style).title_style(bright);
            block.title(one).title(other).title_bottom(place()).render(area, &mut theirs);
            assert_eq!(ours, theirs, "{width}");
        }
    }
}
