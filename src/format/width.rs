//! Text in columns: filled up, and cut without halving what belongs together.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text, filled up with blanks to `width` columns where it is narrower.
#[must_use]
pub fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.width());
    format!("{text}{:blanks$}", "")
}

/// As much of the beginning as fits into `width` columns.
#[must_use]
pub fn beginning(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.grapheme_indices(true).find(|(_, piece)| {
        used += piece.width();
        used > width
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// As much of the end as fits into `width` columns.
#[must_use]
pub fn ending(text: &str, width: usize) -> &str {
    let mut used = 0;
    let cut = text.grapheme_indices(true).rev().find(|(_, piece)| {
        used += piece.width();
        used > width
    });
    cut.map_or(text, |(at, piece)| &text[at + piece.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_not_characters() {
        assert_eq!(padded("日本", 6), "日本  ");
        assert_eq!(padded("e\u{301}", 3), "e\u{301}  ");
        assert_eq!(padded("long", 2), "long");
    }

    #[test]
    fn nothing_that_belongs_together_is_halved() {
        assert_eq!((beginning("日本語", 5), ending("日本語", 5)), ("日本", "本語"));
        assert_eq!((beginning("ne\u{301}e", 2), ending("nee\u{301}", 1)), ("ne\u{301}", "e\u{301}"));
        assert_eq!((beginning("abc", 0), ending("abc", 0)), ("", ""));
        assert_eq!((beginning("abc", 9), ending("abc", 9)), ("abc", "abc"));
    }
}
