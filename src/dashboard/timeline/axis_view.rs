//! What both sides of the timeline draw: the line of times, and small counts.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::dashboard::theme::Theme;
use crate::dashboard::timeline::axis::Tick;

/// A count in one column.
pub(crate) fn digit(count: usize) -> char {
    u32::try_from(count).ok().and_then(|count| char::from_digit(count, 10)).unwrap_or('+')
}

/// A line of times, each behind a stroke in its column; `first` stands in the first column.
pub(crate) fn axis(frame: &mut Frame, area: Rect, ticks: &[Tick], first: Option<&'static str>, theme: Theme) {
    let mut free = 0;
    if let Some(word) = first {
        frame.render_widget(Span::styled(word, theme.strong()), area);
        free = u16::try_from(word.len() + 1).unwrap_or(u16::MAX);
    }
    for tick in ticks {
        let Ok(column) = u16::try_from(tick.column) else { break };
        let text = format!("│{}", tick.label);
        let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        if column < free || column.saturating_add(width) > area.width {
            continue;
        }
        frame.render_widget(Span::styled(text, theme.dim()), Rect { x: area.x + column, width, ..area });
        free = column + width + 1;
    }
}
