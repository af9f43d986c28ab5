//! What the log says of what happens: level and message for each event. What `on_event` is told as
//! well has the same object here.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{Author, ConnectionName, Event, IncidentChange, Problem};
use crate::keepalive::log::{Level, LogLine};
use crate::notifications::report;

/// The line for an event; `None` for one that is told otherwise, or not at all.
pub(crate) fn of_event(event: &Event, at: DateTime<Utc>) -> Option<LogLine> {
    let (level, message) = match event {
        Event::Refreshed { generation, recovered: None, .. } => {
            (Level::Info, format!("refreshed, generation {generation}"))
        }
        Event::Refreshed { generation, recovered: Some(lost), .. } => {
            (Level::Notice, format!("refreshed, generation {generation}; {lost}, recovered"))
        }
        Event::Adopted { generation, by, .. } => {
            (Level::Info, format!("{} refreshed it, generation {generation} taken over", Author::subject(*by)))
        }
        Event::LoggedIn { generation, .. } => (Level::Info, format!("logged in, generation {generation}")),
        Event::NotSaved { generation, why, .. } => {
            (Level::Error, format!("generation {generation} is not saved yet, but safe in the journal: {why}"))
        }
        Event::InMemoryOnly { generation, why, .. } => {
            let problem = Problem::NotSaved { why: why.clone(), durable: false };
            (Level::Error, format!("generation {generation}: {problem}; saving is tried again"))
        }
        Event::RefreshFailed { problem, .. } => {
            let level = if problem.is_passing() { Level::Warning } else { Level::Error };
            (level, format!("not refreshed: {problem}"))
        }
        Event::LoggedOut { revocation, .. } => {
            let level = if revocation.why().is_some() { Level::Warning } else { Level::Notice };
            (level, format!("logged out, tokens forgotten; {}", revocation.words()).trim_end_matches("; ").to_owned())
        }
        event => return of_service(event, at),
    };
    report::of_event(event, at).map(|report| LogLine::of_report(level, &message, report))
}

/// Events that concern the whole service, or that `on_event` is not told.
fn of_service(event: &Event, at: DateTime<Utc>) -> Option<LogLine> {
    let about = |connection: &ConnectionName| json!({ "connection": connection });
    Some(match event {
        Event::Removed { connection } => {
            let words = "in the configuration no more; its tokens are kept";
            LogLine::new(Level::Notice, "removed", words, about(connection), at)
        }
        Event::Refused { connection, why } => LogLine::new(Level::Warning, "refused", why, about(connection), at),
        Event::ConfigurationRead(Ok(())) => {
            LogLine::new(Level::Notice, "reloaded", "the configuration was read anew", json!({}), at)
        }
        Event::ConfigurationRead(Err(why)) => {
            LogLine::new(Level::Error, "reload_failed", &format!("configuration: {why}"), json!({ "why": why }), at)
        }
        Event::HookFailed { why } => {
            LogLine::new(Level::Warning, "on_event_failed", &format!("on_event: {why}"), json!({ "why": why }), at)
        }
        Event::PassphraseAsked { refused, .. } => {
            let waits = || "the encrypted store waits for its passphrase".to_owned();
            store_unavailable(&refused.as_ref().map_or_else(waits, ToString::to_string), at)
        }
        Event::StoreChanged(Err(why)) => store_unavailable(&why.to_string(), at),
        Event::StoreChanged(Ok(())) => {
            LogLine::new(Level::Notice, "store_available", "the secret store is back", json!({}), at)
        }
        _ => return None,
    })
}

fn store_unavailable(why: &str, at: DateTime<Utc>) -> LogLine {
    LogLine::new(Level::Error, "store_unavailable", why, json!({ "why": why }), at)
}

/// The line for an incident's opening or closing.
pub(crate) fn of_change(change: &IncidentChange, at: DateTime<Utc>) -> LogLine {
    let (level, message) = match change {
        IncidentChange::Opened(incident) => {
            (Level::Error, format!("incident: {}: {}", incident.kind.words(), incident.why))
        }
        IncidentChange::Closed { recovered: true, .. } => (Level::Notice, "incident over: it is well again".into()),
        IncidentChange::Closed { incident, recovered: false } => {
            (Level::Notice, format!("incident closed: it no longer {}", incident.kind.words()))
        }
    };
    LogLine::of_report(level, &message, report::of_change(change, at))
}
