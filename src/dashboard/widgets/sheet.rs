//! Sheets: text in two columns, label and value, that is wrapped, scrolled and then drawn.
//!
//! Help, details and the welcome are all sheets, so how many lines there are is known here, below
//! the drawing, and scrolling stops exactly at the end.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::Severity;

/// How a line speaks. Drawing gives it colours; the words must do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Of less interest.
    Dim,
    /// A heading, over the whole width.
    Heading,
    /// Ordinary, over the whole width.
    Wide,
    /// Text to be copied as it stands.
    Literal,
    /// A command to be typed in a shell, over the whole width.
    Command,
    /// As a status of that severity, its symbol in front.
    Status(Severity),
    /// What a status line wrapped to its next line, and the column it is in.
    More(Severity, usize),
    /// The label is a key to press.
    Key,
    /// The label is a key to press, and no other label is in its column.
    Step,
    /// A text field.
    Field,
}

/// One line of a sheet, or what becomes several when wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetLine {
    /// The left column; empty on continuation lines.
    pub label: String,
    /// The right column.
    pub text: String,
    /// How it speaks.
    pub tone: Tone,
}

impl SheetLine {
    /// A line with a label.
    #[must_use]
    pub fn new(label: impl Into<String>, text: impl Into<String>, tone: Tone) -> Self {
        Self { label: label.into(), text: text.into(), tone }
    }

    /// An empty line.
    #[must_use]
    pub fn blank() -> Self {
        Self::new("", "", Tone::Plain)
    }
}

/// Lines with the width of their label column; 0 for no such column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The lines before wrapping.
    pub lines: Vec<SheetLine>,
    /// The columns kept for labels, the space after them included.
    pub label_width: usize,
}

impl Sheet {
    /// The lines as they fit into `width` columns.
    #[must_use]
    pub fn wrapped(&self, width: usize) -> Vec<SheetLine> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let room = width.saturating_sub(self.column(line));
            for (at, part) in wrap(&line.text, room).into_iter().enumerate() {
                // Only the first line has a label, or a symbol.
                let (label, tone) = match (at, line.tone) {
                    (0, tone) => (line.label.clone(), tone),
                    (_, Tone::Status(severity)) => (String::new(), Tone::More(severity, self.column(line))),
                    (_, tone) => (String::new(), tone),
                };
                lines.push(SheetLine { label, text: part, tone });
            }
        }
        lines
    }

    /// The column where a line's text begins.
    #[must_use]
    pub fn column(&self, line: &SheetLine) -> usize {
        match line.tone {
            Tone::Heading => 0,
            Tone::Wide | Tone::Command => 2,
            // The symbol stands before the text.
            Tone::Status(_) if line.label.is_empty() => 2,
            Tone::Step => 7,
            Tone::More(_, column) => column,
            // A blank at least stands between the two.
            _ => self.label_width.max(line.label.width() + 1),
        }
    }

    /// `scroll`, brought back so that the last line is not above the bottom of the window.
    #[must_use]
    pub fn clamp(lines: usize, height: usize, scroll: usize) -> usize {
        scroll.min(lines.saturating_sub(height))
    }
}

/// Breaks text into lines of at most `width` columns, at spaces where there are any; leading
/// spaces of the text stay, as an indent of its first line. Never empty.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    // Most texts fit.
    if text.width() <= width {
        return vec![text.trim_end().to_owned()];
    }
    let mut lines = Lines::new(width);
    for word in words(text) {
        let space = word.trim().is_empty();
        if space && lines.begins_after_break() {
            continue;
        }
        if lines.used + word.width() > lines.width {
            lines.break_line();
            if space {
                continue;
            }
        }
        // A word wider than the line, a URL perhaps, is broken wherever the line ends.
        lines.push(word);
    }
    let mut lines = lines.finish();
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Runs of white space and runs of everything else, by turns.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace).flat_map(|part| {
        let (word, space) = part.split_at(part.trim_end().len());
        [word, space].into_iter().filter(|piece| !piece.is_empty())
    })
}

/// Breaks text into lines of exactly `width` columns, but for the last: for what is copied whole,
/// such as a URL.
#[must_use]
pub fn chop(text: &str, width: usize) -> Vec<String> {
    let mut lines = Lines::new(width);
    lines.push(text);
    lines.finish()
}

/// Lines being filled one after another.
struct Lines {
    done: Vec<String>,
    current: String,
    /// Columns taken in the current line.
    used: usize,
    width: usize,
}

impl Lines {
    fn new(width: usize) -> Self {
        Self { done: Vec::new(), current: String::new(), used: 0, width: width.max(1) }
    }

    fn begins_after_break(&self) -> bool {
        self.used == 0 && !self.done.is_empty()
    }

    fn break_line(&mut self) {
        if self.used > 0 {
            self.done.push(std::mem::take(&mut self.current));
            self.used = 0;
        }
    }

    fn push(&mut self, text: &str) {
        for piece in text.graphemes(true) {
            if self.used + piece.width() > self.width {
                self.break_line();
            }
            self.current.push_str(piece);
            self.used += piece.width();
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.used > 0 || self.done.is_empty() {
            self.done.push(self.current);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::{chop, wrap};

    #[test]
    fn text_breaks_at_spaces_and_loses_nothing_else() {
        assert_eq!(wrap("the refresh token is gone", 11), ["the refresh", "token is", "gone"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("  indented text", 10), ["  indented", "text"]);
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken() {
        assert_eq!(wrap("see abcdefgh now", 5), ["see", "abcde", "fgh", "now"]);
    }

    #[test]
    fn wide_characters_count_their_columns() {
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert!(wrap("日本 語の x", 3).iter().all(|line| unicode_width::UnicodeWidthStr::width(line.as_str()) <= 3));
    }

    #[test]
    fn chopped_text_joins_to_the_whole() {
        let url = "https://auth.example/authorize?client_id=a%20b&state=xyz";
        let lines = chop(url, 10);
        assert_eq!(lines.concat(), url);
        assert!(lines[..lines.len() - 1].iter().all(|line| line.len() == 10));
    }
}
