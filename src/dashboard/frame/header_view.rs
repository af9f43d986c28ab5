//! The first line: is anything wrong, and what? And the banner below it while tokens are in danger.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::dashboard::App;
use crate::dashboard::frame::header::{HeaderPart, PartKind, header};
use crate::dashboard::layout::Areas;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::widgets::line::put;
use crate::dashboard::widgets::truncate::cut;
use crate::domain::Severity;

/// Draws header and banner.
pub(crate) fn draw(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    let header = header(app, areas.header.width, now);
    let line = cut(left(&header.parts, theme), header.room);
    put(frame.buffer_mut(), areas.header.x, areas.header.y, &line, areas.header.width);
    let right = Line::from(vec![
        Span::styled(header.quiet, theme.strong()),
        Span::styled(header.auto, if app.read_only { theme.strong() } else { theme.dim() }),
        Span::raw(header.time),
    ]);
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX).min(areas.header.width);
    put(frame.buffer_mut(), areas.header.width - width, areas.header.y, &right, width);
    if let (Some(area), Some(text)) = (areas.banner, app.banner()) {
        let text = format!(" {} {text}", severity_symbol(Severity::Bad, now));
        let buffer = frame.buffer_mut();
        buffer.set_style(area, theme.bar(Severity::Bad));
        put(buffer, area.x, area.y, &cut(Line::from(text), area.width), area.width);
    }
}

fn left(parts: &[HeaderPart], theme: Theme) -> Line<'static> {
    let mut line = Line::default();
    for part in parts {
        let style = match &part.kind {
            PartKind::Name => theme.accent(),
            PartKind::Total => Style::new(),
            PartKind::Count(severity, _) => theme.severity(*severity),
        };
        let gap = usize::from(part.x).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.push_span(Span::styled(part.text.clone(), style));
    }
    line
}
