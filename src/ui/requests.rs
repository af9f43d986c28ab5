//! The request log, newest first. Only the entries that are seen are built.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table};

use super::pane::frame_of;
use super::theme::Theme;
use crate::app::layout::{self, Pane};
use crate::app::words::milliseconds;
use crate::app::{App, result, severity, target};
use crate::domain::{LogEntry, Severity};

const TIME: u16 = 8;
const RESULT: u16 = 17;
const TOOK: u16 = 7;
/// Under this the method and path say nothing and are left out.
const LEAST_TARGET: u16 = 12;

/// How wide each column is; 0 for one that is left out.
struct Widths {
    name: u16,
    target: u16,
    result: u16,
}

/// Draws the log.
pub(super) fn draw(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let focused = app.pane == Pane::Requests;
    let window = layout::rows(area);
    let widths = widths(window.width, app.connections.widest_name());
    let height = usize::from(window.height);
    let first = app.requests.first_row(height);
    let selected = app.requests.selected_index();
    let rows = app.requests.window(first, height).enumerate().map(|(at, entry)| {
        let chosen = focused && first + at == selected;
        row(app, entry, &widths, chosen, theme, now)
    });
    let with_target = widths.target > 0;
    let headings = [Some("TIME"), Some("NAME"), with_target.then_some("REQUEST"), Some("RESULT"), Some("   TOOK")];
    let constraints = [TIME, widths.name, widths.target, widths.result, TOOK];
    let constraints = constraints.into_iter().filter(|width| *width > 0).map(Constraint::Length);
    let mut block = frame_of(" Requests ", focused, theme);
    if let Some(new) = app.requests.frozen() {
        block = block.title(Span::styled(format!(" frozen, {new} new "), theme.severity(Severity::Warning)));
    }
    if app.requests.shown() > height {
        let last = (first + height).min(app.requests.shown());
        let place = format!(" {}-{last} of {} ", first + 1, app.requests.shown());
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    let header = Row::new(headings.into_iter().flatten()).style(theme.dim());
    frame.render_widget(Table::new(rows, constraints).header(header).column_spacing(1).block(block), area);
    if app.requests.shown() == 0 {
        frame.render_widget(Span::styled("no request yet", theme.dim()), window);
    }
}

fn widths(width: u16, longest: usize) -> Widths {
    let name = u16::try_from(longest).unwrap_or(u16::MAX).clamp(6, 14);
    let fixed = TIME + 1 + name + 1 + 1 + TOOK;
    let left = width.saturating_sub(fixed);
    match left.checked_sub(RESULT + 1) {
        Some(target) if target >= LEAST_TARGET => Widths { name, target, result: RESULT },
        _ => Widths { name, target: 0, result: left },
    }
}

fn row(app: &App, entry: &LogEntry, widths: &Widths, chosen: bool, theme: Theme, now: DateTime<Utc>) -> Row<'static> {
    let severity = severity(entry);
    let plain = chosen || severity == Severity::Good;
    let result_style = if plain { Style::new() } else { theme.severity(severity) };
    let time_style = if chosen { Style::new() } else { theme.dim() };
    let target = (widths.target > 0).then(|| Cell::from(target(entry, widths.target.into())));
    let cells = [
        Some(Cell::from(Span::styled(app.options.zone.column(entry.at, now), time_style))),
        Some(Cell::from(entry.connection.to_string())),
        target,
        Some(Cell::from(Span::styled(result(entry), result_style))),
        Some(Cell::from(format!("{:>7}", milliseconds(entry.duration_ms)))),
    ];
    let row = Row::new(cells.into_iter().flatten());
    if chosen { row.style(theme.bar(severity)) } else { row }
}
