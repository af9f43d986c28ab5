//! The table of connections. Only the rows that are seen are built.

use std::iter;

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::dashboard;
use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::columns;
use crate::dashboard::connections::columns::{EMPTY, FULL};
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::theme::Theme;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::dashboard::undo;
use crate::dashboard::widgets::border::Border;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::sheet::Tone;
use crate::dashboard::widgets::table::Table;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::widgets::truncate::{cut, highlighted};
use crate::domain::{ConnectionView, Severity};

/// How much of the filter the title shows, in columns.
const FILTER_WIDTH: u16 = 30;

/// What all rows of one frame have in common.
struct TableLook<'a> {
    app: &'a App,
    columns: &'a [(Column, u16)],
    /// Whether the table has the keyboard.
    focused: bool,
    theme: Theme,
    now: DateTime<Utc>,
}

/// Draws the table.
pub(crate) fn draw(frame: &mut Frame, app: &App, area: Rect, theme: Theme, now: DateTime<Utc>) {
    let window = dashboard::layout::rows(area);
    let columns = columns::of(app, window);
    let look = TableLook { app, columns: &columns.widths, focused: app.pane == Pane::Connections, theme, now };
    let height = usize::from(window.height);
    let first = app.connections.first_row(height);
    let selected = app.connections.selected_index();
    let mut search = app.connections.search();
    frame.render_widget(look.block(first, height), area);
    let order = app.connections.order();
    // While the best matches come first the table is in no column's order.
    let order = if app.connections.is_best_first() { dashboard::connections::sort::Order::default() } else { order };
    let headings = columns.widths.iter().map(|&(column, width)| (Line::from(column.heading(width, order)), width));
    let table = Table { area: dashboard::layout::inner(area), spacing: columns.spacing };
    let buffer = frame.buffer_mut();
    table.headings(buffer, headings, theme.dim());
    for (y, (at, row)) in (0..).zip(app.connections.window(first, height).enumerate()) {
        let chosen = selected == Some(first + at);
        match row {
            dashboard::connections::Row::Group(group) => {
                // A single cell: it needs more room than a column.
                let line = look.group(group, chosen, window.width);
                table.row(buffer, y, iter::once((line, window.width)), look.row_style(chosen));
            }
            dashboard::connections::Row::Connection(view, marked) => {
                let hits = search.hits(view.name.as_str());
                table.row(buffer, y, look.cells(view, &hits, marked, chosen), look.row_style(chosen));
            }
        }
    }
    if app.connections.shown() == 0 {
        let scope = if *app.screens.top() == Screen::Filter { Scope::Filter } else { Scope::Main };
        let key = app.options.keymap.label_in(scope, Action::Cancel);
        let text = format!("  no connection matches the filter; {key} clears it");
        frame.render_widget(Span::styled(text, theme.dim()), window);
    }
}

impl TableLook<'_> {
    fn block(&self, first: usize, height: usize) -> Border<'static> {
        let (app, theme) = (self.app, self.theme);
        let (shown, all) = (app.connections.shown(), app.connections.all().len());
        let lines = app.connections.lines();
        let typing = *app.screens.top() == Screen::Filter;
        let mut block = frame_of(" Connections ", self.focused, theme);
        let (marked, hidden) = app.connections.marks();
        if marked > 0 {
            let hidden = if hidden == 0 { String::new() } else { format!(", {hidden} hidden") };
            block = block.title(Span::styled(format!(" {marked} marked{hidden} "), theme.accent()));
        }
        if typing || !app.filter.text().is_empty() {
            let style = theme.severity(Severity::Warning);
            let mut title = vec![Span::styled(" /", style)];
            title.extend(text_field_view::spans(&app.filter, FILTER_WIDTH, typing, style));
            title.push(Span::styled(format!(" {shown} of {all} "), style));
            block = block.title(Line::from(title));
        }
        if lines > height {
            let last = (first + height).min(lines);
            let place = format!(" {}-{last} of {lines} ", first + 1);
            block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
        }
        block
    }

    fn cells(
        &self,
        view: &ConnectionView,
        hits: &[usize],
        marked: bool,
        chosen: bool,
    ) -> impl Iterator<Item = (Line<'static>, u16)> {
        let bar = chosen && self.focused;
        self.columns.iter().map(move |&(column, width)| {
            let mut spans = Vec::new();
            if column == Column::Name {
                let sign = self.sign(view, marked);
                spans.push(Span::styled(marker(chosen, sign), self.marker_style(sign != ' ')));
            }
            let leaving = (column == Column::Status).then(|| undo::status(self.app, &view.name)).flatten();
            let cell = match leaving {
                Some(words) => vec![(words, Tone::Status(Severity::Warning))],
                None => column.cell(view, width, self.app.options.zone, self.now),
            };
            for (text, tone) in cell {
                let style = self.theme.tone(tone);
                if column == Column::Name && !hits.is_empty() {
                    spans.extend(highlighted(&text, hits, style, self.theme));
                } else {
                    spans.push(Span::styled(text, style));
                }
            }
            let line = cut(Line::from(spans), width);
            (if bar { in_bar(line, self.theme) } else { line }, width)
        })
    }

    /// The heading of a group: what is in it, the worst first, also while it is folded.
    fn group(&self, group: &dashboard::connections::rows::Block, chosen: bool, width: u16) -> Line<'static> {
        let theme = self.theme;
        let sign = if group.folded { "▸" } else { "▾" };
        let title = group.provider.map_or("", |provider| provider.title);
        let mut spans = vec![
            Span::raw(format!("{}{sign} ", marker(chosen, ' '))),
            Span::styled(format!("{title}  {}", group.size()), theme.strong()),
            Span::raw(" ·"),
        ];
        for severity in dashboard::connections::groups::WORST_FIRST {
            let number = group.severities[severity as usize];
            if number > 0 {
                let text = format!(" {} {number}", severity_symbol(severity, self.now));
                spans.push(Span::styled(text, theme.severity(severity)));
            }
        }
        if group.marked > 0 {
            spans.push(Span::styled(format!("  {MARK} {} marked", group.marked), theme.accent()));
        }
        let bar = chosen && self.focused;
        let mut line = cut(Line::from(spans), width);
        let missing = usize::from(width).saturating_sub(line.spans.iter().map(|span| span.content.width()).sum());
        line.push_span(Span::raw(" ".repeat(missing)));
        if bar { in_bar(line, self.theme) } else { line }
    }

    fn row_style(&self, chosen: bool) -> Style {
        match (chosen && self.focused, chosen) {
            (true, _) => self.theme.selected(),
            (false, true) => Style::new().add_modifier(Modifier::BOLD),
            (false, false) => Style::new(),
        }
    }

    /// What is beside the name: a mark, else a favourite's star.
    fn sign(&self, view: &ConnectionView, marked: bool) -> char {
        if marked {
            MARK
        } else if self.app.connections.is_favourite(&view.name) {
            FAVOURITE
        } else {
            ' '
        }
    }

    fn marker_style(&self, marked: bool) -> Style {
        if marked { self.theme.accent() } else { Style::new() }
    }
}

/// The sign of a marked connection: the key that marks all.
const MARK: char = '*';

/// The sign of a favourite.
const FAVOURITE: char = '★';

fn marker(chosen: bool, sign: char) -> String {
    format!("{}{sign}", if chosen { '▸' } else { ' ' })
}

/// In the bar of the selected row what has a colour keeps it. The gauge stands in it as in a
/// window: reversed, it would show the opposite.
fn in_bar(mut line: Line<'_>, theme: Theme) -> Line<'_> {
    for span in &mut line.spans {
        let is_gauge = span.content.contains([FULL, EMPTY]);
        span.style = if is_gauge {
            span.style.remove_modifier(Modifier::REVERSED | Modifier::BOLD)
        } else {
            theme.undimmed(span.style)
        };
    }
    line
}
