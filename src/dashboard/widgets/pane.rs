//! Panes: their frames, and sheets drawn into them.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::dashboard::App;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::widgets::border::Border;
use crate::dashboard::widgets::line::put;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::format::width::padded;

/// A pane's frame.
pub(crate) fn frame_of<'a>(title: impl Into<Span<'a>>, focused: bool, theme: Theme) -> Border<'a> {
    Border::new(theme.border(focused)).title(title.into().style(theme.title(focused)))
}

/// Draws lines from the top of an area down, as far as there is room.
pub(crate) fn write<'a>(buffer: &mut Buffer, area: Rect, lines: impl IntoIterator<Item = Line<'a>>) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(buffer, area.x, y, &line, area.width);
    }
}

/// The sheet that fills the screen: help, details.
pub(crate) fn reading(frame: &mut Frame, app: &App, area: Rect, title: &str, theme: Theme, now: DateTime<Utc>) {
    let sheet = app.reading(frame.area().as_size(), now);
    sheet_in(frame, sheet, area, title, true, theme, now);
}

/// The sheet of the main screen: details of the selected connection, or the welcome.
pub(crate) fn lower(
    frame: &mut Frame,
    app: &App,
    area: Rect,
    title: &str,
    focused: bool,
    theme: Theme,
    now: DateTime<Utc>,
) {
    let sheet = app.lower_sheet(frame.area().as_size(), now);
    sheet_in(frame, sheet, area, title, focused, theme, now);
}

fn sheet_in(
    frame: &mut Frame,
    sheet: Option<(Sheet, Rect, usize)>,
    area: Rect,
    title: &str,
    focused: bool,
    theme: Theme,
    now: DateTime<Utc>,
) {
    let mut block = frame_of(title, focused, theme);
    let Some((sheet, text, scroll)) = sheet else {
        frame.render_widget(block, area);
        return;
    };
    let lines = sheet.wrapped(text.width.into());
    let height = usize::from(text.height);
    let first = Sheet::clamp(lines.len(), height, scroll);
    let below = lines.len().saturating_sub(first + height);
    if below > 0 || first > 0 {
        let place = if below > 0 { format!(" ↓ {below} more ") } else { " end ".into() };
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    frame.render_widget(block, area);
    let shown = lines.into_iter().skip(first).take(height).map(|line| sheet_line(&sheet, line, theme, now));
    write(frame.buffer_mut(), text, shown);
}

/// A line of a sheet: its label, filled up to the column where its text begins; a status has its
/// symbol just before that.
pub(crate) fn sheet_line(sheet: &Sheet, line: SheetLine, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let column = sheet.column(&line);
    let style = theme.tone(line.tone);
    let symbol = match line.tone {
        Tone::Status(severity) => format!("{} ", severity_symbol(severity, now)),
        _ => String::new(),
    };
    let indent = if line.tone == Tone::Step { "  " } else { "" };
    let width = column - if symbol.is_empty() { 0 } else { 2 };
    let label = padded(&format!("{indent}{}", line.label.trim_end()), width);
    Line::from(vec![
        Span::styled(label, theme.label(line.tone)),
        Span::styled(symbol, style),
        Span::styled(line.text, style),
    ])
}
