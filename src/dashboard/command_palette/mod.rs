//! The command line: every command by its name, an alias or a few letters, with its argument and its key, so that people
//! learn the keys.
//!
//! The commands are made of the key table. What is chosen is carried out as if its keys had been pressed, so whatever
//! asks first asks here too. Invariants: an exact name or alias comes before everything that is only similar; what is
//! found is kept and changes with the text alone; what was typed is in text fields and nowhere else.

pub mod commands;
pub mod find;
pub mod names;
pub mod update;
pub mod view;

use ratatui::layout::Rect;

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::layout::{self, Pane, first_row};
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{ConnectionName, ThemeName};

/// The greatest size of the window.
const WIDTH: u16 = 84;
const HEIGHT: u16 = 18;

/// The command line while it is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// What is typed.
    pub field: TextField,
    /// What it finds, the best first.
    pub found: Vec<Found>,
    /// Why that is nothing.
    pub fault: String,
    /// Which of that is chosen.
    pub choice: usize,
    /// How far back in the history the typed line is, from 1; 0 for a new one.
    pub recalled: usize,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it does.
    pub does: PaletteCommand,
    /// The command as it would be typed in full.
    pub line: String,
    /// Where in that begins what is shown: behind the command while its argument is typed.
    pub shown_from: usize,
    /// What may follow.
    pub placeholder: &'static str,
    /// What it does, in a few words.
    pub text: String,
    /// The keys that do it without the command line.
    pub keys: String,
    /// The characters of the shown name that matched, by their numbers, ascending.
    pub hits: Vec<usize>,
    /// Whether it does nothing now.
    pub is_idle: bool,
}

impl Found {
    /// What is shown of the command.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.line[self.shown_from..]
    }
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaletteCommand {
    /// An action, in a menu that another action opens or on its own.
    Act {
        /// What opens the menu it is in.
        menu: Option<Action>,
        /// The action.
        action: Action,
    },
    /// An action with this connection, whichever is selected or marked.
    With {
        /// The connection.
        connection: ConnectionName,
        /// The action.
        action: Action,
    },
    /// To select a connection.
    GoTo(ConnectionName),
    /// To change the theme.
    Theme(ThemeName),
    /// To show the request log.
    Log,
    /// To filter what is in this pane by the words behind the command.
    Filter(Pane),
    /// To type its argument first.
    TypeArgument,
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
