//! The command palette: everything that can be done now, found by a few letters, with its keys so
//! that people learn them.
//!
//! It is made of the key table. What is chosen is carried out as if its keys had been pressed, so
//! whatever asks first asks here too. What is found is kept: it changes with the text alone.

pub mod view;

use chrono::{DateTime, Utc};
use ratatui::layout::Rect;

use crate::dashboard;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::frame::footer;
use crate::dashboard::fuzzy::Finder;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::layout::{Pane, first_row};
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, dispatch};
use crate::domain::ConnectionName;

/// The most lines listed; who wants another one types one letter more.
const LISTED: usize = 200;
/// How many of the latest are remembered.
const REMEMBERED: usize = 5;
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
    /// An action, in a menu that another action opens or by itself.
    Act {
        /// What opens the menu it is in.
        menu: Option<Action>,
        /// The action.
        action: Action,
    },
    /// To select a connection.
    GoTo(ConnectionName),
}

/// Opens it.
pub(crate) fn open(app: &mut App, now: DateTime<Utc>) {
    let field = TextField::default();
    let found = find(app, field.text(), now);
    app.mode = Screen::Palette(Palette { field, found, choice: 0 });
}

/// Finds anew after the text has changed.
pub(crate) fn typed(app: &mut App, change: impl FnOnce(&mut TextField), now: DateTime<Utc>) {
    let Screen::Palette(palette) = &mut app.mode else { return };
    change(&mut palette.field);
    let text = palette.field.text().to_owned();
    let found = find(app, &text, now);
    if let Screen::Palette(palette) = &mut app.mode {
        palette.found = found;
        palette.choice = 0;
    }
}

/// Carries out an action in the palette.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let page = area(app).map_or(1, |area| usize::from(list(area).height));
    let Screen::Palette(palette) = &mut app.mode else { return Vec::new() };
    let last = palette.found.len().saturating_sub(1);
    match action {
        Action::Up => palette.choice = palette.choice.saturating_sub(1),
        Action::Down => palette.choice = (palette.choice + 1).min(last),
        Action::PageUp => palette.choice = palette.choice.saturating_sub(page),
        Action::PageDown => palette.choice = (palette.choice + page).min(last),
        Action::Cancel => app.mode = Screen::Normal,
        Action::Accept => return accept(app, now),
        // Moving the cursor finds the same.
        Action::CursorLeft | Action::CursorRight | Action::CursorStart | Action::CursorEnd => {
            palette.field.act(action);
        }
        action => typed(
            app,
            |field| {
                field.act(action);
            },
            now,
        ),
    }
    Vec::new()
}

fn accept(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    let Screen::Palette(palette) = &app.mode else { return Vec::new() };
    let Some(deed) = palette.found.get(palette.choice).map(|found| found.deed.clone()) else { return Vec::new() };
    app.mode = Screen::Normal;
    app.recent.retain(|other| *other != deed);
    app.recent.insert(0, deed.clone());
    app.recent.truncate(REMEMBERED);
    match deed {
        Deed::Act { menu, action } => {
            menu.into_iter().chain([action]).flat_map(|action| dispatch::act(app, action, now)).collect()
        }
        Deed::GoTo(name) => {
            app.go_to(&name, now);
            Vec::new()
        }
    }
}

/// Where it stands.
#[must_use]
pub fn area(app: &App) -> Option<Rect> {
    let body = dashboard::layout::areas(app.size, app.shape())?.body;
    Some(dashboard::layout::centred(body, WIDTH.min(body.width), HEIGHT))
}

/// Where its list stands in it: below the field.
#[must_use]
pub fn list(area: Rect) -> Rect {
    let text = dashboard::layout::text(area);
    Rect { y: text.y + 1, height: text.height.saturating_sub(1), ..text }
}

impl Palette {
    /// The first line of the list that is shown in `height` lines.
    #[must_use]
    pub fn first(&self, height: usize) -> usize {
        first_row(0, self.choice, self.found.len(), height)
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
    for binding in [Scope::Connection, Scope::Main, Scope::Always].into_iter().flat_map(|scope| keymap.of(scope)) {
        let known = found.iter().any(|found| found.deed == Deed::Act { menu: None, action: binding.action });
        if !known && !is_left_out(binding.action) && footer::applies(app, binding, now) {
            found.push(entry(None, binding));
        }
    }
    for opener in [Action::OpenCopyMenu, Action::OpenSortMenu] {
        let Some(opener) = keymap.bindings().iter().find(|binding| binding.action == opener) else { continue };
        if footer::applies(app, opener, now) {
            let scope = if opener.action == Action::OpenSortMenu { Scope::SortMenu } else { Scope::CopyMenu };
            found.extend(Menu::new(scope, None).items(keymap).map(|binding| entry(Some(opener), binding)));
        }
    }
    found
}

fn entry(menu: Option<&KeyBinding>, binding: &KeyBinding) -> Found {
    let first = |binding: &KeyBinding| binding.keys.first().map(|key| key.label()).unwrap_or_default();
    let (text, keys) = match menu {
        None => (binding.help.to_owned(), first(binding)),
        Some(menu) => {
            let verb = if menu.action == Action::OpenSortMenu { "sort by: " } else { "copy: " };
            (format!("{verb}{}", binding.help), format!("{} {}", first(menu), first(binding)))
        }
    };
    Found { deed: Deed::Act { menu: menu.map(|menu| menu.action), action: binding.action }, text, keys, hits: vec![] }
}

/// Nobody looks for these in a list that is left by one of them; what opens a menu is left out
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
