//! Text that is too long for its place: cut, and the cut always marked. And text in which some
//! characters were found.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::dashboard::theme::Theme;
use crate::format::width::beginning;

/// The line in at most `width` columns. What is cut off is marked with `…`.
pub(crate) fn cut(line: Line<'_>, width: u16) -> Line<'_> {
    let width = usize::from(width);
    if line.width() <= width {
        return line;
    }
    let Line { style, alignment, spans } = line;
    let mut left = width.saturating_sub(1);
    let mut kept = Vec::with_capacity(spans.len());
    for span in spans {
        if span.width() <= left {
            left -= span.width();
            kept.push(span);
            continue;
        }
        if width > 0 {
            kept.push(Span::styled(beginning(&span.content, left).to_owned() + "…", span.style));
        }
        break;
    }
    Line { style, alignment, spans: kept }
}

/// A text whose characters with these numbers, ascending, stand out from the others in `style`.
pub(crate) fn highlighted(text: &str, hits: &[usize], style: Style, theme: Theme) -> Vec<Span<'static>> {
    let mut spans: Vec<(bool, String)> = Vec::new();
    for (at, character) in text.chars().enumerate() {
        let hit = hits.binary_search(&at).is_ok();
        match spans.last_mut() {
            Some((same, span)) if *same == hit => span.push(character),
            _ => spans.push((hit, character.into())),
        }
    }
    let styled = |(hit, text)| Span::styled(text, if hit { style.patch(theme.hit()) } else { style });
    spans.into_iter().map(styled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_every_cut_is_marked() {
        let line = || Line::from(vec![Span::raw("401 "), Span::raw("invalid_client")]);
        for (width, text) in
            [(0, ""), (1, "…"), (4, "401…"), (5, "401 …"), (17, "401 invalid_clie…"), (18, "401 invalid_client")]
        {
            assert_eq!(cut(line(), width).to_string(), text, "{width}");
        }
    }

    #[test]
    fn a_wide_character_is_never_halved() {
        assert_eq!(cut(Line::from("日本語"), 4).to_string(), "日…");
        assert_eq!(cut(Line::from("日本語"), 5).to_string(), "日本…");
    }
}
