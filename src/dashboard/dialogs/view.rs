//! Small dialogs in the middle of the screen: menus, questions, a failed login.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard;
use crate::dashboard::App;
use crate::dashboard::dialogs::popup::PopupLine;
use crate::dashboard::frame::footer::Hint;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::format::width::padded;

/// A menu, a question, or the news of a failed login.
pub(crate) fn draw(frame: &mut Frame, app: &App, body: Rect, theme: Theme) {
    let Some(popup) = dashboard::dialogs::popup::popup(app, body) else { return };
    let width = usize::from(dashboard::layout::text(popup.area).width);
    let lines = popup.lines.into_iter().map(|line| match line {
        PopupLine::Text(text, tone) => Line::from(Span::styled(text, theme.tone(tone))),
        PopupLine::Item { key, text, chosen: true } => {
            let whole = format!("▸ {key}  {text}");
            Line::from(Span::styled(padded(&whole, width), theme.selected()))
        }
        PopupLine::Item { key, text, chosen: false } => {
            Line::from(vec![Span::raw("  "), Span::styled(key, theme.accent()), Span::raw(format!("  {text}"))])
        }
        PopupLine::Keys(hints) => keys(&hints, theme),
    });
    framed(frame, popup.area, &popup.title, lines.collect(), theme);
}

fn keys(hints: &[Hint], theme: Theme) -> Line<'static> {
    let mut line = Line::default();
    for hint in hints {
        let gap = usize::from(hint.x).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.push_span(Span::styled(hint.key.clone(), theme.accent()));
        line.push_span(Span::raw(format!(" {}", hint.word)));
    }
    line
}

/// Draws lines in a frame, over what is there.
pub(crate) fn framed(frame: &mut Frame, area: Rect, title: &str, lines: Vec<Line>, theme: Theme) {
    frame.render_widget(Clear, area);
    frame.render_widget(frame_of(title, true, theme), area);
    frame.render_widget(Paragraph::new(lines), dashboard::layout::text(area));
}
