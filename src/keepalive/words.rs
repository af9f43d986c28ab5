//! The log's lines: level, message and object of each event. What `on_event` reports too has the same object here.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{ConnectionEvent, Event, EventKind, HostEvent, IncidentChange, Severity};
use crate::format;
use crate::format::event::Sentence;
use crate::keepalive::log::{Level, LogLine};
use crate::notifications::report;

/// The line for an event; `None` for one that is logged elsewhere, or not at all.
pub(crate) fn of_event(event: &Event, at: DateTime<Utc>) -> Option<LogLine> {
    match event {
        Event::Connection(event) => of_connection(event, at),
        event => of_program(event, at),
    }
}

fn of_connection(event: &ConnectionEvent, at: DateTime<Utc>) -> Option<LogLine> {
    let utc = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let Sentence { severity, text } = format::event::of_connection(&event.kind, utc)?;
    let about = || json!({ "connection": event.connection });
    let (level, text) = match &event.kind {
        EventKind::Removed => {
            return Some(LogLine::new(Level::Notice, "removed", &format!("{text}; its tokens are kept"), about(), at));
        }
        EventKind::Refused { .. } => return Some(LogLine::new(Level::Warning, "refused", &text, about(), at)),
        EventKind::InMemoryOnly { generation, .. } => (Level::Error, format!("generation {generation}: {text}")),
        EventKind::RefreshFailed { .. } => (level(severity).min(Level::Warning), format!("not refreshed: {text}")),
        EventKind::Refreshed { recovered: Some(_), .. } => (Level::Notice, text),
        EventKind::LoggedOut { .. } => (level(severity).min(Level::Notice), text),
        EventKind::Refreshed { .. }
        | EventKind::Adopted { .. }
        | EventKind::LoggedIn { .. }
        | EventKind::NotSaved { .. } => (level(severity), text),
        _ => return None,
    };
    report::of_event(event, at).map(|report| LogLine::of_report(level, &text, report))
}

/// How urgent a line is, by how much attention its sentence asks for.
fn level(severity: Severity) -> Level {
    match severity {
        Severity::Bad => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Busy | Severity::Good | Severity::Quiet => Level::Info,
    }
}

/// Events about the whole service, which `on_event` does not report.
fn of_program(event: &Event, at: DateTime<Utc>) -> Option<LogLine> {
    let text = format::event::of_program(event)?.text;
    let (level, word, fields) = match event {
        Event::Host(HostEvent::ConfigurationRead(Ok(()))) => (Level::Notice, "reloaded", json!({})),
        Event::Host(HostEvent::ConfigurationRead(Err(why))) => (Level::Error, "reload_failed", json!({ "why": why })),
        Event::Host(HostEvent::HookFailed { why }) => (Level::Warning, "on_event_failed", json!({ "why": why })),
        Event::PassphraseAsked { .. } | Event::StoreChanged(Err(_)) => {
            (Level::Error, "store_unavailable", json!({ "why": text }))
        }
        Event::StoreChanged(Ok(())) => (Level::Notice, "store_available", json!({})),
        _ => return None,
    };
    Some(LogLine::new(level, word, &text, fields, at))
}

/// The line for an incident's opening or closing.
pub(crate) fn of_change(change: &IncidentChange, at: DateTime<Utc>) -> LogLine {
    let (level, message) = match change {
        IncidentChange::Opened(incident) => {
            (Level::Error, format!("incident: {}: {}", incident.kind.words(), incident.why))
        }
        IncidentChange::Closed { recovered: true, .. } => (Level::Notice, "incident closed: recovered".into()),
        IncidentChange::Closed { incident, recovered: false } => {
            (Level::Notice, format!("incident closed: it no longer {}", incident.kind.words()))
        }
    };
    LogLine::of_report(level, &message, report::of_change(change, at))
}
