//! The footer: the keys that apply now, fitted to the width, the most important ones kept.
//!
//! Computed here, not while drawing, so that a click on a word finds its action.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::action::Action;
use crate::dashboard::details::remedy::remedy;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, availability};
use crate::domain::Status;

/// One word of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Its first column.
    pub x: u16,
    /// The key.
    pub key: String,
    /// What it does.
    pub word: Cow<'static, str>,
    /// The same for the program.
    pub action: Action,
}

impl Hint {
    /// How many columns key and word take.
    #[must_use]
    pub fn width(&self) -> u16 {
        u16::try_from(self.key.width() + 1 + self.word.width()).unwrap_or(u16::MAX)
    }
}

/// The hints that fit into `width` columns, in the order of the table.
#[must_use]
pub fn hints(app: &App, width: u16, now: DateTime<Utc>) -> Vec<Hint> {
    let scopes = app.scopes();
    let mut bindings: Vec<(usize, &KeyBinding, Key)> = app
        .options
        .keymap
        .bindings()
        .iter()
        .filter(|binding| !binding.word.is_empty() && scopes.contains(&binding.scope))
        .filter(|binding| availability::of(app, app.screens.top(), binding.action, now).is_available())
        // A key that a more special scope has means that there, and has its word there.
        .filter(|binding| {
            let before = scopes.iter().take_while(|scope| **scope != binding.scope);
            !before
                .flat_map(|scope| app.options.keymap.of(*scope))
                .any(|other| other.keys.first() == binding.keys.first())
        })
        .filter_map(|binding| Some((binding, *binding.keys.first()?)))
        .enumerate()
        .map(|(place, (binding, key))| (place, binding, key))
        .collect();
    // What fixes the connection comes first: it is what a glance at the footer is for.
    let fixes: Vec<_> = app
        .subject()
        .and_then(|view| remedy(view, now))
        .map_or_else(Vec::new, |way| way.first.into_iter().chain(way.keys).collect());
    bindings.sort_by_key(|(_, binding, _)| {
        let helps = fixes.iter().any(|(action, _)| *action == binding.action);
        (!helps, rank(app, binding))
    });
    let mut used = 1;
    bindings.retain(|(_, binding, key)| {
        let needs = key.label().width() + 1 + word(app, binding, now).width() + 2;
        let fits = used + needs <= usize::from(width) + 2;
        if fits {
            used += needs;
        }
        fits
    });
    bindings.sort_by_key(|(place, _, _)| *place);
    let mut x = 1;
    let place = |(_, binding, key): (usize, &KeyBinding, Key)| {
        let hint = Hint { x, key: key.label(), word: word(app, binding, now), action: binding.action };
        x += hint.width() + 2;
        hint
    };
    bindings.into_iter().map(place).collect()
}

/// How important the key is here: on a group, and in the log, Enter is what one came for, and in
/// the log its own keys come before those of the connection.
fn rank(app: &App, binding: &KeyBinding) -> u8 {
    let in_log = app.screens.is_main() && app.pane == Pane::Requests;
    match (binding.scope, binding.action) {
        (Scope::Main, Action::Open) if in_log || app.connections.selected_group().is_some() => 2,
        (Scope::Connection, _) if in_log => binding.rank.saturating_add(5),
        _ => binding.rank,
    }
}

/// What the key does here, where that is not what its word in the table says.
fn word(app: &App, binding: &KeyBinding, now: DateTime<Utc>) -> Cow<'static, str> {
    let own = || binding.word.clone();
    match (binding.scope, binding.action) {
        (Scope::Main, Action::Open) if app.pane != Pane::Requests => match app.connections.selected_group() {
            Some(group) if group.folded => "unfold".into(),
            Some(_) => "fold".into(),
            None => own(),
        },
        (Scope::Main, Action::Cancel) => {
            let waits = app.subject().is_some_and(|view| matches!(view.status(now), Status::WaitingForLock { .. }));
            if waits && !app.log_is_filtered() { own() } else { "clear".into() }
        }
        (Scope::Form, Action::Accept) => match app.screens.top() {
            Screen::Form(form) => form.on_enter().word().into(),
            _ => own(),
        },
        (Scope::Connection, Action::Unlock) if app.offers_files => "encrypted files".into(),
        (Scope::Unlock, Action::Accept) if app.passphrase == Some(true) => "choose".into(),
        _ => own(),
    }
}
