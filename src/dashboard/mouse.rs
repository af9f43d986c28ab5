//! The mouse: the wheel moves in the pane under the pointer; a click selects, sorts, filters, or
//! presses a key whose word is under it; a double click opens.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::dashboard;
use crate::dashboard::action::Action;
use crate::dashboard::connections::columns;
use crate::dashboard::dialogs::popup::{Hit, popup};
use crate::dashboard::effect::Effect;
use crate::dashboard::frame::footer;
use crate::dashboard::frame::header::{HeaderPart, PartKind, header};
use crate::dashboard::layout::{Areas, Pane};
use crate::dashboard::main_screen::update::travel;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, command_palette, dispatch, timeline};

/// How far one notch of the wheel goes in text and in the log; among connections and in lists to
/// choose from it is one row.
const NOTCH: usize = 3;
/// Two clicks on the same place within this time are a double click.
const DOUBLE: TimeDelta = TimeDelta::milliseconds(400);
/// The columns at the left of a group's heading that fold it at a click.
const FOLD_SIGN: u16 = 4;

/// A mouse event.
pub(crate) fn event(app: &mut App, event: MouseEvent, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(areas) = dashboard::layout::areas(app.size, app.shape()) else { return Vec::new() };
    let at = Position { x: event.column, y: event.row };
    match event.kind {
        MouseEventKind::ScrollDown => wheel(app, &areas, at, Action::Down, now),
        MouseEventKind::ScrollUp => wheel(app, &areas, at, Action::Up, now),
        MouseEventKind::Down(MouseButton::Left) => {
            let double = app.last_click.is_some_and(|(place, when)| place == at && now - when < DOUBLE);
            // A third click starts again.
            app.last_click = (!double).then_some((at, now));
            click(app, &areas, at, double, now)
        }
        _ => Vec::new(),
    }
}

fn wheel(app: &mut App, areas: &Areas, at: Position, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    if matches!(app.screens.top(), Screen::Main | Screen::Filter) {
        let pane = areas.pane_at(at).unwrap_or(app.pane);
        let times = if pane == Pane::Connections && !app.connections.all().is_empty() { 1 } else { NOTCH };
        (0..times).for_each(|_| travel(app, pane, action));
        return Vec::new();
    }
    if matches!(app.screens.top(), Screen::Palette(_)) {
        command_palette::update::travel(app, action);
        return Vec::new();
    }
    let times = if matches!(app.screens.top(), Screen::Menu(_)) { 1 } else { NOTCH };
    (0..times).flat_map(|_| dispatch::act(app, action, now)).collect()
}

fn click(app: &mut App, areas: &Areas, at: Position, double: bool, now: DateTime<Utc>) -> Vec<Effect> {
    if areas.footer.contains(at) {
        let hints = footer::hints(app, areas.footer.width, now);
        let hit = hints.into_iter().find(|hint| (hint.x..hint.x + hint.width()).contains(&at.x));
        return hit.map_or_else(Vec::new, |hint| dispatch::act(app, hint.action, now));
    }
    if let Some(popup) = popup(app, areas.body) {
        return on_popup(app, popup.hit(at), now);
    }
    let tracks = match app.screens.top() {
        Screen::Timeline => timeline::update::sides(app, app.size).and_then(|sides| sides.ahead),
        Screen::Main => areas.timeline,
        _ => None,
    };
    if let Some(area) = tracks.filter(|area| area.contains(at)) {
        let parts = timeline::layout::tracks(area, app.connections.widest_name());
        let rows = Rect { x: area.x, width: area.width, ..parts.names };
        if let Some(row) = row_at(rows, at, app.connections.first_row(parts.rows.into()), app.connections.lines()) {
            app.connections.select(row);
            app.scroll = 0;
        }
        return Vec::new();
    }
    match app.screens.top() {
        Screen::Palette(_) => return on_palette(app, at, now),
        // A click ends the typing and means what it would have meant without.
        Screen::Filter => app.screens.close(),
        Screen::Main => {}
        _ => return Vec::new(),
    }
    if areas.header.contains(at) {
        on_header(app, areas.header, at, now);
    } else if let Some(pane) = areas.pane_at(at).filter(|_| !app.connections.all().is_empty()) {
        app.pane = pane;
        return on_pane(app, areas, pane, at, double, now);
    }
    Vec::new()
}

/// A question is answered, never closed by accident; a menu closes where something else is clicked.
fn on_popup(app: &mut App, hit: Hit, now: DateTime<Utc>) -> Vec<Effect> {
    match (hit, app.screens.top_mut()) {
        (Hit::Key(action), _) => dispatch::act(app, action, now),
        (Hit::Item(number), Screen::Menu(menu)) => {
            menu.choice = number;
            dispatch::act(app, Action::Accept, now)
        }
        (Hit::Item(number), Screen::Columns(menu)) => {
            menu.choice = number;
            dispatch::act(app, Action::ToggleColumn, now)
        }
        (Hit::Beside, Screen::Menu(_) | Screen::Columns(_)) => dispatch::act(app, Action::Cancel, now),
        _ => Vec::new(),
    }
}

fn on_palette(app: &mut App, at: Position, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(area) = command_palette::area(app) else { return Vec::new() };
    let list = command_palette::list(area);
    let Screen::Palette(palette) = app.screens.top_mut() else { return Vec::new() };
    if !area.contains(at) {
        return dispatch::act(app, Action::Cancel, now);
    }
    let first = palette.first(list.height.into());
    let Some(row) = row_at(list, at, first, palette.found.len()) else { return Vec::new() };
    palette.choice = row;
    dispatch::act(app, Action::Accept, now)
}

/// A count shows what it counts; a second click on it, everything again.
fn on_header(app: &mut App, area: Rect, at: Position, now: DateTime<Utc>) {
    let header = header(app, area.width, now);
    // What is beyond the room is cut off.
    let under = |part: &HeaderPart| at.x < header.room && (part.x..part.x + part.width()).contains(&at.x);
    let hit = header.parts.into_iter().find(under);
    if let Some(PartKind::Count(_, filter)) = hit.map(|part| part.kind) {
        let filter = if app.filter.text() == filter { TextField::default() } else { TextField::new(&filter) };
        app.set_filter(filter, now);
        app.pane = Pane::Connections;
        app.scroll = 0;
    }
}

fn on_pane(app: &mut App, areas: &Areas, pane: Pane, at: Position, double: bool, now: DateTime<Utc>) -> Vec<Effect> {
    let hit = match pane {
        Pane::Connections => {
            let rows = dashboard::layout::rows(areas.connections);
            if at.y + 1 == rows.y {
                sort(app, rows, at, now);
            }
            let hit = row_at(rows, at, app.connections.first_row(rows.height.into()), app.connections.lines());
            if let Some(row) = hit {
                app.connections.select(row);
                app.scroll = 0;
            }
            let on_sign = app.connections.selected_group().is_some() && at.x < rows.x + FOLD_SIGN;
            if hit.is_some() && on_sign {
                return dispatch::act(app, Action::Open, now);
            }
            hit
        }
        Pane::Requests => {
            let rows = dashboard::layout::rows(areas.requests.unwrap_or_default());
            let hit = row_at(rows, at, app.requests.first_row(rows.height.into()), app.requests.shown());
            if let Some(row) = hit {
                app.requests.select(row);
            }
            hit
        }
        Pane::Details => None,
    };
    if hit.is_some() && double { dispatch::act(app, Action::Open, now) } else { Vec::new() }
}

fn sort(app: &mut App, rows: Rect, at: Position, now: DateTime<Utc>) {
    let x = at.x.checked_sub(rows.x);
    let hit = x.filter(|x| *x < rows.width).and_then(|x| columns::of(app, rows).at(x));
    if let Some(column) = hit {
        app.connections.sort_by(Some(column), now);
    }
}

fn row_at(rows: Rect, at: Position, first: usize, count: usize) -> Option<usize> {
    let row = first + usize::from(at.y.checked_sub(rows.y)?);
    (rows.contains(at) && row < count).then_some(row)
}
