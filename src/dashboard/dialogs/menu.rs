//! Menus: the keys of one scope as a list to choose from.
//!
//! A menu is its scope's bindings, so adding an item is adding a line to the key table.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::effect::Effect;
use crate::dashboard::keymap::{KeyBinding, Keymap, Scope};
use crate::dashboard::screen::{Question, Screen};
use crate::dashboard::tour::fault;
use crate::dashboard::{App, dispatch};
use crate::domain::{ConnectionName, CopyWhat};

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
    pub fn items<'a>(&self, keymap: &'a Keymap) -> impl Iterator<Item = &'a KeyBinding> {
        let moves = |action| matches!(action, Action::Up | Action::Down | Action::Accept | Action::Cancel);
        keymap.of(self.scope).filter(move |binding| !moves(binding.action))
    }
}

/// Carries out an action in the open menu.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let Screen::Menu(menu) = &mut app.mode else { return Vec::new() };
    let keymap = &app.options.keymap;
    match action {
        Action::Up => menu.choice = menu.choice.saturating_sub(1),
        Action::Down => menu.choice = (menu.choice + 1).min(menu.items(keymap).count().saturating_sub(1)),
        Action::Accept => {
            let chosen = menu.items(keymap).nth(menu.choice).map(|binding| binding.action);
            return chosen.map_or_else(Vec::new, |action| choose(app, action, now));
        }
        Action::Cancel => app.mode = Screen::Normal,
        chosen => return choose(app, chosen, now),
    }
    Vec::new()
}

fn choose(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let Screen::Menu(Menu { connection, .. }) = std::mem::replace(&mut app.mode, Screen::Normal) else {
        return Vec::new();
    };
    match (action, connection) {
        (Action::Copy(what), Some(connection)) => copy(app, connection, what),
        (Action::Fault(kind), Some(connection)) => fault::play(app, connection, kind, now),
        (Action::CopyNames, Some(connection)) if app.connections.marks().0 == 0 => {
            vec![Effect::CopyNames(vec![connection])]
        }
        (action, _) => dispatch::act(app, action, now),
    }
}

/// The refresh token is worth two years of access, so copying it asks first.
fn copy(app: &mut App, connection: ConnectionName, what: CopyWhat) -> Vec<Effect> {
    if what == CopyWhat::RefreshToken {
        app.mode = Screen::Confirm(Question::CopyRefreshToken(connection));
        return Vec::new();
    }
    vec![Effect::Copy { connection, what }]
}
