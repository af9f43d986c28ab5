//! Draws the request log, newest first. Only the entries in view are built.

use std::iter;

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::dashboard::layout::Pane;
use crate::dashboard::request_log::history::KnownMatches;
use crate::dashboard::screen::Screen;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::table::Table;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::widgets::truncate::cut;
use crate::dashboard::{App, layout};
use crate::domain::{Brief, Severity};
use crate::format::time::milliseconds;
use crate::request_log::filter::LogFilter;
use crate::request_log::words::{purpose, result, severity, target, verdict};

const TITLE: &str = " Requests ";
/// A blank and the time of day.
const TIME: u16 = 9;
/// The same to the millisecond.
const EXACT_TIME: u16 = 13;
/// Room for `401 invalid_client`.
const RESULT: u16 = 18;
/// Room for `401 unauthorized_client` and most others.
const RESULT_WIDE: u16 = 23;
/// Room for `code for tokens`.
const PURPOSE: u16 = 15;
const TRY: u16 = 3;
/// Room for `182 ms`, and for hours in seconds.
const TOOK: u16 = 6;
/// Below this, method and path would be useless and are left out.
const LEAST_TARGET: u16 = 12;
/// Above this, the result gets a share of the room.
const ENOUGH_TARGET: u16 = 24;
/// No provider has a longer path; the rest of the room goes to the server's explanation.
const LONGEST_TARGET: u16 = 58;
/// From this width on, exact times, purposes and attempts are shown.
const WIDE: u16 = 100;

/// A column of the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogColumn {
    Time,
    Name,
    Purpose,
    Target,
    Result,
    Try,
    Took,
}

/// Draws the log.
pub(crate) fn draw(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let focused = app.pane == Pane::Requests;
    let window = layout::rows(area);
    let columns = fit(window.width - 1, app.connections.widest_name());
    let height = usize::from(window.height);
    let first = app.requests.first_row(height);
    let selected = app.requests.selected_index();
    let mut block = frame_of(TITLE, focused, theme);
    for title in titles(app, area.width, theme) {
        block = block.title(title);
    }
    if let Some(place) = place(app, first, height, now) {
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    frame.render_widget(block, area);
    let table = Table { area: layout::inner(area), spacing: 1 };
    let buffer = frame.buffer_mut();
    let headings = columns.iter().map(|&(column, width)| (Line::from(heading(column)), width));
    table.headings(buffer, headings, theme.dim());
    for (y, (at, entry)) in (0..).zip(app.requests.rows(first, height).into_iter().enumerate()) {
        let chosen = focused && first + at == selected;
        let style = if chosen { theme.selected() } else { Style::new() };
        match entry {
            Some(entry) => table.row(buffer, y, cells(app, entry.into(), &columns, chosen, theme, now), style),
            None => table.row(buffer, y, iter::once(unread(window.width, theme)), style),
        }
    }
    if app.requests.shown() == 0 {
        let text = match app.requests.all() {
            _ if matches!(app.requests.known(), KnownMatches::Searching(_)) => " searching the log on disk …",
            0 => " no request yet",
            _ if app.requests.filter().is_active() => " no request passes the filter; Esc clears it",
            _ => " these requests have been dropped; g shows the newest",
        };
        frame.render_widget(Span::styled(text, theme.dim()), window);
    }
}

/// What restricts the log, each as its own title. If some do not fit, a `…` says so.
fn titles(app: &App, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let style = theme.severity(Severity::Warning);
    let word = |text: String| Line::from(Span::styled(format!(" {text} "), style));
    let filter = app.requests.filter();
    // The least important last.
    let mut titles = Vec::new();
    let typing = *app.screens.top() == Screen::LogFilter;
    if typing || !app.requests.filter_field().text().is_empty() {
        titles.push(typed(app.requests.filter_field(), width / 2, typing, theme));
    }
    match (app.requests.frozen(), app.requests.unseen()) {
        (Some(_), 0) => titles.push(word("frozen".into())),
        (Some(_), new) => titles.push(word(format!("frozen, {new} new ↑"))),
        (None, 0) => {}
        (None, new) => titles.push(word(format!("{new} new ↑"))),
    }
    if filter.errors() {
        titles.push(word("errors only".into()));
    }
    titles.extend(filter.only().map(|name| word(format!("only {name}"))));
    let mut left = usize::from(width).saturating_sub(2 + TITLE.len());
    let fits = |title: &Line| {
        let room = left.checked_sub(1 + title.width());
        left = room.unwrap_or(left);
        room.is_some()
    };
    let all = titles.len();
    let mut titles: Vec<_> = titles.into_iter().filter(fits).collect();
    if titles.len() < all && left > 3 {
        titles.push(word("…".into()));
    }
    titles
}

/// The filter in at most `width` columns; while it is empty, its syntax.
fn typed(field: &TextField, width: u16, typing: bool, theme: Theme) -> Line<'static> {
    let style = theme.severity(Severity::Warning);
    let mut title = vec![Span::styled(" /", style)];
    title.extend(text_field_view::spans(field, width, typing, style));
    if field.text().is_empty() {
        title.push(Span::styled(format!(" {}", LogFilter::HINT), theme.dim()));
    }
    title.push(Span::styled(" ", style));
    Line::from(title)
}

/// Which entries are in view and how many there are; during a search, how far back it has come.
fn place(app: &App, first: usize, height: usize, now: DateTime<Utc>) -> Option<String> {
    let (shown, all) = (app.requests.shown(), app.requests.all());
    let hidden = if app.requests.filter().is_active() { format!(", {all} in all") } else { String::new() };
    let (more, search) = match app.requests.known() {
        KnownMatches::All => ("", String::new()),
        KnownMatches::Some => ("+", String::new()),
        KnownMatches::Searching(None) => ("+", ", searching".into()),
        KnownMatches::Searching(Some(back_to)) => {
            ("+", format!(", searching before {}", app.options.zone.near(back_to, now)))
        }
        KnownMatches::Unreadable => ("", ", older ones cannot be read".into()),
    };
    if shown > height {
        return Some(format!(" {}-{} of {shown}{more}{hidden}{search} ", first + 1, (first + height).min(shown)));
    }
    (!hidden.is_empty() || !search.is_empty()).then(|| format!(" {shown}{more} shown{hidden}{search} "))
}

fn heading(column: LogColumn) -> &'static str {
    match column {
        LogColumn::Time => " TIME",
        LogColumn::Name => "NAME",
        LogColumn::Purpose => "PURPOSE",
        LogColumn::Target => "REQUEST",
        LogColumn::Result => "RESULT",
        LogColumn::Try => "TRY",
        LogColumn::Took => "  TOOK",
    }
}

/// The columns that fit, each with its width, separated by a blank. The result matters more than the target and the
/// duration.
fn fit(width: u16, longest: usize) -> Vec<(LogColumn, u16)> {
    let name = u16::try_from(longest).unwrap_or(u16::MAX).clamp(6, 14);
    let left = width.saturating_sub(TIME + 1 + name + 1);
    if left < RESULT + 1 + TOOK {
        return vec![(LogColumn::Time, TIME), (LogColumn::Name, name), (LogColumn::Result, left)];
    }
    let left = left - 1 - TOOK;
    let ends = |result| [(LogColumn::Result, result), (LogColumn::Took, TOOK)];
    let mut columns = vec![(LogColumn::Time, TIME), (LogColumn::Name, name)];
    if left < RESULT + 1 + LEAST_TARGET {
        columns.extend(ends(left));
    } else if width < WIDE {
        let result = RESULT_WIDE.min((left - 1).saturating_sub(ENOUGH_TARGET)).max(RESULT);
        columns.push((LogColumn::Target, left - 1 - result));
        columns.extend(ends(result));
    } else {
        columns[0].1 = EXACT_TIME;
        let left = left - (EXACT_TIME - TIME) - (PURPOSE + 1) - (TRY + 1) - 1;
        let target = (left / 2).min(LONGEST_TARGET);
        columns.extend([
            (LogColumn::Purpose, PURPOSE),
            (LogColumn::Target, target),
            (LogColumn::Result, left - target),
        ]);
        columns.extend([(LogColumn::Try, TRY), (LogColumn::Took, TOOK)]);
    }
    columns
}

/// The row of an entry that has not been read yet.
fn unread(width: u16, theme: Theme) -> (Line<'static>, u16) {
    (Line::from(Span::styled(" …", theme.dim())), width)
}

fn cells(
    app: &App,
    entry: Brief<'_>,
    columns: &[(LogColumn, u16)],
    chosen: bool,
    theme: Theme,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (Line<'static>, u16)> {
    let severity = severity(entry);
    columns.iter().map(move |&(column, width)| {
        let (text, style) = match column {
            LogColumn::Time => (format!(" {}", time(app, entry, width, now)), theme.dim()),
            LogColumn::Name => (entry.connection.to_owned(), Style::new()),
            LogColumn::Purpose => (purpose(entry.exchange).into(), Style::new()),
            LogColumn::Target => (target(entry, width.into()), Style::new()),
            LogColumn::Result => {
                let text = if width > RESULT_WIDE { verdict(entry) } else { result(entry) };
                (text, if severity == Severity::Good { Style::new() } else { theme.severity(severity) })
            }
            LogColumn::Try => (format!("{:>3}", entry.attempt), Style::new()),
            LogColumn::Took => (format!("{:>6}", milliseconds(entry.duration_ms)), Style::new()),
        };
        let style = if chosen { theme.undimmed(style) } else { style };
        (cut(Line::from(Span::styled(text, style)), width), width)
    })
}

fn time(app: &App, entry: Brief<'_>, width: u16, now: DateTime<Utc>) -> String {
    let time = app.options.zone.column(entry.at, now);
    let of_day = time.contains(':') && width >= EXACT_TIME;
    if of_day { format!("{time}.{:03}", entry.at.timestamp_subsec_millis().min(999)) } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_always_fit_and_always_include_the_result() {
        for width in 30..300 {
            for longest in [1, 9, 14, 64] {
                let columns = fit(width, longest);
                let gaps = u16::try_from(columns.len() - 1).unwrap();
                let sum = columns.iter().map(|(_, width)| width).sum::<u16>() + gaps;
                assert!(sum <= width, "{width}, {longest}: {sum}");
                assert!(columns.iter().any(|(column, _)| *column == LogColumn::Result));
            }
        }
    }

    #[test]
    fn the_result_of_a_refused_client_is_not_cut_beside_the_details() {
        let result = |width| fit(width, 9).into_iter().find(|(column, _)| *column == LogColumn::Result).map(|(_, w)| w);
        for width in [43, 67, 129] {
            assert!(result(width) >= Some(18), "{width}: {:?}", result(width));
        }
    }
}
