//! Small dialogs in the middle of the screen: menus, questions, a failed login.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard;
use crate::dashboard::App;
use crate::dashboard::dialogs::popup::PopupLine;
use crate::dashboard::frame::footer::Hint;
use crate::dashboard::layout::centred;
use crate::dashboard::screen::UnlockDialog;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::sheet::wrap;
use crate::domain::Severity;
use crate::format::width::padded;

const WIDTH: u16 = 56;

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

/// The question for the encrypted store's passphrase.
pub(crate) fn unlock(frame: &mut Frame, body: Rect, dialog: &UnlockDialog, theme: Theme, now: DateTime<Utc>) {
    let (title, words) = match (dialog.new, &dialog.chosen) {
        (false, _) => (" Unlock the encrypted store ", "Its passphrase:"),
        (true, None) => (
            " Make the encrypted store ",
            "Choose its passphrase. Without it, nothing in the store can be read again. It is asked for at every start.",
        ),
        (true, Some(_)) => (" Make the encrypted store ", "The same passphrase once more:"),
    };
    let room = usize::from(WIDTH) - 4;
    let mut lines: Vec<_> = wrap(words, room).into_iter().map(Line::from).collect();
    if dialog.trying {
        let symbol = severity_symbol(Severity::Busy, now);
        let text = format!("{symbol} trying it; this takes a moment on purpose");
        lines.push(Line::from(Span::styled(text, theme.severity(Severity::Busy))));
    } else {
        lines.push(Line::from(vec![
            Span::styled("▸ ", theme.accent()),
            Span::styled(dialog.field.dots(), theme.strong()),
            Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
        ]));
    }
    if let Some(why) = &dialog.refused {
        let why = format!("{} {why}", severity_symbol(Severity::Bad, now));
        let style = theme.severity(Severity::Bad);
        lines.extend(wrap(&why, room).into_iter().map(|line| Line::from(Span::styled(line, style))));
    }
    popup(frame, body, title, WIDTH, lines, theme);
}

fn popup(frame: &mut Frame, body: Rect, title: &str, width: u16, lines: Vec<Line>, theme: Theme) {
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    framed(frame, centred(body, width, height), title, lines, theme);
}

fn framed(frame: &mut Frame, area: Rect, title: &str, lines: Vec<Line>, theme: Theme) {
    frame.render_widget(Clear, area);
    frame.render_widget(frame_of(title, true, theme), area);
    frame.render_widget(Paragraph::new(lines), dashboard::layout::text(area));
}
