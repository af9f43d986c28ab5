//! Lines of text, put into cells.

use ratatui::buffer::Buffer;
use ratatui::text::Line;

/// Puts a line at a place, cut at `width` columns: what [`Buffer::set_line`] does, but ASCII without
/// a search for characters that are made of several.
pub(crate) fn put(buffer: &mut Buffer, x: u16, y: u16, line: &Line, width: u16) {
    let end = x.saturating_add(width).min(buffer.area.right());
    let mut x = x;
    for span in &line.spans {
        let style = line.style.patch(span.style);
        let text = span.content.as_ref();
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            if x >= end {
                continue;
            }
            let first = buffer.index_of(x, y);
            let cells = &mut buffer.content[first..first + usize::from(end - x)];
            for (at, cell) in cells.iter_mut().take(text.len()).enumerate() {
                cell.set_symbol(&text[at..=at]).set_style(style);
                x += 1;
            }
        } else {
            x = buffer.set_stringn(x, y, text, usize::from(end.saturating_sub(x)), style).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use ratatui::text::Span;

    use super::*;

    #[test]
    fn it_puts_what_ratatui_puts() {
        let spans = |words: &[&'static str]| -> Vec<Span<'static>> {
            let styles = [Style::new().red(), Style::new().bold().on_blue(), Style::new().not_dim()];
            words.iter().zip(styles.into_iter().cycle()).map(|(word, style)| Span::styled(*word, style)).collect()
        };
        for words in [
            &["plain", " ", "text"][..],
            &["日本", "x", "e\u{301}y\u{200b}"],
            &["", "tab\there", "\u{1b}[1m", "~"],
            &["שלום", "abc"],
        ] {
            let line = Line::from(spans(words)).style(Style::new().italic());
            for (x, width) in [(0, 40), (3, 5), (3, 0), (3, 1), (28, 10), (30, 4)] {
                let area = Rect::new(0, 0, 30, 2);
                let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
                for buffer in [&mut ours, &mut theirs] {
                    buffer.set_style(area, Style::new().dim());
                }
                put(&mut ours, x, 1, &line, width);
                theirs.set_line(x, 1, &line, width);
                assert_eq!(ours, theirs, "{words:?} at {x}, {width}");
            }
        }
    }
}
