//! Small dialogs in the middle of the screen: menus, questions, a failed login.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::pane::frame_of;
use super::theme::{Theme, severity_symbol};
use crate::app::layout::{self, centred};
use crate::app::{Action, App, Menu, Question, UnlockDialog, wrap};
use crate::domain::{ConnectionName, Severity};

const WIDTH: u16 = 56;
const MENU: u16 = 40;

/// A menu: its items with their keys, the marked one as a bar.
pub(super) fn menu(frame: &mut Frame, app: &App, body: Rect, menu: &Menu, theme: Theme) {
    let items: Vec<_> = menu.items(&app.options.keymap).collect();
    let longest = items.iter().map(|item| item.help.len() + 9).max().unwrap_or(0);
    let width = u16::try_from(longest).unwrap_or(WIDTH).clamp(MENU, WIDTH);
    let height = usize::from(body.height.saturating_sub(2));
    let first = layout::first_row(0, menu.choice, items.len(), height);
    let lines = items.into_iter().enumerate().skip(first).take(height).map(|(at, item)| {
        let (key, text) = (item.keys[0].label(), format!("  {}", item.help));
        if at == menu.choice {
            let whole = format!("▸ {key}{text}");
            Line::from(Span::styled(format!("{whole:<width$}", width = usize::from(width)), theme.selected()))
        } else {
            Line::from(vec![Span::raw("  "), Span::styled(key, theme.accent()), Span::raw(text)])
        }
    });
    let whose = menu.connection.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
    let title = format!(" {}{whose} ", menu.scope.title());
    popup(frame, body, &title, width, lines.collect(), theme);
}

/// A question, with what a yes would do.
pub(super) fn confirm(frame: &mut Frame, app: &App, body: Rect, question: &Question, theme: Theme) {
    let (title, text, yes, no) = match question {
        Question::CopyRefreshToken(name) => (
            format!(" Copy the refresh token of {name}? "),
            "Whoever has it has this access until it is revoked or replaced, for years perhaps. Any program can read the clipboard.".to_owned(),
            "copy it",
            "do not",
        ),
        Question::Logout(name) => (
            format!(" Log out {name}? "),
            "Its access token and refresh token are forgotten here and cannot be brought back; a new login is needed. The connection and its client secret stay.".to_owned(),
            "log out",
            "stay",
        ),
        Question::Delete(name) => (
            format!(" Delete {name}? "),
            "Its tokens and its client secret are deleted from the secret store, and it is taken out of the configuration. None of that can be brought back. The provider is not told; the log of its requests stays.".to_owned(),
            "delete",
            "keep",
        ),
        Question::Quit => (" Leave now? ".to_owned(), leaving(app), "leave now", "stay until it is saved"),
    };
    let mut lines: Vec<_> = wrap(&text, usize::from(WIDTH) - 4).into_iter().map(Line::from).collect();
    lines.extend([Line::default(), answers(yes, no, theme)]);
    popup(frame, body, &title, WIDTH, lines, theme);
}

fn leaving(app: &App) -> String {
    let names: Vec<_> = app.unsaved().iter().take(5).map(ConnectionName::as_str).collect();
    let more = app.unsaved().len() - names.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "New tokens are not in the secret store yet: {}{more}. What is in the journal is saved at the next start; what is not even there is lost. Saving is still being tried.",
        names.join(", ")
    )
}

fn answers(yes: &str, no: &str, theme: Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled("y", theme.accent()),
        Span::raw(format!(" {yes}    ")),
        Span::styled("n", theme.accent()),
        Span::raw(format!(" {no}")),
    ])
}

/// Why a login has failed.
pub(super) fn login_failed(
    frame: &mut Frame,
    app: &App,
    body: Rect,
    connection: &ConnectionName,
    why: &str,
    theme: Theme,
) {
    let wrapped = wrap(why, usize::from(WIDTH) - 4).into_iter();
    let mut lines: Vec<_> = wrapped.map(|line| Line::from(Span::styled(line, theme.severity(Severity::Bad)))).collect();
    lines.extend([
        Line::default(),
        Line::from(vec![
            Span::styled(app.key(Action::Login), theme.accent()),
            Span::raw(" try again    "),
            Span::styled(app.key(Action::Cancel), theme.accent()),
            Span::raw(" close"),
        ]),
    ]);
    popup(frame, body, &format!(" ✖ Login failed: {connection} "), WIDTH, lines, theme);
}

/// The question for the encrypted store's passphrase.
pub(super) fn unlock(frame: &mut Frame, body: Rect, dialog: &UnlockDialog, theme: Theme, now: DateTime<Utc>) {
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
    let area = centred(body, width, height);
    frame.render_widget(Clear, area);
    frame.render_widget(frame_of(title, true, theme), area);
    frame.render_widget(Paragraph::new(lines), layout::text(area));
}
