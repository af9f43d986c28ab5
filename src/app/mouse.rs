//! The mouse: the wheel moves in the pane under the pointer, a click selects, or presses a key of
//! the footer.

use chrono::{DateTime, Utc};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::layout::{self, Areas, Pane};
use super::mode::Mode;
use super::{Action, App, Effect, footer, press};

/// How far one notch of the wheel goes in text and in the log; among connections it is one row.
const NOTCH: usize = 3;

/// A mouse event.
pub(super) fn event(app: &mut App, event: MouseEvent, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(areas) = layout::areas(app.size, app.shape()) else { return Vec::new() };
    let at = Position { x: event.column, y: event.row };
    match event.kind {
        MouseEventKind::ScrollDown => wheel(app, &areas, at, Action::Down, now),
        MouseEventKind::ScrollUp => wheel(app, &areas, at, Action::Up, now),
        MouseEventKind::Down(MouseButton::Left) => click(app, &areas, at, now),
        _ => Vec::new(),
    }
}

fn wheel(app: &mut App, areas: &Areas, at: Position, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    if app.mode == Mode::Normal {
        let pane = areas.pane_at(at).unwrap_or(app.pane);
        let times = if pane == Pane::Connections && !app.connections.all().is_empty() { 1 } else { NOTCH };
        (0..times).for_each(|_| press::travel(app, pane, action));
        return Vec::new();
    }
    (0..NOTCH).flat_map(|_| press::act(app, action, now)).collect()
}

fn click(app: &mut App, areas: &Areas, at: Position, now: DateTime<Utc>) -> Vec<Effect> {
    if areas.footer.contains(at) {
        let hints = footer::hints(app, areas.footer.width, now);
        let hit = hints.into_iter().find(|hint| (hint.x..hint.x + hint.width()).contains(&at.x));
        return hit.map_or_else(Vec::new, |hint| press::act(app, hint.action, now));
    }
    if app.mode != Mode::Normal || app.connections.all().is_empty() {
        return Vec::new();
    }
    let Some(pane) = areas.pane_at(at) else { return Vec::new() };
    app.pane = pane;
    match pane {
        Pane::Connections => {
            let rows = layout::rows(areas.connections);
            let hit = row_at(rows, at, app.connections.first_row(rows.height.into()), app.connections.shown());
            if let Some(row) = hit {
                app.connections.select(row);
                app.scroll = 0;
            }
        }
        Pane::Requests => {
            let rows = layout::rows(areas.requests.unwrap_or_default());
            let hit = row_at(rows, at, app.requests.first_row(rows.height.into()), app.requests.shown());
            if let Some(row) = hit {
                app.requests.select(row);
            }
        }
        Pane::Details => {}
    }
    Vec::new()
}

fn row_at(rows: Rect, at: Position, first: usize, count: usize) -> Option<usize> {
    let row = first + usize::from(at.y.checked_sub(rows.y)?);
    (rows.contains(at) && row < count).then_some(row)
}
