//! The login dialog, drawn as [`crate::dashboard::login::layout::LoginScreen`] lays it out.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use crate::dashboard::App;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::login::layout::{LoginScreen, screen as login_screen};
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::widgets::sheet::{SheetLine, Tone};

/// Draws the dialog over the main screen.
pub(crate) fn draw(frame: &mut Frame, app: &App, dialog: &LoginDialog, theme: Theme, now: DateTime<Utc>) {
    let Some(screen) = login_screen(app, dialog, frame.area().as_size(), now) else { return };
    let title = Span::styled(format!(" Log in: {} ", dialog.connection), theme.title(true));
    let mut block = Block::new().borders(Borders::TOP | Borders::BOTTOM).border_style(theme.border(true)).title(title);
    let below = screen.url.len().saturating_sub(screen.first + screen.shown);
    if screen.shown < screen.url.len() {
        let place = if below > 0 { format!(" URL: ↓ {below} more ") } else { " URL: end ".into() };
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    frame.render_widget(Clear, screen.area);
    frame.render_widget(block, screen.area);
    let inside = Rect { y: screen.area.y + 1, height: screen.area.height.saturating_sub(2), ..screen.area };
    frame.render_widget(Paragraph::new(lines(screen, dialog.typing, theme, now)), inside);
}

fn lines(screen: LoginScreen, typing: bool, theme: Theme, now: DateTime<Utc>) -> Vec<Line<'static>> {
    let url = screen.url.into_iter().skip(screen.first).take(screen.shown);
    let url = url.map(|line| Line::from(Span::styled(line, theme.accent())));
    let before = screen.before.into_iter().map(|line| text(line, typing, theme, now));
    let after = screen.after.into_iter().map(|line| text(line, typing, theme, now));
    before.chain(url).chain(after).collect()
}

fn text(line: SheetLine, typing: bool, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let style = theme.tone(line.tone);
    match line.tone {
        Tone::Status(severity) => Line::from(vec![
            Span::styled(format!(" {} ", severity_symbol(severity, now)), style),
            Span::styled(line.text, style),
        ]),
        Tone::Field if typing => Line::from(vec![
            Span::styled(" ▸ ", theme.accent()),
            Span::styled(line.text, theme.strong()),
            Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
        ]),
        Tone::Field => Line::from(vec![Span::raw("   "), Span::styled(line.text, theme.dim())]),
        _ => Line::from(vec![Span::raw("   "), Span::styled(line.text, style)]),
    }
}
