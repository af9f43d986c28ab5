//! The drawing: from the lowest screen that is seen to the one on top.
//!
//! Drawing only reads. What it costs depends on the size of the screen, not on how many
//! connections or requests there are: tables are given the rows that are seen. Every text that a
//! server or a user had a hand in is neutralised before it comes here.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard::frame::{footer_view, header_view};
use crate::dashboard::layout::{Areas, SMALLEST};
use crate::dashboard::screen::Screen;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::{bidi, pane};
use crate::dashboard::{
    App, command_palette, connection_form, dialogs, help, layout, login, main_screen, theme, timeline, tour, unlock,
};

/// Draws the whole screen as it is at `now`.
pub fn draw(frame: &mut Frame, app: &App, now: DateTime<Utc>) {
    let area = frame.area();
    let theme = Theme::of(app.options.appearance);
    match layout::areas(frame.area().as_size(), app.shape()) {
        None => too_small(frame),
        Some(areas) => screens(frame, app, &areas, theme, now),
    }
    theme.ground(frame.buffer_mut(), area);
    if app.options.ascii {
        theme::to_ascii(frame.buffer_mut(), area);
    } else {
        bidi::contain(frame.buffer_mut());
    }
}

fn screens(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    header_view::draw(frame, app, areas, theme, now);
    for screen in app.screens.visible() {
        one(frame, app, screen, areas, theme, now);
    }
    if let Some(area) = areas.tour {
        tour::view::draw(frame, app, area, theme, now);
    }
    footer_view::draw(frame, app, areas, theme, now);
}

fn one(frame: &mut Frame, app: &App, screen: &Screen, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    match screen {
        Screen::Main => main_screen::view::draw(frame, app, areas, theme, now),
        // Typed where it is always shown.
        Screen::Filter | Screen::LogFilter => {}
        Screen::Help(help) => help::view::draw(frame, app, help, areas.body, theme, now),
        Screen::Request { .. } => {
            let (at, shown) = (app.requests.selected_index() + 1, app.requests.shown());
            pane::reading(frame, app, areas.body, &format!(" Request {at} of {shown} "), theme, now);
        }
        Screen::Timeline => timeline::view::full(frame, app, theme, now),
        Screen::Details { connection, .. } => {
            pane::reading(frame, app, areas.body, &format!(" {connection} "), theme, now);
        }
        Screen::Login(dialog) if dialog.qr => login::qr::draw(frame, app, dialog, areas.footer, theme),
        Screen::Login(dialog) => login::view::draw(frame, app, dialog, theme, now),
        Screen::Form(form) => connection_form::view::draw(frame, form, areas.body, theme),
        Screen::Unlock(dialog) => unlock::view::draw(frame, areas.body, dialog, theme, now),
        Screen::Palette(palette) => command_palette::view::draw(frame, app, palette, theme),
        Screen::LoginFailed { .. } | Screen::Menu(_) | Screen::Columns(_) | Screen::Confirm(_) => {
            dialogs::view::draw(frame, app, areas.body, theme);
        }
    }
}

fn too_small(frame: &mut Frame) {
    let area = frame.area();
    let text = format!("manutop needs {}x{}\nthis is {}x{}", SMALLEST.width, SMALLEST.height, area.width, area.height);
    let middle = Rect { y: area.y + area.height.saturating_sub(2) / 2, height: area.height.min(2), ..area };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).alignment(Alignment::Center), middle);
}
