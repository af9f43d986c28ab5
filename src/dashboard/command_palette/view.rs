//! The command palette: a field, and below it what the field finds.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::command_palette::{Found, Palette};
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::widgets::truncate::{cut, highlighted};
use crate::dashboard::{App, command_palette, layout};

/// Room for `Ctrl-C`, and for two keys one after the other.
const KEYS: usize = 8;

/// Draws the palette.
pub(crate) fn draw(frame: &mut Frame, app: &App, palette: &Palette, theme: Theme) {
    let Some(area) = command_palette::area(app) else { return };
    let mut block = frame_of(" Commands ", true, theme);
    let list = command_palette::list(area);
    let height = usize::from(list.height);
    let first = palette.first(height);
    if palette.found.len() > height {
        let end = (first + height).min(palette.found.len());
        let place = format!(" {}-{end} of {} ", first + 1, palette.found.len());
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let line = Rect { height: 1, ..layout::text(area) };
    let mut typed = vec![Span::styled(": ", theme.accent())];
    typed.extend(text_field_view::spans(&palette.field, line.width.saturating_sub(2), true, theme.strong()));
    frame.render_widget(Line::from(typed), line);
    let shown = palette.found.iter().enumerate().skip(first).take(height);
    let lines: Vec<_> = shown.map(|(at, found)| entry(found, at == palette.choice, list.width, theme)).collect();
    if lines.is_empty() {
        frame.render_widget(Span::styled("nothing is called like that", theme.dim()), list);
    } else {
        frame.render_widget(Paragraph::new(lines), list);
    }
}

fn entry(found: &Found, chosen: bool, width: u16, theme: Theme) -> Line<'static> {
    let base = if chosen { theme.selected() } else { ratatui::style::Style::new() };
    let marker = if chosen { "▸ " } else { "  " };
    let keys = format!("{:<KEYS$}", found.keys);
    let keys = if chosen { Span::styled(keys, base) } else { Span::styled(keys, theme.accent()) };
    let mut spans = vec![Span::styled(marker, base), keys];
    spans.extend(highlighted(&found.text, &found.hits, base, theme));
    let mut line = cut(Line::from(spans), width);
    let missing = usize::from(width).saturating_sub(line.spans.iter().map(|span| span.content.width()).sum());
    line.push_span(Span::styled(" ".repeat(missing), base));
    line
}
