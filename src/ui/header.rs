//! The first line: is anything wrong, and what? And the banner below it while tokens are in danger.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::cut::cut;
use super::theme::{Theme, severity_symbol, symbol};
use crate::app::App;
use crate::app::layout::Areas;
use crate::app::words::count;
use crate::domain::{Severity, Status};

/// One count of the header.
struct Count {
    symbol: &'static str,
    number: usize,
    word: &'static str,
    severity: Severity,
}

/// Draws header and banner.
pub(super) fn draw(frame: &mut Frame, app: &App, areas: &Areas, theme: Theme, now: DateTime<Utc>) {
    let auto = auto(app);
    let between = if app.quiet && !auto.is_empty() { ", " } else { "" };
    let right = Line::from(vec![
        Span::styled(if app.quiet { "quiet" } else { "" }, theme.strong()),
        Span::styled(between, theme.dim()),
        Span::styled(auto, theme.dim()),
        Span::raw(format!("   {} ", app.options.zone.time(now))),
    ]);
    let apart = if areas.header.width < 100 { 2 } else { 3 };
    let room = usize::from(areas.header.width).saturating_sub(right.width() + apart);
    let left = cut(left(app, room, theme, now), u16::try_from(room).unwrap_or(u16::MAX));
    frame.render_widget(Paragraph::new(left), areas.header);
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX).min(areas.header.width);
    let area = Rect { x: areas.header.width - width, width, ..areas.header };
    frame.render_widget(Paragraph::new(right).alignment(Alignment::Right), area);
    if let (Some(area), Some(text)) = (areas.banner, app.banner()) {
        let text = format!(" {} {text}", severity_symbol(Severity::Bad, now));
        frame.render_widget(Paragraph::new(cut(Line::from(text), area.width)).style(theme.bar(Severity::Bad)), area);
    }
}

fn auto(app: &App) -> String {
    let (on, all) = (app.connections.auto_on(), app.connections.all().len());
    match on {
        _ if all == 0 => String::new(),
        0 => "auto off".into(),
        on if on == all => "auto on".into(),
        on => format!("auto {on} of {all}"),
    }
}

/// The name and the counts, as much in words as there is room for.
fn left(app: &App, room: usize, theme: Theme, now: DateTime<Utc>) -> Line<'static> {
    let name = if app.options.demo { " manutop demo" } else { " manutop" };
    let all = count(app.connections.all().len(), "connection");
    let (by_word, by_severity) = counts(app, now);
    let line = |total: &str, counts: &[Count], words: bool, gap: &'static str| {
        let mut spans = vec![Span::styled(name, theme.accent())];
        if !total.is_empty() {
            spans.push(Span::styled(format!("{gap}{total}"), Style::new()));
        }
        for count in counts {
            let word = if words { format!(" {}", count.word) } else { String::new() };
            let text = format!("{} {}{word}", count.symbol, count.number);
            spans.extend([Span::raw(gap), Span::styled(text, theme.severity(count.severity))]);
        }
        Line::from(spans)
    };
    if app.connections.all().is_empty() {
        return line("", &[], false, "  ");
    }
    let attempts = [
        line(&all, &by_word, true, "   "),
        line(&all, &by_word, true, "  "),
        line("", &by_word, true, "  "),
        line(&all, &by_severity, true, "  "),
        line("", &by_severity, true, "  "),
        line("", &by_severity, true, " "),
        line("", &by_severity, false, " "),
    ];
    let fits = attempts.iter().position(|line| line.width() <= room).unwrap_or(attempts.len() - 1);
    attempts.into_iter().nth(fits).unwrap_or_default()
}

/// How many connections are in each status, and in each severity; good ones first, those that
/// are of no interest last.
fn counts(app: &App, now: DateTime<Utc>) -> (Vec<Count>, Vec<Count>) {
    let mut by_word: Vec<(&Status, usize)> = Vec::new();
    let mut by_severity = [0; 5];
    for (status, number) in app.connections.tally().counts() {
        by_severity[status.severity() as usize] += number;
        by_word.push((status, number));
    }
    let place = |severity: Severity| if severity == Severity::Quiet { 9 } else { severity as u8 };
    by_word.sort_by_key(|(status, _)| (place(status.severity()), status.id()));
    let by_word = by_word.into_iter().map(|(status, number)| Count {
        symbol: symbol(status, now),
        number,
        word: status.word(),
        severity: status.severity(),
    });
    let severities = [
        (Severity::Good, "ok"),
        (Severity::Busy, "busy"),
        (Severity::Warning, "warn"),
        (Severity::Bad, "bad"),
        (Severity::Quiet, "idle"),
    ];
    let by_severity = severities.into_iter().filter_map(|(severity, word)| {
        let number = by_severity[severity as usize];
        (number > 0).then(|| Count { symbol: severity_symbol(severity, now), number, word, severity })
    });
    (by_word.collect(), by_severity.collect())
}
