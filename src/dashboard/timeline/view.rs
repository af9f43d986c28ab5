//! The next hours of every connection, a row each. Only the rows that are seen are built.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::dashboard::action::Action;
use crate::dashboard::connections::Row;
use crate::dashboard::connections::rows::Block;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::symbol;
use crate::dashboard::timeline::axis::{Axis, Zoom};
use crate::dashboard::timeline::axis_view::{axis, digit};
use crate::dashboard::timeline::lane::{Cell, Mark};
use crate::dashboard::timeline::layout::{Tracks, tracks};
use crate::dashboard::timeline::{Side, lane, latency};
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::truncate::cut;
use crate::dashboard::{App, timeline};
use crate::domain::{ConnectionView, Severity};
use crate::format::time::countdown;

/// Draws the full screen: what is to come, what was, or both.
pub(crate) fn full(frame: &mut Frame, app: &App, theme: Theme, now: DateTime<Utc>) {
    let Some(sides) = timeline::update::sides(app, frame.area().as_size()) else { return };
    let both = sides.ahead.is_some() && sides.behind.is_some();
    if let Some(area) = sides.ahead {
        let parts = tracks(area, app.connections.widest_name());
        let from = now + app.timeline.skipped;
        let stretch = Axis::new(from, timeline::update::ahead(app), parts.bars.width.into());
        let focused = app.timeline.side == Side::Ahead;
        let zoom = timeline::update::ahead(app).words();
        let title = if app.timeline.skipped.is_zero() {
            format!(" the next {zoom} ")
        } else {
            format!(" {zoom} from {} ", app.options.zone.near(from, now))
        };
        ahead(frame, app, area, &parts, &stretch, &title, focused, theme, now);
    }
    if let Some(area) = sides.behind {
        latency::draw(frame, app, area, app.timeline.side == Side::Behind || !both, theme, now);
    }
}

/// Draws the strip on the main screen: it begins now, and its keys are elsewhere.
pub(crate) fn strip(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let parts = tracks(area, app.connections.widest_name());
    let stretch = Axis::new(now, timeline::update::ahead(app), parts.bars.width.into());
    let key = app.options.keymap.label(Action::Timeline);
    let title = format!(" the next {} · {key} opens it ", timeline::update::ahead(app).words());
    ahead(frame, app, area, &parts, &stretch, &title, false, theme, now);
}

#[expect(clippy::too_many_arguments, reason = "what is drawn, where, and how")]
fn ahead(
    frame: &mut Frame,
    app: &App,
    area: Rect,
    parts: &Tracks,
    stretch: &Axis,
    title: &str,
    focused: bool,
    theme: Theme,
    now: DateTime<Utc>,
) {
    let shown = app.connections.lines();
    let height = usize::from(parts.rows);
    let first = app.connections.first_row(height);
    let mut block = frame_of(" Timeline ", focused, theme).title(Span::styled(title.to_owned(), theme.dim()));
    let mut room = area.width.saturating_sub(2);
    if shown > height {
        let place = Line::from(Span::styled(
            format!(" {}-{} of {shown} ", first + 1, (first + height).min(shown)),
            theme.dim(),
        ));
        room = room.saturating_sub(u16::try_from(place.width() + 1).unwrap_or(u16::MAX));
        block = block.title_bottom(place.right_aligned());
    }
    frame.render_widget(block.title_bottom(legend(room, theme)), area);

    let ticks = stretch.ticks(app.options.zone);
    let marked: Vec<usize> = ticks.iter().map(|tick| tick.column).collect();
    let begins_now = stretch.column(now) == Some(0);
    axis(frame, parts.ticks, &ticks, begins_now.then_some("now"), theme);
    for (at, row) in (0..parts.rows).zip(app.connections.window(first, height)) {
        let line = |part: Rect| Rect { y: part.y + at, height: 1, ..part };
        let chosen = app.connections.selected_index() == Some(first + usize::from(at));
        let view = match row {
            Row::Connection(view, _) => view,
            Row::Group(group) => {
                frame.render_widget(heading(group, chosen, focused, parts.names.width, theme), line(parts.names));
                continue;
            }
        };
        frame.render_widget(name(view, chosen, focused, parts.names.width, theme, now), line(parts.names));
        frame.render_widget(bar(view, stretch, &marked, theme, now), line(parts.bars));
        if let Some(part) = parts.words {
            let (words, severity) = lane::words(view, timeline::update::ahead(app), app.options.zone, now);
            let style = if severity == Severity::Good { Style::new() } else { theme.severity(severity) };
            frame.render_widget(cut(Line::from(Span::styled(format!(" {words}"), style)), part.width), line(part));
        }
    }
    if let (Some(part), Some(view)) = (parts.said, app.connections.selected()) {
        frame.render_widget(cut(said(app, view, theme, now), part.width), part);
    }
    if shown == 0 {
        frame.render_widget(
            Span::styled("  no connection matches the filter", theme.dim()),
            parts.names.union(parts.bars),
        );
    }
}

fn heading(group: &Block, chosen: bool, focused: bool, width: u16, theme: Theme) -> Line<'static> {
    let sign = if group.folded { "▸ " } else { "▾ " };
    let title = group.provider.map_or("", |provider| provider.title);
    let line = cut(Line::from(format!("{sign}{title}")), width.saturating_sub(1));
    line.style(if chosen && focused { theme.selected() } else { theme.strong() })
}

fn name(view: &ConnectionView, chosen: bool, focused: bool, width: u16, theme: Theme, now: DateTime<Utc>) -> Line<'_> {
    let status = view.status(now);
    let line = cut(
        Line::from(vec![
            Span::raw(if chosen { "▸ " } else { "  " }),
            Span::styled(symbol(&status, now), theme.severity(status.severity()).remove_modifier(Modifier::DIM)),
            Span::raw(" "),
            Span::raw(view.name.as_str()),
        ]),
        width.saturating_sub(1),
    );
    match (chosen, focused) {
        (true, true) => line.style(theme.selected()),
        (true, false) => line.style(theme.strong()),
        _ => line,
    }
}

/// The row's columns, runs of the same kind as one span.
fn bar(view: &ConnectionView, stretch: &Axis, ticks: &[usize], theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let cells = lane::cells(view, stretch, now);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (column, cell) in cells.into_iter().enumerate() {
        let (glyph, style) = match cell {
            Cell::Empty if ticks.contains(&column) => ('·', theme.dim()),
            Cell::Empty => (' ', Style::new()),
            Cell::Lives => ('━', theme.severity(Severity::Good)),
            Cell::Waits => ('░', theme.severity(Severity::Warning)),
            Cell::One(mark) => mark_glyph(mark, theme),
            Cell::Several(count) => (digit(count), theme.strong()),
        };
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push(glyph),
            _ => spans.push(Span::styled(glyph.to_string(), style)),
        }
    }
    Line::from(spans)
}

fn mark_glyph(mark: Mark, theme: Theme) -> (char, Style) {
    match mark {
        Mark::Refresh => ('◆', theme.accent()),
        Mark::AccessEnds => ('┫', theme.severity(Severity::Good)),
        Mark::TriesAgain => ('▲', theme.severity(Severity::Warning)),
        Mark::RefreshEnds => ('◇', theme.strong()),
    }
}

/// What the marks mean, as many as fit.
fn legend(width: u16, theme: Theme) -> Line<'static> {
    let mut left = usize::from(width);
    let mut spans = Vec::new();
    for mark in Mark::ALL {
        let (glyph, style) = mark_glyph(mark, theme);
        let words = format!(" {}  ", mark.words());
        let Some(rest) = left.checked_sub(2 + words.len()) else { break };
        left = rest;
        spans.extend([Span::raw(if spans.is_empty() { " " } else { "" }), Span::styled(glyph.to_string(), style)]);
        spans.push(Span::styled(words, theme.dim()));
    }
    if let Some(words) = Some("2+ several at once ").filter(|words| words.len() <= left) {
        spans.push(Span::styled(words, theme.dim()));
    }
    Line::from(spans)
}

/// What comes next for the selected connection, with how long that is.
fn said<'a>(app: &App, view: &'a ConnectionView, theme: Theme, now: DateTime<Utc>) -> Line<'a> {
    let zoom = timeline::update::ahead(app);
    let (words, severity) = lane::words(view, zoom, app.options.zone, now);
    let left = match view.token().map(|facts| facts.remaining(now)) {
        Some(left) if left.num_seconds() > 0 && zoom < Zoom::Week => format!(" (in {})", countdown(left)),
        _ => String::new(),
    };
    let style = if severity == Severity::Good { Style::new() } else { theme.severity(severity) };
    Line::from(vec![
        Span::raw(" "),
        Span::styled(view.name.as_str(), theme.strong()),
        Span::styled(format!(": {words}{left}"), style),
    ])
}
