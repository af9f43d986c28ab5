//! A text field with its cursor.

use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::dashboard::widgets::text_field::TextField;

/// The field in `width` columns; the cursor is a reversed cell where the field is `focused`.
pub(crate) fn spans(field: &TextField, width: u16, focused: bool, style: Style) -> Vec<Span<'static>> {
    let (text, cursor) = field.window(width.into());
    let text = text.to_owned();
    if !focused {
        return vec![Span::styled(text, style)];
    }
    let mut column = 0;
    let at = text.grapheme_indices(true).find(|(_, piece)| {
        let here = column >= cursor;
        column += piece.width();
        here
    });
    let reversed = style.add_modifier(Modifier::REVERSED);
    match at {
        None => vec![Span::styled(text, style), Span::styled(" ", reversed)],
        Some((at, piece)) => {
            let (before, rest) = text.split_at(at);
            let (under, after) = rest.split_at(piece.len());
            vec![
                Span::styled(before.to_owned(), style),
                Span::styled(under.to_owned(), reversed),
                Span::styled(after.to_owned(), style),
            ]
        }
    }
}
