//! The guided tour's panel: below everything it talks about.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use crate::dashboard::App;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::tour::{TourPanel, TourProgress};
use crate::dashboard::widgets::sheet::wrap;
use crate::dashboard::widgets::truncate::cut;
use crate::domain::Severity;

/// Draws the panel; in a single row, its title and its keys.
pub(crate) fn draw(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let Some(panel) = app.tour_panel() else { return };
    frame.render_widget(Clear, area);
    let title = format!(" Tour {}/{}: {} ", panel.number, panel.count, panel.title);
    if area.height == 1 {
        let mut line = Line::from(Span::styled(title, theme.accent()));
        line.spans.extend(keys(app, &panel, theme, now).spans);
        frame.render_widget(Paragraph::new(cut(line, area.width)), area);
        return;
    }
    let block = Block::new().borders(Borders::TOP).border_style(theme.border(true));
    frame.render_widget(block.title(Span::styled(title, theme.title(true))), area);
    let inside = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 1 };
    let room = usize::from(inside.height.saturating_sub(1));
    let mut lines: Vec<_> =
        wrap(&panel.text, usize::from(inside.width)).into_iter().take(room).map(Line::from).collect();
    lines.resize(room, Line::default());
    lines.push(cut(keys(app, &panel, theme, now), inside.width));
    frame.render_widget(Paragraph::new(lines), inside);
}

/// How far it is, and the tour's keys.
fn keys(app: &App, panel: &TourPanel, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let (state, style) = match panel.progress {
        TourProgress::Looking => (String::new(), theme.dim()),
        TourProgress::Waiting => ("▸ try it   ".into(), theme.strong()),
        TourProgress::Helped => {
            (format!("{} on its way   ", severity_symbol(Severity::Busy, now)), theme.severity(Severity::Busy))
        }
        TourProgress::Done => {
            (format!("{} done   ", severity_symbol(Severity::Good, now)), theme.severity(Severity::Good))
        }
    };
    let mut spans = vec![Span::styled(state, style)];
    for (action, word) in &panel.keys {
        spans.push(Span::styled(app.options.keymap.label(*action), theme.accent()));
        spans.push(Span::styled(format!(" {word}   "), theme.dim()));
    }
    Line::from(spans)
}
