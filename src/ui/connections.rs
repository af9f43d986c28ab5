//! The table of connections. Only the rows that are seen are built.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Row, Table};

use super::columns::{self, Column};
use super::cut::cut;
use super::field;
use super::pane::frame_of;
use super::theme::{Theme, symbol};
use crate::app::layout::{self, Pane};
use crate::app::words::{ago, countdown};
use crate::app::{App, Mode};
use crate::domain::text::neutralise;
use crate::domain::{ConnectionView, Holding, Problem, Severity, Status};

/// How much of the filter the title shows, in columns.
const FILTER_WIDTH: u16 = 30;

/// Draws the table.
pub(super) fn draw(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let focused = app.pane == Pane::Connections;
    let window = layout::rows(area);
    let longest = u16::try_from(app.connections.widest_name()).unwrap_or(u16::MAX);
    // The marker keeps text from the left border, a blank column from the right one.
    let columns = columns::fit(window.width - 1, longest);
    let height = usize::from(window.height);
    let first = app.connections.first_row(height);
    let selected = app.connections.selected_index();
    let rows = app.connections.window(first, height).enumerate().map(|(at, view)| {
        let chosen = selected == Some(first + at);
        row(app, &columns.widths, view, chosen, chosen && focused, theme, now)
    });
    let header = Row::new(columns.widths.iter().map(|(column, width)| heading(*column, *width))).style(theme.dim());
    let widths = columns.widths.iter().map(|(_, width)| Constraint::Length(*width));
    let table = Table::new(rows, widths)
        .header(header)
        .column_spacing(columns.spacing)
        .block(block(app, first, height, focused, theme));
    frame.render_widget(table, area);
    if app.connections.shown() == 0 {
        let text = Span::styled("  no connection matches the filter; Esc clears it", theme.dim());
        frame.render_widget(text, window);
    }
}

fn block(app: &App, first: usize, height: usize, focused: bool, theme: Theme) -> Block<'static> {
    let (shown, all) = (app.connections.shown(), app.connections.all().len());
    let typing = app.mode == Mode::Filter;
    let mut block = frame_of(" Connections ", focused, theme);
    if typing || !app.filter.text().is_empty() {
        let style = theme.severity(Severity::Warning);
        let mut title = vec![Span::styled(" /", style)];
        title.extend(field::spans(&app.filter, FILTER_WIDTH, typing, style));
        title.push(Span::styled(format!(" {shown} of {all} "), style));
        block = block.title(Line::from(title));
    }
    if shown > height {
        let last = (first + height).min(shown);
        let place = format!(" {}-{last} of {shown} ", first + 1);
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    block
}

fn heading(column: Column, width: u16) -> &'static str {
    match column {
        Column::Name => "  NAME",
        Column::Provider => "PROVIDER",
        Column::Status => "STATUS",
        Column::Access { .. } => "ACCESS TOKEN",
        Column::Refresh if width < 13 => "REFRESH",
        Column::Refresh => "REFRESH TOKEN",
        Column::Auto => "AUTO",
        Column::Last => "LAST",
        Column::Ends => "ENDS",
        Column::Next => "NEXT",
        Column::Why => "WHY",
    }
}

fn row<'a>(
    app: &App,
    columns: &[(Column, u16)],
    view: &'a ConnectionView,
    chosen: bool,
    bar: bool,
    theme: Theme,
    now: DateTime<Utc>,
) -> Row<'a> {
    let cells = columns.iter().map(|&(column, width)| {
        let line = cut(cell(app, column, width, view, chosen, theme, now), width);
        Cell::from(if bar { in_bar(line) } else { line })
    });
    let row = Row::new(cells);
    match (bar, chosen) {
        (true, _) => row.style(theme.selected()),
        (false, true) => row.style(Style::new().add_modifier(Modifier::BOLD)),
        (false, false) => row,
    }
}

fn cell<'a>(
    app: &App,
    column: Column,
    width: u16,
    view: &'a ConnectionView,
    chosen: bool,
    theme: Theme,
    now: DateTime<Utc>,
) -> Line<'a> {
    let status = view.status(now);
    match column {
        Column::Name => {
            let marker = if chosen { "▸ " } else { "  " };
            Line::from(vec![Span::raw(marker), Span::styled(view.name.as_str(), theme.strong())])
        }
        Column::Provider => Line::from(view.provider.label),
        Column::Status => {
            let text = format!("{} {}", symbol(&status, now), words(&status, width, now));
            Line::from(Span::styled(text, theme.severity(status.severity())))
        }
        Column::Access { bar } => access(view, bar, theme, now),
        Column::Refresh => Line::from(refresh(view, &status, theme, now)),
        Column::Auto => Line::from(Span::styled(if view.auto { "on" } else { "off" }, auto_style(view, theme))),
        Column::Last => Line::from(last(view, theme)),
        Column::Ends => moment(app, view.token().map(|facts| facts.expires_at), theme, now),
        Column::Next => moment(app, view.next_refresh, theme, now),
        Column::Why => Line::from(why(view, &status)),
    }
}

/// In the bar of the selected row what has a colour keeps it. The gauge stands in it as in a
/// window: reversed, it would show the opposite.
fn in_bar(mut line: Line<'_>) -> Line<'_> {
    for span in &mut line.spans {
        let is_gauge = span.content.contains([FULL, EMPTY]);
        span.style = if is_gauge {
            span.style.remove_modifier(Modifier::REVERSED | Modifier::BOLD)
        } else {
            span.style.remove_modifier(Modifier::DIM)
        };
    }
    line
}

/// The status in words, with its time or process where they fit.
fn words(status: &Status, width: u16, now: DateTime<Utc>) -> String {
    let detailed = match status {
        Status::WaitingForLock { pid: Some(pid) } => format!("waiting for PID {pid}"),
        Status::WaitingForLock { pid: None } => "waiting for lock".into(),
        Status::Retrying { at: Some(at) } if *at > now => format!("retrying in {}", countdown(*at - now)),
        Status::RateLimited { until } if *until > now => format!("rate limited {}", countdown(*until - now)),
        _ => return status.word().into(),
    };
    if detailed.len() + 2 <= usize::from(width) { detailed } else { status.word().into() }
}

fn access(view: &ConnectionView, bar: u16, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let Some(facts) = view.token() else {
        let text = if view.holding == Holding::Unknown { "" } else { "—" };
        return Line::from(Span::styled(text, theme.dim()));
    };
    let left = facts.remaining(now);
    if left <= TimeDelta::zero() {
        return Line::from(Span::styled(format!("expired {}", ago(-left)), theme.severity(Severity::Warning)));
    }
    let share = facts.share_left(now);
    let severity = if share < 0.1 { Severity::Warning } else { Severity::Good };
    let (full, empty) = gauge(share, bar);
    Line::from(vec![
        Span::styled(full, theme.severity(severity)),
        Span::styled(empty, theme.dim()),
        Span::raw(format!("  {:>7}", countdown(left))),
    ])
}

/// A time of day.
fn moment(app: &App, at: Option<DateTime<Utc>>, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    Line::from(match at {
        Some(at) => Span::raw(app.options.zone.column(at, now)),
        None => Span::styled("—", theme.dim()),
    })
}

/// What stands in the way; while something is being done about it, nothing. The colour is the
/// status's.
fn why(view: &ConnectionView, status: &Status) -> String {
    let problem = view.problem.as_ref().filter(|_| status.severity() >= Severity::Warning);
    problem.map(|problem| neutralise(cause(problem), 200)).unwrap_or_default()
}

/// The cause alone: the word for the problem stands in the status column.
fn cause(problem: &Problem) -> &str {
    match problem {
        Problem::NeedsLogin { why }
        | Problem::Misconfigured { why }
        | Problem::Uncertain { why }
        | Problem::NotSaved { why }
        | Problem::RolledBack { why }
        | Problem::StoreUnavailable { why }
        | Problem::PassphraseNeeded { why }
        | Problem::Retrying { why, .. } => why,
        Problem::NoClientSecret { .. } | Problem::NeverLoggedIn | Problem::RateLimited { .. } | Problem::Cancelled => {
            ""
        }
    }
}

/// The gauge's glyphs are low, so that those of neighbouring rows do not grow into one block.
const FULL: char = '━';
const EMPTY: char = '─';

/// A bar of `width` columns, filled to a share; what is not nothing shows.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is 0 to 1, a width below 2^16")]
fn gauge(share: f64, width: u16) -> (String, String) {
    let full = ((share * f64::from(width)).round() as usize).clamp(usize::from(width > 0), usize::from(width));
    (FULL.to_string().repeat(full), EMPTY.to_string().repeat(usize::from(width) - full))
}

fn refresh(view: &ConnectionView, status: &Status, theme: Theme, now: DateTime<Utc>) -> Span<'static> {
    let Some(refresh) = view.token().and_then(|facts| facts.refresh.as_ref()) else {
        return Span::styled(if view.holding == Holding::Unknown { "" } else { "—" }, theme.dim());
    };
    let bad = |word: &'static str| Span::styled(word, theme.severity(Severity::Bad));
    match (status, &view.problem) {
        (_, Some(Problem::NeedsLogin { .. })) => bad("revoked"),
        (_, Some(Problem::Uncertain { .. })) => bad("uncertain"),
        (Status::RolledBack, _) => bad("outdated"),
        _ if refresh.estimated_end <= now => Span::styled("~ended", theme.severity(Severity::Warning)),
        _ => Span::raw(format!("~{}", countdown(refresh.estimated_end - now))),
    }
}

fn auto_style(view: &ConnectionView, theme: Theme) -> Style {
    if view.auto { Style::new() } else { theme.dim() }
}

fn last(view: &ConnectionView, theme: Theme) -> Span<'static> {
    match view.last.as_ref().map(|last| &last.result) {
        None => Span::raw(""),
        Some(Ok(status)) if *status < 400 => Span::raw(status.to_string()),
        Some(Ok(status)) => Span::styled(status.to_string(), theme.severity(Severity::Warning)),
        Some(Err(word)) => Span::styled(neutralise(word, 9), theme.severity(Severity::Warning)),
    }
}
