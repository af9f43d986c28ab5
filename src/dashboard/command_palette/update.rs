//! Keys on the command line, and what it carries out.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::availability::{self, Availability};
use crate::dashboard::command_palette::find::{availability, below, find, words, works_below};
use crate::dashboard::command_palette::{Found, Palette, PaletteCommand, area, list};
use crate::dashboard::connections;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{ConnectionName, Severity, ThemeName};

/// How many lines are remembered.
const HISTORY: usize = 50;

/// The command line as it opens: everything, the latest first.
pub(crate) fn opened(app: &App, now: DateTime<Utc>) -> Palette {
    Palette { found: find(app, "", now).0, ..Palette::default() }
}

/// Changes the text and finds again.
pub(crate) fn edit(app: &mut App, change: impl FnOnce(&mut TextField), now: DateTime<Utc>) {
    let Screen::Palette(palette) = app.screens.top_mut() else { return };
    let mut field = palette.field.clone();
    change(&mut field);
    show(app, field, 0, now);
}

/// Shows a line and what it finds.
fn show(app: &mut App, field: TextField, recalled: usize, now: DateTime<Utc>) {
    let (found, fault) = find(app, field.text(), now);
    if let Screen::Palette(palette) = app.screens.top_mut() {
        *palette = Palette { field, found, fault, choice: 0, recalled };
    }
}

/// Carries out an action on the command line.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let Screen::Palette(palette) = app.screens.top_mut() else { return Flow::NOTHING };
    let is_first = palette.choice == 0;
    match action {
        Action::Up if is_first => recall(app, 1, now),
        Action::Down if is_first && palette.recalled > 0 => recall(app, -1, now),
        action if action.moves() => travel(app, action),
        Action::Cancel => return Flow::CLOSE,
        Action::Accept => {
            let found = palette.found.get(palette.choice).cloned();
            return found.map_or(Flow::NOTHING, |found| accept(app, found, now));
        }
        Action::Complete => {
            let found = palette.found.get(palette.choice).cloned();
            if let Some(found) = found.filter(|found| !matches!(found.does, PaletteCommand::Filter(_))) {
                complete(app, &found, now);
            }
        }
        // Moving the cursor finds the same.
        Action::CursorLeft | Action::CursorRight | Action::CursorStart | Action::CursorEnd => {
            palette.field.act(action);
        }
        action => edit(app, |field| _ = field.act(action), now),
    }
    Flow::NOTHING
}

/// Moves in the list.
pub(crate) fn travel(app: &mut App, action: Action) {
    let page = area(app).map_or(1, |area| usize::from(list(area).height));
    let Screen::Palette(palette) = app.screens.top_mut() else { return };
    let choice = palette.choice.saturating_add_signed(action.distance(page));
    palette.choice = choice.min(palette.found.len().saturating_sub(1));
}

/// Shows an older line of the history, or a newer one; before the newest, an empty one.
fn recall(app: &mut App, by: isize, now: DateTime<Utc>) {
    let Screen::Palette(palette) = app.screens.top() else { return };
    let at = palette.recalled.saturating_add_signed(by).min(app.recent.len());
    if at != palette.recalled {
        let line = at.checked_sub(1).and_then(|at| app.recent.get(at)).cloned();
        show(app, line.unwrap_or_default(), at, now);
    }
}

/// Puts the whole command into the field, and a blank where something may follow.
fn complete(app: &mut App, found: &Found, now: DateTime<Utc>) {
    let blank = if found.placeholder.is_empty() { "" } else { " " };
    show(app, TextField::new(&format!("{}{blank}", found.line)), 0, now);
}

fn accept(app: &mut App, found: Found, now: DateTime<Utc>) -> Flow {
    let Screen::Palette(palette) = app.screens.top() else { return Flow::NOTHING };
    let typed = palette.field.clone();
    let argument = words(typed.text()).to_owned();
    if found.does == PaletteCommand::TypeArgument {
        complete(app, &found, now);
        return Flow::NOTHING;
    }
    // Words as they were typed, everything else in full.
    let is_words = matches!(found.does, PaletteCommand::Filter(_));
    remember(app, if is_words { typed } else { TextField::new(&found.line) });
    match found.does {
        PaletteCommand::Act { menu, action } => run(app, menu, action, &found.line, now),
        PaletteCommand::With { connection, action } => run_with(app, connection, action, now),
        PaletteCommand::GoTo(name) => {
            app.go_to(&name, now);
            if *below(app) == Screen::Timeline { Flow::CLOSE } else { to_the_main_screen() }
        }
        PaletteCommand::Theme(theme) => {
            choose_theme(app, theme, now);
            Flow::CLOSE
        }
        PaletteCommand::Log => {
            app.pane = Pane::Requests;
            to_the_main_screen()
        }
        PaletteCommand::Filter(pane) => {
            app.pane = pane;
            match pane {
                Pane::Requests => app.requests.edit_filter(|field| *field = TextField::new(&argument)),
                Pane::Connections | Pane::Details => app.set_filter(TextField::new(&argument), now),
            }
            to_the_main_screen()
        }
        PaletteCommand::TypeArgument => Flow::NOTHING,
    }
}

fn remember(app: &mut App, line: TextField) {
    app.recent.retain(|other| other.text() != line.text());
    app.recent.insert(0, line);
    app.recent.truncate(HISTORY);
}

fn to_the_main_screen() -> Flow {
    Flow::Restart(Vec::new(), Vec::new())
}

/// Carries out an action on the screen below, or on the main screen if that one does not know it.
fn run(app: &mut App, menu: Option<Action>, action: Action, line: &str, now: DateTime<Utc>) -> Flow {
    let first = menu.unwrap_or(action);
    if availability(app, first, now) == Availability::Nothing {
        app.say(None, Severity::Warning, format!("{line} does nothing now"), now);
        return Flow::CLOSE;
    }
    let actions = menu.into_iter().chain([action]).collect();
    if works_below(app, first) {
        return Flow::Run(actions);
    }
    if app.options.keymap.of(Scope::Log).any(|binding| binding.action == first) {
        app.pane = Pane::Requests;
    }
    Flow::Restart(Vec::new(), actions)
}

fn run_with(app: &mut App, connection: ConnectionName, action: Action, now: DateTime<Utc>) -> Flow {
    let Some(view) = app.connections.get(&connection) else { return Flow::CLOSE };
    if let Availability::Refused(severity, why) = availability::with(app, view, action) {
        app.say(Some(&connection), severity, why, now);
        return Flow::CLOSE;
    }
    connections::actions::with(app, connection, action, now).in_place()
}

fn choose_theme(app: &mut App, theme: ThemeName, now: DateTime<Utc>) {
    app.options.appearance.theme = theme;
    let words = app.options.appearance.words();
    let text = format!("{words}; to keep it, set theme = \"{}\"", theme.word());
    app.say(None, Severity::Quiet, text, now);
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
