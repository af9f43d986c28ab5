//! Panes: their frames, and sheets drawn into them.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::theme::{Theme, severity_symbol};
use crate::app::{App, Line as SheetLine, Sheet, Tone};

/// A pane's frame.
pub(super) fn frame_of<'a>(title: impl Into<Span<'a>>, focused: bool, theme: Theme) -> Block<'a> {
    let title = title.into().style(theme.title(focused));
    Block::bordered().border_style(theme.border(focused)).title(title)
}

/// The sheet that fills the screen: help, details.
pub(super) fn reading(frame: &mut Frame, app: &App, area: Rect, title: &str, theme: Theme, now: DateTime<Utc>) {
    let sheet = app.reading(frame.area().as_size(), now);
    sheet_in(frame, sheet, area, title, true, theme, now);
}

/// The sheet of the main screen: details of the selected connection, or the welcome.
pub(super) fn lower(
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
    let label_width = sheet.label_width;
    let shown = lines.into_iter().skip(first).take(height).map(|line| sheet_line(line, label_width, theme, now));
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), text);
}

/// A line of a sheet; a status gets its symbol where it begins.
pub(super) fn sheet_line(line: SheetLine, label_width: usize, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let style = theme.tone(line.tone);
    if line.tone == Tone::Heading || label_width == 0 {
        return Line::from(Span::styled(line.text, style));
    }
    let label = match line.tone {
        // The symbol takes the place before the label's column, so that texts stay in line.
        Tone::Status(severity) if !line.label.is_empty() => {
            let text = format!("{:<width$}", line.label, width = label_width.saturating_sub(2));
            let symbol = format!("{} ", severity_symbol(severity, now));
            return Line::from(vec![
                Span::styled(text, theme.label(line.tone)),
                Span::styled(symbol, style),
                Span::styled(line.text, style),
            ]);
        }
        _ => format!("{:<label_width$}", line.label),
    };
    let text = if line.text.is_empty() { Span::raw("") } else { Span::styled(line.text, style) };
    Line::from(vec![Span::styled(label, theme.label(line.tone)), text]).style(Style::new())
}
