//! Actions of the request log and of a request's details.

use chrono::{DateTime, Utc};

use crate::dashboard;
use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::Severity;
use crate::request_log::export::Format;
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogQuery};

/// Carries out an action in the log pane, or one chosen in its menu.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match action {
        Action::FilterLog => app.mode = Screen::LogFilter,
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
pub(crate) fn on_request(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::PreviousRequest => turn(app, -1),
        Action::NextRequest => turn(app, 1),
        Action::CopyRequest => return copy(app),
        Action::OpenExportMenu => open_export_menu(app),
        _ => {}
    }
    Vec::new()
}

/// Carries out an action while the filter is being typed.
pub(crate) fn in_filter(app: &mut App, action: Action) {
    match action {
        Action::Accept => app.mode = Screen::Normal,
        Action::Cancel => {
            app.mode = Screen::Normal;
            app.requests.edit_filter(TextField::clear);
        }
        Action::Up => app.requests.step(-1),
        Action::Down => app.requests.step(1),
        action => app.requests.edit_filter(|field| {
            field.act(action);
        }),
    }
}

/// Whether `Esc` would clear the log's filter: the log has the focus and is filtered.
pub(crate) fn is_filtered(app: &App) -> bool {
    app.pane == Pane::Requests && app.requests.filter().is_active()
}

/// Clears the log's filter, including both switches. False if there is nothing to clear.
pub(crate) fn clear(app: &mut App) -> bool {
    let filtered = is_filtered(app);
    if filtered {
        app.requests.clear_filter();
    }
    filtered
}

/// A log restricted to one connection follows the selection.
pub(crate) fn follow_selection(app: &mut App) {
    let (Some(only), Some(selected)) = (app.requests.filter().only(), app.connections.selected()) else { return };
    if *only != selected.name {
        let name = selected.name.clone();
        app.requests.set_filter(|filter| filter.set_only(Some(name)));
    }
}

/// The details of the selected request, which stays selected while they are open.
pub(crate) fn details(app: &mut App) -> Option<Screen> {
    app.requests.hold_selected();
    app.requests.selected().map(|entry| Screen::Request { entry: Box::new(entry.clone()), scroll: 0 })
}

/// Closes the details. If they showed the newest request, it is followed again.
pub(crate) fn close(app: &mut App) {
    if matches!(app.mode, Screen::Request { .. }) {
        app.requests.select(app.requests.selected_index());
    }
}

/// Shows the details of a neighbouring request.
fn turn(app: &mut App, by: isize) {
    app.requests.step(by);
    match details(app) {
        Some(mode) => app.mode = mode,
        // It has not been read from the disk yet; pressing the key again shows it.
        None => app.requests.step(-by),
    }
}

/// Takes in an answer about the log on disk.
pub(crate) fn hear(app: &mut App, news: LogAnswer, now: DateTime<Utc>) {
    if let Some(text) = app.requests.hear(news) {
        app.say(None, Severity::Warning, text, now);
    }
}

/// The next query to the log on disk, if one is needed.
pub(crate) fn look_further(app: &mut App) -> Option<LogQuery> {
    if !app.requests.has_history() {
        return None;
    }
    let area = dashboard::layout::areas(app.size, app.shape()).and_then(|areas| areas.requests);
    app.requests.look_further(area.map_or(1, |area| usize::from(dashboard::layout::rows(area).height)))
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
        Screen::Request { entry, .. } => Some(entry.clone()),
        _ => app.requests.selected().map(|entry| Box::new(entry.clone())),
    };
    entry.map(Effect::CopyRequest).into_iter().collect()
}

fn open_export_menu(app: &mut App) {
    if app.requests.shown() > 0 {
        close(app);
        app.mode = Screen::Menu(Menu::new(Scope::ExportMenu, None));
    }
}

fn export(app: &mut App, format: Format, now: DateTime<Utc>) -> Vec<Effect> {
    let entries = app.requests.window(0, usize::MAX).rev().cloned().collect();
    if app.requests.shown() == 0 {
        app.say(None, Severity::Warning, "there is no request to export", now);
        return Vec::new();
    }
    vec![Effect::Export { format, entries, older: app.requests.rest() }]
}
