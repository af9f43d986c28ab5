//! What the details pane says of a connection, as a sheet.
//!
//! What matters most comes first: on a low screen the pane shows four lines.

pub mod inspected;
pub mod remedy;
pub mod token_history;

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Size;

use crate::dashboard::details::inspected::Inspected;
use crate::dashboard::details::remedy::remedy;
use crate::dashboard::details::token_history::moment;
use crate::dashboard::request_log::request;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::dashboard::{App, undo};
use crate::domain::text::neutralise;
use crate::domain::{Activity, Brief, ConnectionView, Holding, LossOutcome, Problem, Severity, TokenFacts};
use crate::format::time::{ago, countdown, milliseconds};
use crate::request_log::words;

/// The columns of the labels, the space after them included.
const LABELS: usize = 9;
/// The same where times are labels, with room for a symbol beside them.
const LABELS_FULL: usize = 11;
/// How many of its requests a connection's full screen lists.
const RECENT: usize = 50;
/// A clock that is off by this much is worth a line: countdowns are by this machine's clock.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(30);
/// How many of the newest requests of all the pane looks through for those of one connection: it
/// is drawn often.
const LOOKED_THROUGH: usize = 1000;
/// The most bars of a sparkline.
const BARS: usize = 20;

/// Everything known of a connection, for the full screen.
#[must_use]
pub fn full_sheet(app: &App, view: &ConnectionView, inspected: &Inspected, now: DateTime<Utc>) -> Sheet {
    let mut lines = facts(app, view, true, now);
    lines.extend(token_history::sections(app, inspected, now));
    lines.push(SheetLine::blank());
    lines.push(SheetLine::new("", "Its latest requests", Tone::Heading));
    let entries = app.requests.of(&view.name).take(RECENT);
    lines.extend(entries.map(|row| request::line(app.options.zone, row.into())));
    Sheet { lines, label_width: LABELS_FULL }
}

/// The same for the pane; as many of the latest requests as it has lines left.
#[must_use]
pub fn sheet(app: &App, view: &ConnectionView, room: Size, now: DateTime<Utc>) -> Sheet {
    let mut sheet = Sheet { lines: facts(app, view, false, now), label_width: LABELS };
    let used = sheet.wrapped(room.width.into()).len();
    // A blank line, the heading, and more than one request, or it is not worth the heading.
    let left = usize::from(room.height).saturating_sub(used + 2);
    if left >= 2 && room.width >= 44 {
        let entries = app.requests.newest().take(LOOKED_THROUGH).filter(|row| row.connection == view.name).take(left);
        let mut entries =
            entries.map(|row| request::short_line(app.options.zone, row.into(), room.width >= 62)).peekable();
        if entries.peek().is_some() {
            sheet.lines.push(SheetLine::blank());
            sheet.lines.push(SheetLine::new("", "Its latest requests", Tone::Heading));
            sheet.lines.extend(entries);
        }
    }
    sheet
}

fn facts(app: &App, view: &ConnectionView, full: bool, now: DateTime<Utc>) -> Vec<SheetLine> {
    let mut lines = problem(app, view, full, now);
    lines.push(SheetLine::new("next", next_refresh(app, view, now), Tone::Plain));
    match &view.holding {
        Holding::Unknown | Holding::Remembered(_) => {
            lines.push(SheetLine::new("tokens", "not read from the store yet", Tone::Dim));
        }
        Holding::Nothing => lines.push(SheetLine::new("tokens", "none", Tone::Dim)),
        Holding::Tokens { facts, saved } => lines.extend(tokens(app, view, facts, *saved, full, now)),
    }
    lines.extend(lost_answer(app, view, now));
    lines.extend(latency(app, view, if full { bars(app) } else { BARS }));
    lines.extend(last(app, view, now));
    lines.extend(full.then(|| last_failure(app, view, now)).flatten());
    lines.extend(skew(view));
    if let Some(facts) = view.token() {
        lines.extend(prints(facts));
    }
    let grant = if view.needs_browser { "login with a browser" } else { "client credentials" };
    if let Some(title) = &view.title {
        lines.push(SheetLine::new("title", neutralise(title, 160), Tone::Plain));
    }
    lines.push(SheetLine::new("provider", format!("{} · {grant}", view.provider.title), Tone::Plain));
    lines
}

/// What is wrong, and how to fix it.
fn problem(app: &App, view: &ConnectionView, full: bool, now: DateTime<Utc>) -> Vec<SheetLine> {
    let mut lines = Vec::new();
    lines.extend(undo::refusal(app, &view.name).map(|text| SheetLine::new("", text, Tone::Status(Severity::Warning))));
    let severity = view.status(now).severity();
    // A problem that something under way is about to fix is not shown as persisting.
    if let Some(problem) = view.problem.as_ref().filter(|_| severity != Severity::Busy) {
        let words = match problem {
            Problem::RateLimited { until } => format!("rate limited until {}", app.options.zone.time(*until)),
            // The command stands on a line of its own.
            Problem::NoClientSecret { .. } => "no client secret stored".into(),
            other => neutralise(&other.to_string(), 400),
        };
        lines.push(SheetLine::new("", words, Tone::Status(severity)));
    }
    if let Activity::Refreshing { since } | Activity::Testing { since } = view.activity {
        let what = if matches!(view.activity, Activity::Testing { .. }) { "test call" } else { "token request" };
        let text = format!("{what} out for {}", countdown(now - since));
        lines.push(SheetLine::new("", text, Tone::Status(Severity::Busy)));
    }
    if let Some(remedy) = remedy(view, now) {
        if !remedy.words.is_empty() {
            lines.push(SheetLine::new("", remedy.words, Tone::Wide));
        }
        let step = |(action, words)| SheetLine::new(app.key(action), words, Tone::Step);
        lines.extend(remedy.first.map(step));
        lines.extend(remedy.command.map(|command| SheetLine::new("", command, Tone::Command)));
        // In the full screen Esc closes it, whatever it would do in the table.
        let keys =
            remedy.keys.into_iter().filter(|(action, _)| !full || *action != crate::dashboard::action::Action::Cancel);
        lines.extend(keys.map(step));
    }
    lines
}

/// The last lost answer, and what became of it. While it is about to be sent again, the problem says so.
fn lost_answer(app: &App, view: &ConnectionView, now: DateTime<Utc>) -> Option<SheetLine> {
    let (lost, outcome) = view.lost_answer?;
    let (end, tone) = match outcome {
        LossOutcome::Pending => return None,
        LossOutcome::Recovered => ("recovered", Tone::Plain),
        LossOutcome::Replaced => ("the provider had already replaced the token", Tone::Status(Severity::Bad)),
    };
    Some(SheetLine::new("lost", format!("answer lost at {}, {end}", app.zone().near(lost.at, now)), tone))
}

fn skew(view: &ConnectionView) -> Option<SheetLine> {
    let skew = view.clock_skew.filter(|skew| skew.abs() >= WORTH_TELLING)?;
    let side = if skew > TimeDelta::zero() { "behind" } else { "ahead of" };
    let text = format!("this machine is {} {side} the server", countdown(skew.abs()));
    Some(SheetLine::new("clock", text, Tone::Status(Severity::Warning)))
}

fn next_refresh(app: &App, view: &ConnectionView, now: DateTime<Utc>) -> String {
    let what = match view.problem {
        Some(Problem::Misconfigured { .. }) => "asks the provider again",
        Some(Problem::AnswerLost { .. }) => "sends the refresh token again",
        _ => "refresh",
    };
    match view.next_refresh {
        Some(at) if at > now => format!("{what} {} (in {})", app.options.zone.time(at), countdown(at - now)),
        Some(_) => "refresh due now".into(),
        None if view.auto && matches!(view.problem, Some(Problem::NeverLoggedIn)) => "nothing before a login".into(),
        None if view.auto && view.problem.as_ref().is_some_and(|problem| !problem.is_passing()) => {
            "nothing until this is fixed".into()
        }
        None if view.auto => "nothing planned".into(),
        None => format!("no automatic refresh ({} turns it on)", app.key(crate::dashboard::action::Action::ToggleAuto)),
    }
}

fn tokens(
    app: &App,
    view: &ConnectionView,
    facts: &TokenFacts,
    saved: bool,
    full: bool,
    now: DateTime<Utc>,
) -> Vec<SheetLine> {
    let zone = app.options.zone;
    let (kept, tone) = if saved {
        ("saved and read back", Tone::Plain)
    } else {
        ("not in the store yet", Tone::Status(Severity::Bad))
    };
    let got = |at| SheetLine::new("", format!("obtained {}", moment(zone, at, now)), Tone::Plain);
    let ends = if facts.remaining(now).num_seconds() > 0 { "ends" } else { "ended" };
    let end = if full {
        moment(zone, facts.expires_at, now)
    } else {
        format!("{}{}", zone.near(facts.expires_at, now), zone.in_utc(facts.expires_at))
    };
    let mut lines = vec![
        SheetLine::new("tokens", format!("generation {} · {kept}", facts.generation), tone),
        SheetLine::new("access", format!("{ends} {end}"), Tone::Plain),
    ];
    lines.extend(full.then(|| got(facts.obtained_at)));
    let refresh = match (&facts.refresh, &view.problem) {
        (Some(_), Some(Problem::NeedsLogin { .. })) => "revoked, or not valid any more".into(),
        (Some(_), Some(Problem::Uncertain { .. })) => "uncertain: it may have been replaced".into(),
        (Some(_), Some(Problem::AnswerLost { .. })) => "answer lost: it may have been replaced".into(),
        (Some(_), Some(Problem::RolledBack { .. })) => "outdated: a newer one was saved".into(),
        (Some(refresh), _) => {
            let left = refresh.estimated_end - now;
            let ends = if left.num_seconds() > 0 { format!("in ~{}", countdown(left)) } else { ago(-left) };
            format!("ends about {} ({ends})", zone.date(refresh.estimated_end))
        }
        (None, _) if view.needs_browser => "no refresh token".into(),
        (None, _) => "needs none: a new token is minted".into(),
    };
    lines.push(SheetLine::new("refresh", refresh, Tone::Plain));
    lines.extend(facts.refresh.as_ref().filter(|_| full).map(|refresh| got(refresh.obtained_at)));
    if let Some(subject) = &facts.subject {
        lines.push(SheetLine::new("subject", subject.words(), Tone::Plain));
    }
    if let Some(scope) = &facts.scope {
        lines.push(SheetLine::new("scope", neutralise(scope, 400), Tone::Plain));
    }
    lines
}

/// Fingerprints distinguish two tokens and are useless to guess one.
fn prints(facts: &TokenFacts) -> Vec<SheetLine> {
    let mut prints = format!("access {}", facts.access_fingerprint);
    if let Some(refresh) = &facts.refresh {
        let _ = write!(prints, " · refresh {}", refresh.fingerprint);
    }
    vec![SheetLine::new("sha-256", prints, Tone::Dim)]
}

fn last(app: &App, view: &ConnectionView, now: DateTime<Utc>) -> Option<SheetLine> {
    let last = view.last.as_ref()?;
    let (result, tone) = match &last.result {
        Ok(status) if *status < 400 => (status.to_string(), Tone::Plain),
        Ok(status) => (status.to_string(), Tone::Status(Severity::Warning)),
        Err(word) => (neutralise(word, 60), Tone::Status(Severity::Warning)),
    };
    Some(SheetLine::new(
        "last",
        format!("{result} at {} ({})", app.options.zone.time(last.at), ago(now - last.at)),
        tone,
    ))
}

/// The newest of its requests that failed, also where all is well again: the cause of what was.
fn last_failure(app: &App, view: &ConnectionView, now: DateTime<Utc>) -> Option<SheetLine> {
    let (since, failed) =
        app.requests.of(&view.name).map(Brief::from).take(RECENT).enumerate().find(|(_, entry)| !entry.is_ok())?;
    let when = moment(app.options.zone, failed.at, now);
    let (sequel, tone) = match since {
        0 => ("", Tone::Status(words::severity(failed))),
        _ => ("; answered well since", Tone::Dim),
    };
    Some(SheetLine::new("failed", format!("{when}: {}{sequel}", words::verdict(failed)), tone))
}

/// How many bars of a sparkline the full screen has room for, beside label and number.
fn bars(app: &App) -> usize {
    usize::from(app.size.width).saturating_sub(LABELS_FULL + 14).max(1)
}

fn latency(app: &App, view: &ConnectionView, bars: usize) -> Option<SheetLine> {
    let latencies = app.requests.latency(&view.name);
    let too_many = latencies.len().saturating_sub(bars);
    let shown: Vec<u64> = latencies.skip(too_many).collect();
    let newest = *shown.last()?;
    Some(SheetLine::new("latency", format!("{} {}", sparkline(&shown), milliseconds(newest)), Tone::Plain))
}

/// Bars of eight heights, the highest value the highest bar.
fn sparkline(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let greatest = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: u64| usize::try_from(u128::from(value) * 7 / u128::from(greatest)).unwrap_or(7);
    values.iter().map(|&value| HEIGHTS[height(value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn a_sparkline_scales_to_its_greatest_value() {
        assert_eq!(sparkline(&[0, 50, 100]), "▁▄█");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[u64::MAX, u64::MAX / 2]), "█▄");
    }
}
