//! A one-line text field with a cursor, for what is no secret; see `SecretField` for that.
//!
//! Invariants: no control characters, nothing invisible, no more characters than its bound. The editing itself is
//! `tui-input`'s.

use std::fmt;

use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::dashboard::action::Action;
use crate::domain::text::neutralise;

/// A text field.
#[derive(Clone, Default)]
pub struct TextField {
    input: Input,
}

/// Says how long the text is and not what it is: a person may paste a secret into the wrong field.
impl fmt::Debug for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters = self.text().chars().count();
        f.debug_struct("TextField").field("characters", &characters).finish_non_exhaustive()
    }
}

impl PartialEq for TextField {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.input.cursor() == other.input.cursor()
    }
}

impl Eq for TextField {}

impl TextField {
    /// The most characters taken.
    pub const MAX: usize = 2048;

    /// A field with this text, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut field = Self::default();
        field.push(text);
        field
    }

    /// What is in it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Types or pastes text at the cursor.
    pub fn push(&mut self, text: &str) {
        let room = Self::MAX.saturating_sub(self.text().chars().count());
        // What is shown must be what is in it, or the cursor would stand elsewhere.
        let visible: String = text.chars().filter(|c| !c.is_control()).collect();
        for character in neutralise(&visible, usize::MAX).chars().take(room) {
            self.input.handle(InputRequest::InsertChar(character));
        }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.input.reset();
    }

    /// Carries out an action of [`crate::dashboard::keymap::Scope::Field`]; false where it is none.
    pub fn act(&mut self, action: Action) -> bool {
        let request = match action {
            Action::Erase => InputRequest::DeletePrevChar,
            Action::EraseNext => InputRequest::DeleteNextChar,
            Action::EraseWord => InputRequest::DeletePrevWord,
            Action::EraseAll => InputRequest::DeleteLine,
            Action::CursorLeft => InputRequest::GoToPrevChar,
            Action::CursorRight => InputRequest::GoToNextChar,
            Action::CursorStart => InputRequest::GoToStart,
            Action::CursorEnd => InputRequest::GoToEnd,
            _ => return false,
        };
        self.input.handle(request);
        true
    }

    /// The part to show in `width` columns, and the cursor's column in it: in the part's last
    /// column at most.
    #[must_use]
    pub fn window(&self, width: usize) -> (&str, usize) {
        let cursor = self.text().char_indices().nth(self.input.cursor()).map_or(self.text().len(), |(at, _)| at);
        let (before, after) = self.text().split_at(cursor);
        let room = width.saturating_sub(1);
        let mut start = cursor;
        let mut column = 0;
        for (at, piece) in before.grapheme_indices(true).rev() {
            if column + piece.width() > room {
                break;
            }
            column += piece.width();
            start = at;
        }
        let mut used = column;
        let end = after.grapheme_indices(true).find(|(_, piece)| {
            used += piece.width();
            used > width
        });
        (&self.text()[start..end.map_or(self.text().len(), |(at, _)| cursor + at)], column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_edited_at_the_cursor() {
        let mut field = TextField::new("factory");
        for action in [Action::CursorStart, Action::EraseNext, Action::CursorRight] {
            assert!(field.act(action));
        }
        field.push("X\u{1b}Y");
        assert_eq!(field.text(), "aXYctory");
        assert!(!field.act(Action::Refresh));
        field.act(Action::EraseAll);
        assert_eq!(field.text(), "");
    }

    #[test]
    fn debug_output_holds_no_text() {
        assert_eq!(format!("{:?}", TextField::new("s3cr3t")), "TextField { characters: 6, .. }");
    }

    #[test]
    fn the_window_follows_the_cursor_and_halves_no_wide_character() {
        let mut field = TextField::new("abcdef");
        assert_eq!(field.window(4), ("def", 3));
        assert_eq!(field.window(10), ("abcdef", 6));
        field.act(Action::CursorStart);
        assert_eq!(field.window(4), ("abcd", 0));
        assert_eq!(TextField::new("日本語").window(6), ("本語", 4));
    }

    #[test]
    fn no_more_is_taken_than_the_bound() {
        let mut field = TextField::new(&"x".repeat(TextField::MAX + 5));
        field.push("y");
        assert_eq!(field.text().len(), TextField::MAX);
    }
}
