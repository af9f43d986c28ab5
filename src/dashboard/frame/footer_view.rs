//! The last lines: what just happened, and the keys that apply now.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard::App;
use crate::dashboard::frame::footer;
use crate::dashboard::frame::message_line::StatusMessage;
use crate::dashboard::layout::Areas;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::screen::Screen;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::widgets::line::put;
use crate::dashboard::widgets::truncate::cut;

/// Draws message line and footer.
pub(crate) fn draw(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    hints(frame, app, areas.footer, theme, now);
    if let Some(message) =
        app.message.as_ref().filter(|message| message.lives(now) && !is_suppressed(app, message, areas))
    {
        let name = message.connection.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let style = theme.severity(message.severity);
        let line = Line::from(vec![
            Span::styled(format!(" {} ", severity_symbol(message.severity, now)), style),
            Span::styled(name, theme.strong()),
            Span::styled(message.text.clone(), style),
            Span::raw(" "),
        ]);
        let line = cut(line, areas.message.width);
        // On low screens it is in a border, of which it covers no more than it needs.
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let area = Rect { width, ..areas.message };
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(line), area);
    }
}

/// A greeting is for the main screen; a QR code has the whole one, up to the line that says what to know of it; on low screens news
/// of other connections would hide how much of a login's URL is still to come.
fn is_suppressed(app: &App, message: &StatusMessage, areas: &Areas) -> bool {
    let shares_a_line = areas.message.width < areas.footer.width;
    let is_foreign = |dialog: &LoginDialog| message.connection.as_ref().is_some_and(|name| *name != dialog.connection);
    (message.greets && !app.screens.is_main())
        || matches!(app.screens.top(), Screen::Login(dialog) if dialog.qr || (shares_a_line && is_foreign(dialog)))
}

fn hints(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    for hint in footer::hints(app, area.width, now) {
        let line = Line::from(vec![
            Span::styled(hint.key.clone(), theme.accent()),
            Span::styled(format!(" {}", hint.word), theme.dim()),
        ]);
        let width = hint.width().min(area.width.saturating_sub(hint.x));
        put(frame.buffer_mut(), area.x + hint.x, area.y, &line, width);
    }
}
