//! The drawing: one file per region of the screen.
//!
//! Drawing only reads. What it costs depends on the size of the screen, not on how many
//! connections or requests there are: tables are given the rows that are seen. Every text that a
//! server or a user had a hand in is neutralised before it comes here.

mod bidi;
mod border;
mod connections;
mod cut;
mod dialogs;
mod field;
mod footer;
mod form;
mod header;
mod ink;
mod latency;
mod line;
mod login;
mod palette;
mod pane;
mod qr;
mod requests;
mod table;
pub(crate) mod theme;
mod timeline;
mod tour;

#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod state_snapshots;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod watching_snapshots;

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::widgets::{Clear, Paragraph};

pub use theme::Theme;

use crate::app::layout::{self, Areas, Pane, SMALLEST};
use crate::app::{App, Mode};

/// Draws the whole screen as it stands at `now`.
pub fn draw(frame: &mut Frame, app: &App, now: DateTime<Utc>) {
    let _ = draw_telling(frame, app, now);
}

/// The same, and tells whether [`draw_countdowns`] can bring it up to date while only countdowns run.
pub fn draw_telling(frame: &mut Frame, app: &App, now: DateTime<Utc>) -> bool {
    let area = frame.area();
    let theme = Theme::of(app.options.look);
    match layout::areas(frame.area().as_size(), app.shape()) {
        None => too_small(frame),
        Some(areas) => screen(frame, app, &areas, theme, now),
    }
    theme.ground(frame.buffer_mut(), area);
    if app.options.ascii {
        theme::to_ascii(frame.buffer_mut(), area);
    }
    // What is done for text from right to left is done to a whole row.
    app.options.ascii || !bidi::contain(frame.buffer_mut())
}

/// Where the main screen has countdowns and clocks. What depends on time but changes with a minute,
/// or with a status, is not among it.
#[must_use]
pub fn countdowns(app: &App) -> Vec<Rect> {
    let areas = layout::areas(app.size, app.shape());
    let areas = areas.map(|areas| [Some(areas.header), Some(areas.connections), areas.timeline, areas.details]);
    areas.into_iter().flatten().flatten().collect()
}

/// Draws these alone, as [`draw`] would: while [`App::counts_down`], nothing else changes.
pub fn draw_countdowns(frame: &mut Frame, app: &App, now: DateTime<Utc>) {
    let theme = Theme::of(app.options.look);
    let Some(areas) = layout::areas(frame.area().as_size(), app.shape()) else { return };
    header::draw(frame, app, &areas, theme, now);
    upper(frame, app, &areas, theme, now);
    for area in countdowns(app) {
        theme.ground(frame.buffer_mut(), area);
        if app.options.ascii {
            theme::to_ascii(frame.buffer_mut(), area);
        }
    }
}

fn screen(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    header::draw(frame, app, areas, theme, now);
    match &app.mode {
        Mode::Help { .. } => pane::reading(frame, app, areas.body, " Help ", theme, now),
        Mode::Request { .. } => {
            let (at, shown) = (app.requests.selected_index() + 1, app.requests.shown());
            pane::reading(frame, app, areas.body, &format!(" Request {at} of {shown} "), theme, now);
        }
        Mode::Timeline => timeline::full(frame, app, theme, now),
        Mode::Connection { connection, .. } => {
            pane::reading(frame, app, areas.body, &format!(" {connection} "), theme, now);
        }
        _ => main(frame, app, areas, theme, now),
    }
    match &app.mode {
        Mode::Login(dialog) if dialog.qr => qr::draw(frame, app, dialog, areas.footer, theme),
        Mode::Login(dialog) => login::draw(frame, app, dialog, theme, now),
        Mode::Form(form) => form::draw(frame, form, areas.body, theme),
        Mode::Unlock(dialog) => dialogs::unlock(frame, areas.body, dialog, theme, now),
        Mode::Palette(palette) => palette::draw(frame, app, palette, theme),
        Mode::LoginFailed { .. } | Mode::Menu(_) | Mode::Confirm(_) => {
            dialogs::draw(frame, app, areas.body, theme);
        }
        Mode::Normal
        | Mode::Filter
        | Mode::LogFilter
        | Mode::Timeline
        | Mode::Help { .. }
        | Mode::Connection { .. }
        | Mode::Request { .. } => {}
    }
    if let Some(area) = areas.tour {
        tour::draw(frame, app, area, theme, now);
    }
    footer::draw(frame, app, areas, theme, now);
}

fn main(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    if app.connections.all().is_empty() {
        pane::lower(frame, app, areas.body, " Welcome ", true, theme, now);
        return;
    }
    upper(frame, app, areas, theme, now);
    if let Some(area) = areas.requests {
        requests::draw(frame, app, area, theme, now);
    }
}

/// All of the main screen that time changes.
fn upper(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    connections::draw(frame, app, areas.connections, theme, now);
    if let Some(area) = areas.timeline {
        timeline::strip(frame, app, area, theme, now);
    }
    if let Some(area) = areas.details {
        let group = app.connections.selected_group().and_then(|group| group.provider);
        let name = group.map_or("Details", |provider| provider.title);
        let name = app.connections.selected().map_or(name, |view| view.name.as_str());
        pane::lower(frame, app, area, &format!(" {name} "), app.pane == Pane::Details, theme, now);
    }
}

fn too_small(frame: &mut Frame) {
    let area = frame.area();
    let text = format!("manutop needs {}x{}\nthis is {}x{}", SMALLEST.width, SMALLEST.height, area.width, area.height);
    let middle = Rect { y: area.y + area.height.saturating_sub(2) / 2, height: area.height.min(2), ..area };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).alignment(Alignment::Center), middle);
}
