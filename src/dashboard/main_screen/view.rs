//! Draws the main screen.

use chrono::{DateTime, Utc};
use ratatui::Frame;

use crate::dashboard::layout::{Areas, Pane};
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane;
use crate::dashboard::{App, connections, request_log, timeline};

/// Draws the panes, or the welcome where there is no connection.
pub(crate) fn draw(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    if app.connections.all().is_empty() {
        pane::lower(frame, app, areas.body, " Welcome ", true, theme, now);
        return;
    }
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
    if let Some(area) = areas.requests {
        request_log::view::draw(frame, app, area, theme, now);
    }
}
