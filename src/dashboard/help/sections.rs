//! What the help says: the bindings of each scope, those of the screen it was opened from first, and what the search
//! leaves of them.

use chrono::{DateTime, Utc};

use crate::dashboard::help::HelpScreen;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, availability};
use crate::domain::text::contains;

/// Keys that work in the same place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HelpSection {
    /// Where they work.
    pub title: &'static str,
    /// Whether that is the screen below.
    pub is_here: bool,
    /// The keys.
    pub entries: Vec<HelpEntry>,
}

/// Some keys, and what they do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HelpEntry {
    /// The keys, as they are written.
    pub label: String,
    /// What they do.
    pub text: String,
    /// Whether that is nothing now.
    pub is_idle: bool,
}

const MOUSE: [(&str, &str); 5] = [
    ("click", "selects a row or a pane; on a key's word in the footer or a dialog, presses it"),
    ("", "on a heading, sorts by that column; on a count in the first line, shows only those"),
    ("", "beside a menu, closes it"),
    ("double click", "shows details; on a group, folds it"),
    ("wheel", "moves in the pane, menu or list under the pointer"),
];

/// All sections that the search leaves something of.
pub(crate) fn of(app: &App, help: &HelpScreen, now: DateTime<Utc>) -> Vec<HelpSection> {
    let below = app.screens.below(|screen| matches!(screen, Screen::Help(_) | Screen::Palette(_)));
    let here = scopes_here(app, below);
    let elsewhere = Scope::ALL.into_iter().filter(|scope| !here.contains(scope));
    let elsewhere = elsewhere.filter(|scope| app.options.demo || !scope.is_demo());
    let search = HelpSearch::new(help.search.text());
    let mut sections: Vec<_> = here
        .iter()
        .map(|scope| section(app, *scope, Some(below), &search, now))
        .chain(elsewhere.map(|scope| section(app, scope, None, &search, now)))
        .collect();
    let entry = |(label, text): (&str, &str)| HelpEntry { label: label.into(), text: text.into(), is_idle: false };
    let mouse = MOUSE.into_iter().filter(|(label, text)| search.finds(&[label, text, "Mouse"], &[])).map(entry);
    sections.push(HelpSection { title: "Mouse", is_here: false, entries: mouse.collect() });
    let keymap = &app.options.keymap;
    if search.is_empty() && keymap.bindings().iter().any(|binding| keymap.is_rebound(binding)) {
        let entries = vec![entry(("*", "set in the configuration"))];
        sections.push(HelpSection { title: "Your own keys", is_here: false, entries });
    }
    sections.retain(|section| !section.entries.is_empty());
    sections
}

/// The scopes of the screen below. On the main screen what can be done with a connection comes before how to move.
fn scopes_here(app: &App, below: &Screen) -> Vec<Scope> {
    let mut scopes = app.scopes_of(below);
    let place = |wanted| scopes.iter().position(|scope| *scope == wanted);
    if let (Some(main), Some(connection)) = (place(Scope::Main), place(Scope::Connection)) {
        scopes.swap(main, connection);
    }
    scopes
}

/// The keys of a scope; those that do nothing on the screen below are idle.
fn section(app: &App, scope: Scope, below: Option<&Screen>, search: &HelpSearch, now: DateTime<Utc>) -> HelpSection {
    let keymap = &app.options.keymap;
    let is_idle = |binding: &KeyBinding| {
        below.is_some_and(|below| !availability::of(app, below, binding.action, now).is_available())
    };
    let entries = keymap.of(scope).filter(|binding| {
        let keys: Vec<String> = binding.keys.iter().map(|key| key.label()).collect();
        search.finds(&[&*binding.help, scope.title(), binding.action.id()], &keys)
    });
    let entries = entries.map(|binding| {
        let mark = if keymap.is_rebound(binding) { " *" } else { "" };
        let label = format!("{}{mark}", binding.labels());
        HelpEntry { label, text: binding.help.to_string(), is_idle: is_idle(binding) }
    });
    HelpSection { title: scope.title(), is_here: below.is_some(), entries: entries.collect() }
}

/// What is searched for.
struct HelpSearch<'a>(&'a str);

impl<'a> HelpSearch<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.trim())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every word occurs in one of the texts or keys. A single character is a key.
    fn finds(&self, texts: &[&str], keys: &[String]) -> bool {
        if self.0.chars().count() == 1 {
            return keys.iter().any(|key| key == self.0);
        }
        let mut words = self.0.split_whitespace();
        words.all(|word| texts.iter().any(|text| contains(text, word)) || keys.iter().any(|key| contains(key, word)))
    }
}
