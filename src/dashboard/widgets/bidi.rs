//! Text from right to left in a screen that is drawn from left to right.
//!
//! Some terminals reorder the characters of a line, as text from right to left is to be read. They
//! know nothing of columns: digits and blanks that follow Hebrew count as part of it, and the
//! countdown beside a name changes places with it. A LEFT-TO-RIGHT MARK behind each run of such
//! text ends it for them, and one at the beginning of the line says how that is laid out. The
//! marks take no column; terminals that do not reorder draw nothing for them.

use ratatui::buffer::{Buffer, Cell};
use unicode_bidi::{BidiClass, bidi_class};

const LEFT_TO_RIGHT_MARK: char = '\u{200e}';

/// Ends every run of text from right to left at its own last cell. Answers whether there is any.
pub(crate) fn contain(buffer: &mut Buffer) -> bool {
    let mut found = false;
    let width = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(width) {
        // Most lines have none.
        if row.iter().any(|cell| may_be_right_to_left(cell) && matches!(kind(cell), Kind::RightToLeft)) {
            contain_row(row);
            found = true;
        }
    }
    found
}

/// Whether a look at its character is worth it: of what most cells have, ASCII and the lines of
/// frames, nothing is read from right to left, and the first bytes show that.
fn may_be_right_to_left(cell: &Cell) -> bool {
    let symbol = cell.symbol().as_bytes();
    symbol.len() > 1 && !matches!(symbol, [0xe2, 0x86..=0xaf, ..])
}

fn contain_row(row: &mut [Cell]) {
    let mut last = None;
    let mut gap = Gap::default();
    for at in 0..row.len() {
        match kind(&row[at]) {
            Kind::RightToLeft => {
                // What begins a line must not decide in which direction all of it goes.
                if let Some(first) = row.first().filter(|_| last.is_none() && at > 0) {
                    let first = marked(first);
                    row[0].set_symbol(&first);
                }
                if let Some(end) = last.filter(|_| !gap.is_within_text()) {
                    mark(&mut row[end]);
                }
                last = Some(at);
                gap = Gap::default();
            }
            Kind::Blank => gap.blanks += 1,
            Kind::Neutral => gap.neutral += 1,
            Kind::Other => gap.other = true,
        }
    }
    if let Some(end) = last {
        mark(&mut row[end]);
    }
}

/// What stands between two cells of text from right to left.
#[derive(Default)]
struct Gap {
    blanks: usize,
    neutral: usize,
    other: bool,
}

impl Gap {
    /// Whether it is such as stands between two words; more parts columns.
    fn is_within_text(&self) -> bool {
        !self.other && self.blanks <= 1 && self.neutral <= 2
    }
}

enum Kind {
    RightToLeft,
    Blank,
    /// A character of no direction that occurs in texts.
    Neutral,
    /// Anything else: text from left to right, digits, lines of a frame.
    Other,
}

fn kind(cell: &Cell) -> Kind {
    match cell.symbol().chars().next() {
        None | Some(' ') => Kind::Blank,
        Some('0'..='9' | 'A'..='Z' | 'a'..='z' | '\u{2190}'..='\u{2bff}') => Kind::Other,
        // No search for what most cells have.
        Some(character) if character.is_ascii() => Kind::Neutral,
        Some(character) => match bidi_class(character) {
            BidiClass::R | BidiClass::AL | BidiClass::AN => Kind::RightToLeft,
            BidiClass::ON | BidiClass::CS | BidiClass::ES | BidiClass::ET | BidiClass::NSM => Kind::Neutral,
            _ => Kind::Other,
        },
    }
}

fn marked(cell: &Cell) -> String {
    format!("{}{LEFT_TO_RIGHT_MARK}", cell.symbol())
}

fn mark(cell: &mut Cell) {
    let symbol = marked(cell);
    cell.set_symbol(&symbol);
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    /// The line after [`contain`], with `<` for each mark.
    fn contained(line: &str) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        buffer.set_string(0, 0, line, Style::new());
        contain(&mut buffer);
        let line: String = buffer.content.iter().map(Cell::symbol).collect();
        line.trim_end().replace(LEFT_TO_RIGHT_MARK, "<")
    }

    #[test]
    fn a_run_ends_where_its_text_ends() {
        for (line, wanted) in [
            ("factory  24m 03s", "factory  24m 03s"),
            ("│ שלום  24m │", "│< שלום<  24m │"),
            ("│ שלום 24m │", "│< שלום< 24m │"),
            ("│ שלום עולם, יום │ x", "│< שלום עולם, יום< │ x"),
            ("│ שלום  עולם │", "│< שלום<  עולם< │"),
            ("│ שלום││עולם │", "│< שלום<││עולם< │"),
            ("x مرحبا x", "x< مرحبا< x"),
            ("שלום", "שלום<"),
            ("日本語 live", "日 本 語  live"),
        ] {
            assert_eq!(contained(line), wanted);
        }
    }

    #[test]
    fn marks_take_no_column() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        buffer.set_string(0, 0, "a שלום b", Style::new());
        contain(&mut buffer);
        assert_eq!((buffer[(0, 0)].symbol(), buffer[(7, 0)].symbol()), ("a\u{200e}", "b"));
        assert!(buffer.content.iter().all(|cell| unicode_width::UnicodeWidthStr::width(cell.symbol()) == 1));
    }
}
