//! A logged request on a sheet: one line of it, or everything that is logged.

use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::domain::text::neutralise;
use crate::domain::{Brief, LogEntry, Severity, Timings};
use crate::format::time::{Zone, microseconds, milliseconds, size};
use crate::format::width::padded;
use crate::request_log::words::{purpose, result, severity, target};

/// The width of the bars that show the phases.
const BAR: usize = 24;

/// One line for a connection's full screen.
#[must_use]
pub fn line(zone: Zone, entry: Brief<'_>) -> SheetLine {
    let text = format!(
        "{} {:<15} {:>7}  {}",
        padded(&result(entry), 17),
        purpose(entry.exchange),
        milliseconds(entry.duration_ms),
        target(entry, 200)
    );
    SheetLine::new(zone.time(entry.at), text, tone(entry))
}

/// The same for the details pane: result and duration, and the purpose if the pane is `wide`.
#[must_use]
pub fn short_line(zone: Zone, entry: Brief<'_>, wide: bool) -> SheetLine {
    let purpose = if wide { format!("{:<16}", purpose(entry.exchange)) } else { String::new() };
    let result = padded(&neutralise(&result(entry), 26), 18);
    let text = format!("{result} {purpose}{:>7}", milliseconds(entry.duration_ms));
    // With room for a symbol after the time.
    SheetLine::new(format!("{}  ", zone.time(entry.at)), text, tone(entry))
}

fn tone<'a>(entry: impl Into<Brief<'a>>) -> Tone {
    let severity = severity(entry);
    if severity == Severity::Good { Tone::Plain } else { Tone::Status(severity) }
}

/// Everything that was logged.
#[must_use]
pub fn sheet(zone: Zone, entry: &LogEntry) -> Sheet {
    let utc = entry.at.format("%H:%M:%S%.3f UTC");
    let tone = tone(entry);
    let mut lines = vec![
        SheetLine::new("time", format!("{} · {utc}", zone.date_time(entry.at)), Tone::Plain),
        SheetLine::new("connection", entry.connection.as_str(), Tone::Plain),
        SheetLine::new("purpose", purpose(entry.exchange), Tone::Plain),
        SheetLine::new("method", neutralise(&entry.method, 20), Tone::Plain),
        SheetLine::new("url", neutralise(&entry.url(), 2000), Tone::Plain),
        SheetLine::new("result", result(entry), tone),
    ];
    if let Some(description) = &entry.oauth_error_description {
        lines.push(SheetLine::new("says", neutralise(description, 1000), tone));
    }
    lines.push(SheetLine::new("duration", milliseconds(entry.duration_ms), Tone::Plain));
    lines.extend(phases(&entry.wire.timings));
    lines.push(SheetLine::new("attempt", entry.attempt.to_string(), Tone::Plain));
    lines.push(SheetLine::new("answer", size(entry.size), Tone::Plain));
    lines.extend(headers("Request headers", &entry.wire.request_headers));
    lines.extend(headers("Response headers", &entry.headers));
    lines.push(SheetLine::blank());
    lines.push(SheetLine::new("", "Bodies are never logged: they hold the tokens.", Tone::Dim));
    Sheet { lines, label_width: 12 }
}

/// The phases, each with a bar that starts where the previous one ends.
fn phases(timings: &Timings) -> Vec<SheetLine> {
    let phases = [
        ("  start", timings.blocked_us),
        ("  name", timings.dns_us),
        ("  connect", timings.connect_us),
        ("  wait", timings.wait_us),
        ("  body", timings.receive_us),
    ];
    let whole = phases.iter().filter_map(|(_, spent)| *spent).sum::<u64>().max(1);
    let mut before = 0;
    let mut lines = Vec::new();
    for (label, spent) in phases {
        let Some(spent) = spent else { continue };
        let bar = bar(before, spent, whole);
        lines.push(SheetLine::new(label, format!("{:>8}  {bar}", microseconds(spent)), Tone::Plain));
        before += spent;
    }
    lines
}

/// A bar of at least one column within [`BAR`] columns.
fn bar(before: u64, spent: u64, whole: u64) -> String {
    let column = |at: u64| usize::try_from(u128::from(at) * BAR as u128 / u128::from(whole)).unwrap_or(BAR);
    let first = column(before).min(BAR - 1);
    let length = column(before + spent).saturating_sub(first).max(1);
    " ".repeat(first) + &"█".repeat(length)
}

fn headers(heading: &str, headers: &[(String, String)]) -> Vec<SheetLine> {
    if headers.is_empty() {
        return Vec::new();
    }
    let shown = headers.iter().map(|(name, value)| {
        SheetLine::new("", format!("{}: {}", neutralise(name, 100), neutralise(value, 400)), Tone::Plain)
    });
    [SheetLine::blank(), SheetLine::new("", heading, Tone::Heading)].into_iter().chain(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_each_other_and_none_is_invisible() {
        assert_eq!(bar(0, 50, 100), "█".repeat(12));
        assert_eq!(bar(50, 50, 100), " ".repeat(12) + &"█".repeat(12));
        assert_eq!(bar(100, 0, 100), " ".repeat(23) + "█");
        assert_eq!(bar(0, u64::MAX, u64::MAX), "█".repeat(24));
    }
}
