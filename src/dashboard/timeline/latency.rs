//! How long exchanges took, and which failed: bars over the past, the newest on the right.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Sparkline;

use crate::dashboard::App;
use crate::dashboard::theme::Theme;
use crate::dashboard::timeline::axis_view::{axis, digit};
use crate::dashboard::timeline::chart::Chart;
use crate::dashboard::timeline::layout::{Plot, plot};
use crate::dashboard::widgets::border::Border;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::truncate::cut;
use crate::domain::Severity;
use crate::format::time::milliseconds;

/// Eighths of a row: the heights a bar can have in one.
const EIGHTHS: u64 = 8;

/// Draws the past.
pub(crate) fn draw(frame: &mut Frame, app: &App, area: Rect, focused: bool, theme: Theme, now: DateTime<Utc>) {
    let block = frame_of(" Latency ", focused, theme);
    let Some(chart) = app.timeline.chart() else {
        frame.render_widget(block, area);
        return;
    };
    let asked = chart.asked();
    let zoom = asked.zoom.words();
    let time = if app.timeline.back.is_zero() {
        format!(" the last {zoom} ")
    } else {
        format!(" {zoom} until {} ", app.options.zone.near(asked.to, now))
    };
    let whose = asked.connection.as_ref().map_or(" all connections ".into(), |name| format!(" only {name} "));
    let titles = [time, whose].map(|title| Span::styled(title, theme.dim()));
    frame.render_widget(titles.into_iter().fold(block, Border::title), area);
    let parts = plot(area);
    frame.render_widget(cut(numbers(chart, theme), parts.words.width), parts.words);
    bars(frame, chart, &parts, theme);
    let ticks = chart.stretch().ticks(app.options.zone);
    axis(frame, parts.ticks, &ticks, None, theme);
    failures(frame, chart, &parts, theme);
    if chart.went_well() + chart.failures() == 0 {
        let text = format!("no request in this time; there are {} in the log", app.requests.all());
        frame.render_widget(Span::styled(text, theme.dim()), parts.bars);
    }
}

/// The numbers in words.
fn numbers(chart: &Chart, theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(format!(" {} well", chart.went_well()))];
    for (label, of_hundred) in [("p50", 50), ("p95", 95), ("max", 100)] {
        if let Some(duration) = chart.percentile(of_hundred) {
            spans.push(Span::styled(format!(" · {label} "), theme.dim()));
            spans.push(Span::raw(milliseconds(duration)));
        }
    }
    spans.push(Span::styled(" · ", theme.dim()));
    spans.push(match chart.failures() {
        0 => Span::raw("none failed"),
        failures => Span::styled(format!("✖ {failures} failed"), theme.severity(Severity::Bad)),
    });
    Line::from(spans)
}

/// The slowest exchange of each column, with the scale beside.
fn bars(frame: &mut Frame, chart: &Chart, parts: &Plot, theme: Theme) {
    let Some(greatest) = chart.percentile(100) else { return };
    let rows = u64::from(parts.bars.height.max(1));
    let greatest = greatest.max(1);
    // What was fast shows as well, if only as a line.
    let least = greatest.div_ceil(rows * EIGHTHS);
    let heights = chart.slowest().iter().map(|slowest| slowest.map(|ms| ms.max(least)));
    let bars = Sparkline::default().data(heights).max(greatest).style(theme.severity(Severity::Busy));
    frame.render_widget(bars, parts.bars);
    let label = |row: u16, ms: u64| {
        let text = Line::from(Span::styled(format!("{:>7} ", milliseconds(ms)), theme.dim()));
        (text, Rect { y: parts.scale.y + row, height: 1, ..parts.scale })
    };
    let middle = parts.scale.height / 2;
    // The bar that just fills the rows below the middle one's upper edge.
    let half = greatest * (rows - u64::from(middle)) / rows;
    let labels = [Some(label(0, greatest)), (half > 0).then(|| label(middle, half))];
    for (text, area) in labels.into_iter().flatten() {
        frame.render_widget(text, area);
    }
}

/// How many failed in each column.
fn failures(frame: &mut Frame, chart: &Chart, parts: &Plot, theme: Theme) {
    if chart.failures() == 0 {
        return;
    }
    let bad = theme.severity(Severity::Bad);
    let glyph = |failed: &usize| match failed {
        0 => ' ',
        1 => '✖',
        several => digit(*several),
    };
    let line: String = chart.failed().iter().map(glyph).collect();
    frame.render_widget(Span::styled(line, bad), parts.failed);
    let label = Line::from(Span::styled(" failed", Style::new()));
    frame.render_widget(label, Rect { x: parts.scale.x, width: parts.scale.width, ..parts.failed });
}
