//! Menus: the keys of one scope as a list to choose from.
//!
//! A menu is its scope's bindings, so adding an item is adding a line to the key table.

use crate::dashboard::action::Action;
use crate::dashboard::keymap::{KeyBinding, Keymap, Scope};
use crate::domain::ConnectionName;

/// A menu, and which of its items is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Whose bindings it lists.
    pub scope: Scope,
    /// What it was opened on; none for menus of the whole screen.
    pub connection: Option<ConnectionName>,
    /// The marked item.
    pub choice: usize,
}

impl Menu {
    /// A menu with its first item marked.
    #[must_use]
    pub fn new(scope: Scope, connection: Option<ConnectionName>) -> Self {
        Self { scope, connection, choice: 0 }
    }

    /// What can be chosen.
    pub fn items<'a>(&self, keymap: &'a Keymap) -> impl Iterator<Item = &'a KeyBinding> + use<'a> {
        let is_item = |action: Action| !action.moves() && !matches!(action, Action::Accept | Action::Cancel);
        keymap.of(self.scope).filter(move |binding| is_item(binding.action))
    }
}
