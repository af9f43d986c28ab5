//! Actions of the request log and of a request's details.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, layout, reading};
use crate::domain::{LogEntry, Severity};
use crate::request_log::export::Format;
use crate::request_log::filter::LogFilter;
use crate::request_log::query::{LogAnswer, LogQuery};

/// Carries out an action in the log pane, or one chosen in its menu.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        Action::FilterLog => return Flow::Open(Screen::LogFilter),
        Action::ErrorsOnly => app.requests.set_filter(LogFilter::toggle_errors),
        Action::OnlySelected => toggle_only(app),
        Action::CopyRequest => return copy(app.requests.selected().map(|entry| Box::new(entry.clone()))),
        Action::OpenExportMenu => return export_menu(),
        Action::Export(format) => return export(app, format, now),
        _ => {}
    }
    Flow::NOTHING
}

/// Carries out an action in a request's details.
pub(crate) fn on_request(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        Action::PreviousRequest => turn(app, -1),
        Action::NextRequest => turn(app, 1),
        Action::CopyRequest => match app.screens.top() {
            Screen::Request { entry, .. } => copy(Some(entry.clone())),
            _ => Flow::NOTHING,
        },
        Action::OpenExportMenu => export_menu(),
        Action::Export(format) => export(app, format, now),
        Action::Cancel => {
            // The newest request is followed again if that was the one read.
            app.requests.select(app.requests.selected_index());
            Flow::CLOSE
        }
        _ => reading::act(app, action),
    }
}

/// Carries out an action while the filter is typed.
pub(crate) fn in_filter(app: &mut App, action: Action) -> Flow {
    match action {
        Action::Accept => return Flow::CLOSE,
        Action::Cancel => {
            app.requests.edit_filter(TextField::clear);
            return Flow::CLOSE;
        }
        Action::Up => app.requests.step(-1),
        Action::Down => app.requests.step(1),
        action => app.requests.edit_filter(|field| {
            field.act(action);
        }),
    }
    Flow::NOTHING
}

/// Adds text to the filter.
pub(crate) fn type_text(app: &mut App, text: &str) {
    app.requests.edit_filter(|field| field.push(text));
}

/// Clears the log's filter, including both switches. False if there is nothing to clear.
pub(crate) fn clear(app: &mut App) -> bool {
    let filtered = app.log_is_filtered();
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

/// Turns to another request.
fn turn(app: &mut App, by: isize) -> Flow {
    app.requests.step(by);
    if let Some(next) = details(app) {
        return Flow::Replace(next);
    }
    // It is being read, and so is the next time the key is pressed.
    app.requests.step(-by);
    Flow::NOTHING
}

/// Takes in an answer about the log on disk.
pub(crate) fn take_answer(app: &mut App, news: LogAnswer, now: DateTime<Utc>) {
    if let Some(text) = app.requests.take_answer(news) {
        app.say(None, Severity::Warning, text, now);
    }
}

/// The next query to the log on disk, if one is needed.
pub(crate) fn look_further(app: &mut App) -> Option<LogQuery> {
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

fn copy(entry: Option<Box<LogEntry>>) -> Flow {
    Flow::Done(entry.map(Effect::CopyRequest).into_iter().collect())
}

fn export_menu() -> Flow {
    Flow::Open(Screen::Menu(Menu::new(Scope::ExportMenu, None)))
}

fn export(app: &mut App, format: Format, now: DateTime<Utc>) -> Flow {
    let entries = app.requests.window(0, usize::MAX).rev().cloned().collect();
    if app.requests.shown() == 0 {
        app.say(None, Severity::Warning, "no request is shown, so there is none to write", now);
        return Flow::NOTHING;
    }
    Flow::effect(Effect::Export { format, entries, older: app.requests.rest() })
}
