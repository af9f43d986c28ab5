//! Tables whose columns know their widths, drawn row by row.
//!
//! ratatui's own table has a solver find out what is known here already, and paints every cell of
//! its area several times: most of what a frame would cost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::dashboard::widgets::line::put;

/// Where the cells of a table stand. The widths and the gaps between them fit into the area.
pub(crate) struct Table {
    /// The headings' line and the rows below it.
    pub(crate) area: Rect,
    /// The columns between two cells.
    pub(crate) spacing: u16,
}

impl Table {
    /// Draws the line of the headings.
    pub(crate) fn headings<'a>(
        &self,
        buffer: &mut Buffer,
        headings: impl Iterator<Item = (Line<'a>, u16)>,
        style: Style,
    ) {
        self.line(buffer, self.area.y, headings, style);
    }

    /// Draws a row, counted from 0 below the headings; one that there is no room for is left out.
    pub(crate) fn row<'a>(
        &self,
        buffer: &mut Buffer,
        at: u16,
        cells: impl Iterator<Item = (Line<'a>, u16)>,
        style: Style,
    ) {
        if at + 1 < self.area.height {
            self.line(buffer, self.area.y + 1 + at, cells, style);
        }
    }

    fn line<'a>(&self, buffer: &mut Buffer, y: u16, cells: impl Iterator<Item = (Line<'a>, u16)>, style: Style) {
        if style != Style::default() {
            buffer.set_style(Rect { y, height: 1, ..self.area }, style);
        }
        let mut x = self.area.x;
        for (line, width) in cells {
            let room = width.min(self.area.right().saturating_sub(x));
            put(buffer, x, y, &line, room);
            x = x.saturating_add(width + self.spacing);
        }
    }
}
