//! Draws the passphrase dialog.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::dashboard::dialogs::view::framed;
use crate::dashboard::layout::centred;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::unlock::UnlockDialog;
use crate::dashboard::widgets::sheet::wrap;
use crate::domain::Severity;

const WIDTH: u16 = 56;

/// The question for the encrypted store's passphrase.
pub(crate) fn draw(frame: &mut Frame, body: Rect, dialog: &UnlockDialog, theme: Theme, now: DateTime<Utc>) {
    let (title, words) = match (dialog.new, &dialog.chosen) {
        (false, _) => (" Unlock the encrypted store ", "Its passphrase:"),
        (true, None) => (
            " Create the encrypted store ",
            "Choose its passphrase. Without it, nothing in the store can be read again. It is asked for at every start.",
        ),
        (true, Some(_)) => (" Create the encrypted store ", "Repeat the passphrase:"),
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
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    framed(frame, centred(body, WIDTH, height), title, lines, theme);
}
