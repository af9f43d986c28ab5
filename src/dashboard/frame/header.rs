//! The first line: is anything wrong, and what? Computed here, not while drawing, so that a click
//! on a count filters by it.

use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::App;
use crate::dashboard::fuzzy::{only_severity, only_status, severity_word};
use crate::dashboard::theme::symbols::{severity_symbol, symbol};
use crate::domain::{Severity, Status};
use crate::format::time::count;

/// The first line, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What stands at its left end.
    pub parts: Vec<HeaderPart>,
    /// The columns there are for the parts.
    pub room: u16,
    /// Whether nothing is announced beyond the screen: `quiet`, and what divides it from what follows.
    pub quiet: &'static str,
    /// How many are refreshed automatically.
    pub auto: String,
    /// The time of day.
    pub time: String,
}

/// A part of the first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPart {
    /// Its first column.
    pub x: u16,
    /// Its text, the blank before the name of the program included.
    pub text: String,
    /// What it is.
    pub kind: PartKind,
}

/// What a part of the first line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// The program's name.
    Name,
    /// How many connections there are.
    Total,
    /// How many are in a status, or of a severity; the filter that shows these.
    Count(Severity, String),
}

impl Header {
    /// How many columns the parts take.
    fn used(&self) -> u16 {
        self.parts.last().map_or(0, |part| part.x + part.width())
    }
}

impl HeaderPart {
    /// How many columns it takes.
    #[must_use]
    pub fn width(&self) -> u16 {
        u16::try_from(self.text.width()).unwrap_or(u16::MAX)
    }
}

/// One count.
struct Count {
    symbol: &'static str,
    number: usize,
    word: &'static str,
    severity: Severity,
    filter: String,
}

/// The first line in `width` columns.
#[must_use]
pub fn header(app: &App, width: u16, now: DateTime<Utc>) -> Header {
    let (auto, time) = (auto(app), format!("   {} ", app.options.zone.time(now)));
    let quiet = match app.quiet {
        true if auto.is_empty() => "quiet",
        true => "quiet, ",
        false => "",
    };
    let apart = if width < 100 { 2 } else { 3 };
    let header_with = |auto: String| {
        let room = usize::from(width).saturating_sub(quiet.width() + auto.width() + time.width() + apart);
        let (parts, room) = (parts(app, room, now), u16::try_from(room).unwrap_or(u16::MAX));
        Header { parts, room, quiet, auto, time: time.clone() }
    };
    let plain = header_with(auto.clone());
    // Who refreshes is shown where that costs the counts nothing.
    let full = keepalive(app).map(|keepalive| header_with(format!("{keepalive}{auto}")));
    full.filter(|full| full.parts == plain.parts && full.room >= full.used()).unwrap_or(plain)
}

/// The keepalive service beside this dashboard, and what divides it from what follows.
fn keepalive(app: &App) -> Option<String> {
    let keepalive = app.keepalive?;
    Some(keepalive.pid.map_or_else(|| "keepalive, ".into(), |pid| format!("keepalive {pid}, ")))
}

fn auto(app: &App) -> String {
    if app.read_only {
        return "read-only".into();
    }
    let (on, all) = (app.connections.auto_on(), app.connections.all().len());
    match on {
        _ if all == 0 => String::new(),
        0 => "auto off".into(),
        on if on == all => "auto on".into(),
        on => format!("auto {on} of {all}"),
    }
}

/// The name and the counts, as much in words as there is room for.
fn parts(app: &App, room: usize, now: DateTime<Utc>) -> Vec<HeaderPart> {
    let name = if app.options.demo { " manutop demo" } else { " manutop" };
    let all = count(app.connections.all().len(), "connection");
    let (by_word, by_severity) = counts(app, now);
    let line = |total: &str, counts: &[Count], words: bool, gap: u16| {
        let mut parts = vec![HeaderPart { x: 0, text: name.into(), kind: PartKind::Name }];
        let mut push = |text: String, kind| {
            let x = parts.last().map_or(0, |part| part.x + part.width() + gap);
            parts.push(HeaderPart { x, text, kind });
        };
        if !total.is_empty() {
            push(total.into(), PartKind::Total);
        }
        for count in counts {
            let word = if words { format!(" {}", count.word) } else { String::new() };
            let text = format!("{} {}{word}", count.symbol, count.number);
            push(text, PartKind::Count(count.severity, count.filter.clone()));
        }
        parts
    };
    if app.connections.all().is_empty() {
        return line("", &[], false, 2);
    }
    let attempts = [
        (all.as_str(), &by_word, true, 3),
        (&all, &by_word, true, 2),
        ("", &by_word, true, 2),
        (&all, &by_severity, true, 2),
        ("", &by_severity, true, 2),
        ("", &by_severity, true, 1),
    ];
    let width = |parts: &[HeaderPart]| parts.last().map_or(0, |part| usize::from(part.x + part.width()));
    let mut lines = attempts.into_iter().map(|(total, counts, words, gap)| line(total, counts, words, gap));
    lines.find(|parts| width(parts) <= room).unwrap_or_else(|| line("", &by_severity, false, 1))
}

/// How many connections are in each status, and in each severity; good ones first, those that
/// are of no interest last.
fn counts(app: &App, now: DateTime<Utc>) -> (Vec<Count>, Vec<Count>) {
    let mut by_word: Vec<(&Status, usize)> = Vec::new();
    let mut by_severity = [0; 5];
    for (status, number) in app.connections.status_counts().counts() {
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
        filter: only_status(status),
    });
    let severities = [Severity::Good, Severity::Busy, Severity::Warning, Severity::Bad, Severity::Quiet];
    let by_severity = severities.into_iter().filter_map(|severity| {
        let number = by_severity[severity as usize];
        (number > 0).then(|| Count {
            symbol: severity_symbol(severity, now),
            number,
            word: severity_word(severity),
            severity,
            filter: only_severity(severity),
        })
    });
    (by_word.collect(), by_severity.collect())
}
