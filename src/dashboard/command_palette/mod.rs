//! The command palette: everything that can be done now, found by a few letters, with its keys so
//! that people learn them.
//!
//! It is made of the key table. What is chosen is carried out as if its keys had been pressed, so
//! whatever asks first asks here too. What is found is kept: it changes with the text alone.

pub mod update;
pub mod view;

use ratatui::layout::Rect;

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::layout::{self, first_row};
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::ConnectionName;

/// The greatest size of the window.
const WIDTH: u16 = 84;
const HEIGHT: u16 = 18;

/// The palette while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// What is typed.
    pub field: TextField,
    /// What it finds, the best first.
    pub found: Vec<Found>,
    /// Which of that is chosen.
    pub choice: usize,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it does.
    pub deed: Deed,
    /// The same in words.
    pub text: String,
    /// The keys that do it without the palette.
    pub keys: String,
    /// The characters of the text that matched, by their numbers, ascending.
    pub hits: Vec<usize>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// An action, in a menu that another action opens or on its own.
    Act {
        /// What opens the menu it is in.
        menu: Option<Action>,
        /// The action.
        action: Action,
    },
    /// To select a connection.
    GoTo(ConnectionName),
}

impl Deed {
    /// Whether it runs a command of the configuration.
    #[must_use]
    pub fn runs_a_command(&self) -> bool {
        matches!(self, Self::Act { action: Action::RunCommand(_), .. })
    }
}

/// Where it stands.
#[must_use]
pub fn area(app: &App) -> Option<Rect> {
    let body = layout::areas(app.size, app.shape())?.body;
    Some(layout::centred(body, WIDTH.min(body.width), HEIGHT))
}

/// Where its list is in it: below the field.
#[must_use]
pub fn list(area: Rect) -> Rect {
    let text = layout::text(area);
    Rect { y: text.y + 1, height: text.height.saturating_sub(1), ..text }
}

impl Palette {
    /// The first line of the list that is shown in `height` lines.
    #[must_use]
    pub fn first(&self, height: usize) -> usize {
        first_row(0, self.choice, self.found.len(), height)
    }
}
