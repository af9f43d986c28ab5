//! What the palette finds, and keys in it.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::command_palette::{Deed, Found, Palette, area, list};
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::flow::Flow;
use crate::dashboard::fuzzy::Finder;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, availability};
use crate::domain::ConnectionName;

/// The most lines listed; one more letter finds the others.
const LISTED: usize = 200;
/// How many of the latest are remembered.
const REMEMBERED: usize = 5;

/// The palette as it opens: everything, the latest first.
pub(crate) fn opened(app: &App, now: DateTime<Utc>) -> Palette {
    let field = TextField::default();
    let found = find(app, field.text(), now);
    Palette { field, found, choice: 0 }
}

/// Changes the text and finds again.
pub(crate) fn edit(app: &mut App, change: impl FnOnce(&mut TextField), now: DateTime<Utc>) {
    let Screen::Palette(palette) = app.screens.top_mut() else { return };
    change(&mut palette.field);
    let text = palette.field.text().to_owned();
    let found = find(app, &text, now);
    if let Screen::Palette(palette) = app.screens.top_mut() {
        palette.found = found;
        palette.choice = 0;
    }
}

/// Carries out an action in the palette.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let page = area(app).map_or(1, |area| usize::from(list(area).height));
    let Screen::Palette(palette) = app.screens.top_mut() else { return Flow::NOTHING };
    let last = palette.found.len().saturating_sub(1);
    match action {
        Action::Up => palette.choice = palette.choice.saturating_sub(1),
        Action::Down => palette.choice = (palette.choice + 1).min(last),
        Action::PageUp => palette.choice = palette.choice.saturating_sub(page),
        Action::PageDown => palette.choice = (palette.choice + page).min(last),
        Action::Cancel => return Flow::CLOSE,
        Action::Accept => {
            let deed = palette.found.get(palette.choice).map(|found| found.deed.clone());
            return deed.map_or(Flow::NOTHING, |deed| accept(app, deed, now));
        }
        // Moving the cursor finds the same.
        Action::CursorLeft | Action::CursorRight | Action::CursorStart | Action::CursorEnd => {
            palette.field.act(action);
        }
        action => edit(app, |field| _ = field.act(action), now),
    }
    Flow::NOTHING
}

fn accept(app: &mut App, deed: Deed, now: DateTime<Utc>) -> Flow {
    app.recent.retain(|other| *other != deed);
    app.recent.insert(0, deed.clone());
    app.recent.truncate(REMEMBERED);
    match deed {
        Deed::Act { menu, action } => Flow::Run(menu.into_iter().chain([action]).collect()),
        Deed::GoTo(name) => {
            app.go_to(&name, now);
            Flow::CLOSE
        }
    }
}

/// What a text finds. Without one, the latest, then everything in the order of the key table.
fn find(app: &App, text: &str, now: DateTime<Utc>) -> Vec<Found> {
    let finder = Finder::new(text);
    let mut search = finder.search();
    let remembered = |deed: &Deed| app.recent.iter().position(|other| other == deed).unwrap_or(REMEMBERED);
    let places = app.connections.all().iter().map(|view| Found {
        text: format!("go to {}", view.name),
        deed: Deed::GoTo(view.name.clone()),
        keys: String::new(),
        hits: Vec::new(),
    });
    let mut found: Vec<_> = actions(app, now)
        .into_iter()
        .chain(places)
        .filter_map(|found| search.text(&found.text).map(|score| (score, remembered(&found.deed), found)))
        .collect();
    found.sort_by_key(|(score, remembered, _)| (std::cmp::Reverse(*score), *remembered));
    let found = found.into_iter().take(LISTED);
    found.map(|(_, _, found)| Found { hits: search.hits(&found.text), ..found }).collect()
}

/// Every action that applies now, once.
fn actions(app: &App, now: DateTime<Utc>) -> Vec<Found> {
    let keymap = &app.options.keymap;
    let mut found: Vec<Found> = Vec::new();
    for binding in
        [Scope::Undo, Scope::Connection, Scope::Main, Scope::Always].into_iter().flat_map(|scope| keymap.of(scope))
    {
        let known = found.iter().any(|found| found.deed == Deed::Act { menu: None, action: binding.action });
        if !known && !is_left_out(binding.action) && applies(app, binding, now) {
            found.push(entry(None, binding));
        }
    }
    for opener in [Action::OpenCopyMenu, Action::OpenSortMenu] {
        let Some(opener) = keymap.bindings().iter().find(|binding| binding.action == opener) else { continue };
        if applies(app, opener, now) {
            let scope = if opener.action == Action::OpenSortMenu { Scope::SortMenu } else { Scope::CopyMenu };
            found.extend(Menu::new(scope, None).items(keymap).map(|binding| entry(Some(opener), binding)));
        }
    }
    found
}

/// Whether an action does something on the screen that the palette was opened from.
fn applies(app: &App, binding: &KeyBinding, now: DateTime<Utc>) -> bool {
    let below = app.screens.below(|screen| matches!(screen, Screen::Palette(_)));
    availability::of(app, below, binding.action, now).is_available()
}

fn entry(menu: Option<&KeyBinding>, binding: &KeyBinding) -> Found {
    let first = |binding: &KeyBinding| binding.keys.first().map(|key| key.label()).unwrap_or_default();
    let (text, keys) = match menu {
        None => (binding.help.to_string(), first(binding)),
        Some(menu) => {
            let verb = if menu.action == Action::OpenSortMenu { "sort by: " } else { "copy: " };
            (format!("{verb}{}", binding.help), format!("{} {}", first(menu), first(binding)))
        }
    };
    Found { deed: Deed::Act { menu: menu.map(|menu| menu.action), action: binding.action }, text, keys, hits: vec![] }
}

/// No one looks for these in a list that is left by one of them; what opens a menu is left out
/// because its items are listed.
fn is_left_out(action: Action) -> bool {
    use Action as A;
    matches!(action, A::Up | A::Down | A::Top | A::Bottom | A::PageUp | A::PageDown | A::NextPane | A::PreviousPane)
        || matches!(action, A::Fold | A::Unfold | A::OpenPalette | A::OpenCopyMenu | A::OpenSortMenu | A::Suspend)
}

impl App {
    /// Selects a connection and brings it into sight.
    pub(crate) fn go_to(&mut self, name: &ConnectionName, now: DateTime<Utc>) {
        if self.connections.go_to(name, now) {
            if self.connections.filter().is_empty() {
                self.filter.clear();
            }
            self.pane = Pane::Connections;
            self.scroll = 0;
        }
    }
}
