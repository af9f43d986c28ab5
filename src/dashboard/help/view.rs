//! Draws the help.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::dashboard::action::Action;
use crate::dashboard::help::HelpScreen;
use crate::dashboard::help::columns::{self, GAP, HelpColumns};
use crate::dashboard::keymap::Scope;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::border::Border;
use crate::dashboard::widgets::pane::{frame_of, sheet_line, write};
use crate::dashboard::widgets::sheet::Sheet;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::{App, layout};
use crate::domain::Severity;

/// How much of the search the title shows, in columns.
const SEARCH_WIDTH: u16 = 30;

/// Draws the columns into the body.
pub(crate) fn draw(frame: &mut Frame, app: &App, help: &HelpScreen, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let text = layout::text(area);
    let found = columns::of(app, help, text.width, now);
    let height = usize::from(text.height);
    let first = Sheet::clamp(found.height(), height, help.scroll);
    frame.render_widget(border(help, &found, first, height, theme), area);
    if found.entries == 0 {
        let scope = if help.typing { Scope::Filter } else { Scope::Viewer };
        let key = app.options.keymap.label_in(scope, Action::Cancel);
        let line = Line::from(Span::styled(format!("no key does that; {key} clears the search"), theme.dim()));
        write(frame.buffer_mut(), text, [line]);
    }
    for (at, column) in (0..).zip(&found.columns) {
        let area = Rect { x: text.x + at * (found.width + GAP), width: found.width, ..text };
        let shown = column.lines.iter().skip(first).take(height);
        write(frame.buffer_mut(), area, shown.map(|line| sheet_line(column, line.clone(), theme, now)));
    }
}

fn border(help: &HelpScreen, found: &HelpColumns, first: usize, height: usize, theme: Theme) -> Border<'static> {
    let mut border = frame_of(" Help ", true, theme);
    if help.typing || !help.search.text().is_empty() {
        let style = theme.severity(Severity::Warning);
        let mut title = vec![Span::styled(" /", style)];
        title.extend(text_field_view::spans(&help.search, SEARCH_WIDTH, help.typing, style));
        title.push(Span::styled(format!(" {} found ", found.entries), style));
        border = border.title(Line::from(title));
    }
    let below = found.height().saturating_sub(first + height);
    if below > 0 || first > 0 {
        let place = if below > 0 { format!(" ↓ {below} more ") } else { " end ".into() };
        border = border.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    border
}
