//! The help screen: every key, made of the key table, in as many columns as fit, those that work now first.

pub mod columns;
pub mod sections;
pub mod update;
pub mod view;
pub mod welcome;

use crate::dashboard::widgets::text_field::TextField;

/// The help while it is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelpScreen {
    /// The first line shown.
    pub scroll: usize,
    /// What is searched for; everything is shown while it is empty.
    pub search: TextField,
    /// Whether that is being typed.
    pub typing: bool,
}

impl HelpScreen {
    /// Adds typed text to the search, where it is being typed.
    pub fn type_text(&mut self, text: &str) {
        if self.typing {
            self.search.push(text);
            self.scroll = 0;
        }
    }
}
