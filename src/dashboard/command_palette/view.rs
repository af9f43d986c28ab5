//! The command line: a field, and below it what the field finds.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::command_palette::{Found, Palette};
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::sheet::wrap;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::widgets::truncate::{cut, highlighted};
use crate::dashboard::{App, command_palette, layout};
use crate::domain::Severity;

/// From how many columns on the list shows what may follow a command.
const WIDE: u16 = 70;
/// The most columns of a name, in a narrow list and in a wide one.
const NAMES: [usize; 2] = [25, 38];
/// The space between two columns.
const GAP: usize = 2;

/// Draws the command line.
pub(crate) fn draw(frame: &mut Frame, app: &App, palette: &Palette, theme: Theme) {
    let Some(area) = command_palette::area(app) else { return };
    let mut block = frame_of(" Commands ", true, theme);
    let list = command_palette::list(area);
    let height = usize::from(list.height);
    let first = palette.first(height);
    if palette.found.len() > height {
        let end = (first + height).min(palette.found.len());
        let place = format!(" {}-{end} of {} ", first + 1, palette.found.len());
        block = block.title_bottom(Line::from(Span::styled(place, theme.dim())).right_aligned());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let line = Rect { height: 1, ..layout::text(area) };
    let mut typed = vec![Span::styled(": ", theme.accent())];
    typed.extend(text_field_view::spans(&palette.field, line.width.saturating_sub(2), true, theme.strong()));
    frame.render_widget(Line::from(typed), line);
    if palette.found.is_empty() {
        let style = theme.severity(Severity::Warning);
        let lines =
            wrap(&palette.fault, list.width.into()).into_iter().map(|line| Line::from(Span::styled(line, style)));
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), list);
        return;
    }
    let look = PaletteLook { width: list.width, names: names(palette, list.width), theme };
    let shown = palette.found.iter().enumerate().skip(first).take(height);
    let lines: Vec<_> = shown.map(|(at, found)| look.entry(found, at == palette.choice)).collect();
    frame.render_widget(Paragraph::new(lines), list);
}

/// The columns of the widest name.
fn names(palette: &Palette, width: u16) -> usize {
    let is_wide = width >= WIDE;
    let widest =
        palette.found.iter().map(|found| name(found, is_wide).0.width() + name(found, is_wide).1.width()).max();
    widest.unwrap_or(0).min(NAMES[usize::from(is_wide)])
}

/// A command's name, and what may follow it.
fn name(found: &Found, is_wide: bool) -> (&str, String) {
    let follows = is_wide && !found.placeholder.is_empty();
    (found.name(), if follows { format!(" {}", found.placeholder) } else { String::new() })
}

/// What all lines have in common.
struct PaletteLook {
    width: u16,
    names: usize,
    theme: Theme,
}

impl PaletteLook {
    /// The name, what it does, and at the right the key, if there is room for it.
    fn entry(&self, found: &Found, chosen: bool) -> Line<'static> {
        let base = if chosen { self.theme.selected() } else { Style::new() };
        let dim = if chosen { base } else { self.theme.dim() };
        let plain = if found.is_idle { dim } else { base };
        let accent = if chosen || found.is_idle { plain } else { self.theme.accent() };
        let (name, follows) = name(found, self.width >= WIDE);
        let mut spans = vec![Span::styled(if chosen { "▸ " } else { "  " }, base)];
        spans.extend(highlighted(name, &found.hits, plain, self.theme));
        spans.push(Span::styled(follows, dim));
        let room = u16::try_from(2 + self.names).unwrap_or(u16::MAX);
        let mut line = cut(Line::from(spans), room);
        pad(&mut line, usize::from(room) + GAP, base);
        line.push_span(Span::styled(found.text.clone(), if found.is_idle { dim } else { base }));
        let width = usize::from(self.width);
        if !found.keys.is_empty() && line.width() + GAP + found.keys.width() <= width {
            pad(&mut line, width - found.keys.width(), base);
            line.push_span(Span::styled(found.keys.clone(), accent));
        }
        let mut line = cut(line, self.width);
        pad(&mut line, width, base);
        line
    }
}

/// Fills a line up with blanks.
fn pad(line: &mut Line<'_>, width: usize, style: Style) {
    let missing = width.saturating_sub(line.width());
    if missing > 0 {
        line.push_span(Span::styled(" ".repeat(missing), style));
    }
}
