//! Keys of the request log and of a request's details.

use chrono::{DateTime, Utc};

use super::keymap::Scope;
use super::layout::Pane;
use super::menu::Menu;
use super::mode::Mode;
use super::{Action, App, Effect, Field, Format, LogAsk, LogFilter, LogNews, LogRow, layout};
use crate::domain::Severity;

/// Carries out an action in the log pane, or one chosen in its menu.
pub(super) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match action {
        Action::FilterLog => app.mode = Mode::LogFilter,
        Action::ErrorsOnly => app.requests.set_filter(LogFilter::toggle_errors),
        Action::OnlySelected => toggle_only(app),
        Action::CopyRequest => return copy(app),
        Action::OpenExportMenu => open_export_menu(app),
        Action::Export(format) => return export(app, format, now),
        _ => {}
    }
    Vec::new()
}

/// Carries out an action in a request's details.
pub(super) fn on_request(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::PreviousRequest => turn(app, -1),
        Action::NextRequest => turn(app, 1),
        Action::CopyRequest => return copy(app),
        Action::OpenExportMenu => open_export_menu(app),
        _ => {}
    }
    Vec::new()
}

/// Carries out an action while the filter is typed.
pub(super) fn in_filter(app: &mut App, action: Action) {
    match action {
        Action::Accept => app.mode = Mode::Normal,
        Action::Cancel => {
            app.mode = Mode::Normal;
            app.requests.set_filter(|filter| filter.edit(Field::clear));
        }
        Action::Up => app.requests.step(-1),
        Action::Down => app.requests.step(1),
        action => app.requests.set_filter(|filter| {
            filter.edit(|field| {
                field.act(action);
            });
        }),
    }
}

/// Whether `Esc` would clear the log's filter: where the log has the keyboard, and is filtered.
pub(super) fn is_filtered(app: &App) -> bool {
    app.pane == Pane::Requests && app.requests.filter().is_active()
}

/// Clears the log's filter, both switches included; false where there is nothing to clear here.
pub(super) fn clear(app: &mut App) -> bool {
    let filtered = is_filtered(app);
    if filtered {
        app.requests.set_filter(|filter| *filter = LogFilter::default());
    }
    filtered
}

/// A log of one connection goes along when another is selected.
pub(super) fn follow_selection(app: &mut App) {
    let (Some(only), Some(selected)) = (app.requests.filter().only(), app.connections.selected()) else { return };
    if *only != selected.name {
        let name = selected.name.clone();
        app.requests.set_filter(|filter| filter.set_only(Some(name)));
    }
}

/// The details of the selected request. It stays selected while it is read.
pub(super) fn details(app: &mut App) -> Option<Mode> {
    app.requests.hold_selected();
    app.requests.selected().map(|row| Mode::Request { entry: Box::new(row.entry()), scroll: 0 })
}

/// Closes the details: the newest request is followed again if that was the one read.
pub(super) fn close(app: &mut App) {
    if matches!(app.mode, Mode::Request { .. }) {
        app.requests.select(app.requests.selected_index());
    }
}

/// Turns over to another request.
fn turn(app: &mut App, by: isize) {
    app.requests.step(by);
    match details(app) {
        Some(mode) => app.mode = mode,
        // It is being read, and so is the next time the key is pressed.
        None => app.requests.step(-by),
    }
}

/// Takes in what was read of the log on disk.
pub(super) fn hear(app: &mut App, news: LogNews, now: DateTime<Utc>) {
    if let Some(text) = app.requests.hear(news) {
        app.say(None, Severity::Warning, text, now);
    }
}

/// What is to be read of the log on disk next, if anything.
pub(super) fn look_further(app: &mut App) -> Option<LogAsk> {
    if !app.requests.has_history() {
        return None;
    }
    let area = layout::areas(app.size, app.shape()).and_then(|areas| areas.requests);
    app.requests.look_further(area.map_or(1, |area| usize::from(layout::rows(area).height)))
}

fn toggle_only(app: &mut App) {
    let only = match app.requests.filter().only() {
        Some(_) => None,
        None => app.connections.selected().map(|view| view.name.clone()),
    };
    app.requests.set_filter(|filter| filter.set_only(only));
}

fn copy(app: &App) -> Vec<Effect> {
    let entry = match &app.mode {
        Mode::Request { entry, .. } => Some(entry.clone()),
        _ => app.requests.selected().map(|row| Box::new(row.entry())),
    };
    entry.map(Effect::CopyRequest).into_iter().collect()
}

fn open_export_menu(app: &mut App) {
    if app.requests.shown() > 0 {
        close(app);
        app.mode = Mode::Menu(Menu::new(Scope::ExportMenu, None));
    }
}

fn export(app: &mut App, format: Format, now: DateTime<Utc>) -> Vec<Effect> {
    let entries = app.requests.window(0, usize::MAX).rev().map(LogRow::entry).collect();
    if app.requests.shown() == 0 {
        app.say(None, Severity::Warning, "no request is shown, so there is none to write", now);
        return Vec::new();
    }
    vec![Effect::Export { format, entries, older: app.requests.rest() }]
}
