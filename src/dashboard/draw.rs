//! The drawing: one file per region of the screen.
//!
//! Drawing only reads. What it costs depends on the size of the screen, not on how many
//! connections or requests there are: tables are given the rows that are seen. Every text that a
//! server or a user had a hand in is neutralised before it comes here.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard;
use crate::dashboard::frame::{footer_view, header_view};
use crate::dashboard::layout::{Areas, Pane, SMALLEST};
use crate::dashboard::login::qr_view;
use crate::dashboard::screen::Screen;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::{bidi, pane};
use crate::dashboard::{
    App, command_palette, connection_form, connections, dialogs, login, request_log, theme, timeline, tour,
};

/// Draws the whole screen as it stands at `now`.
pub fn draw(frame: &mut Frame, app: &App, now: DateTime<Utc>) {
    let _ = draw_telling(frame, app, now);
}

/// The same, and tells whether [`draw_countdowns`] can bring it up to date while only countdowns run.
pub fn draw_telling(frame: &mut Frame, app: &App, now: DateTime<Utc>) -> bool {
    let area = frame.area();
    let theme = Theme::of(app.options.look);
    match dashboard::layout::areas(frame.area().as_size(), app.shape()) {
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
    let areas = dashboard::layout::areas(app.size, app.shape());
    let areas = areas.map(|areas| [Some(areas.header), Some(areas.connections), areas.timeline, areas.details]);
    areas.into_iter().flatten().flatten().collect()
}

/// Draws these alone, as [`draw`] would: while [`App::counts_down`], nothing else changes.
pub fn draw_countdowns(frame: &mut Frame, app: &App, now: DateTime<Utc>) {
    let theme = Theme::of(app.options.look);
    let Some(areas) = dashboard::layout::areas(frame.area().as_size(), app.shape()) else { return };
    header_view::draw(frame, app, &areas, theme, now);
    upper(frame, app, &areas, theme, now);
    for area in countdowns(app) {
        theme.ground(frame.buffer_mut(), area);
        if app.options.ascii {
            theme::to_ascii(frame.buffer_mut(), area);
        }
    }
}

fn screen(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    header_view::draw(frame, app, areas, theme, now);
    match &app.mode {
        Screen::Help { .. } => pane::reading(frame, app, areas.body, " Help ", theme, now),
        Screen::Request { .. } => {
            let (at, shown) = (app.requests.selected_index() + 1, app.requests.shown());
            pane::reading(frame, app, areas.body, &format!(" Request {at} of {shown} "), theme, now);
        }
        Screen::Timeline => timeline::view::full(frame, app, theme, now),
        Screen::Connection { connection, .. } => {
            pane::reading(frame, app, areas.body, &format!(" {connection} "), theme, now);
        }
        _ => main(frame, app, areas, theme, now),
    }
    match &app.mode {
        Screen::Login(dialog) if dialog.qr => qr_view::draw(frame, app, dialog, areas.footer, theme),
        Screen::Login(dialog) => login::view::draw(frame, app, dialog, theme, now),
        Screen::Form(form) => connection_form::view::draw(frame, form, areas.body, theme),
        Screen::Unlock(dialog) => dialogs::view::unlock(frame, areas.body, dialog, theme, now),
        Screen::Palette(palette) => command_palette::view::draw(frame, app, palette, theme),
        Screen::LoginFailed { .. } | Screen::Menu(_) | Screen::Confirm(_) => {
            dialogs::view::draw(frame, app, areas.body, theme);
        }
        Screen::Normal
        | Screen::Filter
        | Screen::LogFilter
        | Screen::Timeline
        | Screen::Help { .. }
        | Screen::Connection { .. }
        | Screen::Request { .. } => {}
    }
    if let Some(area) = areas.tour {
        tour::view::draw(frame, app, area, theme, now);
    }
    footer_view::draw(frame, app, areas, theme, now);
}

fn main(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    if app.connections.all().is_empty() {
        pane::lower(frame, app, areas.body, " Welcome ", true, theme, now);
        return;
    }
    upper(frame, app, areas, theme, now);
    if let Some(area) = areas.requests {
        request_log::view::draw(frame, app, area, theme, now);
    }
}

/// All of the main screen that time changes.
fn upper(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    connections::view::draw(frame, app, areas.connections, theme, now);
    if let Some(area) = areas.timeline {
        timeline::view::strip(frame, app, area, theme, now);
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
