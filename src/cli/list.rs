//! `manutop list`: the connections as they stand, for people and for scripts. Sends nothing.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use color_eyre::eyre::Report;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::exit::{Exit, Stop};
use super::say::say;
use super::session::Session;
use crate::app::measure::padded;
use crate::app::words;
use crate::domain::text::neutralise;
use crate::domain::{ConnectionView, Holding, TokenFacts};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
pub(super) const JSON_VERSION: u32 = 1;

/// Prints the connections.
pub(super) async fn run(session: Session, as_json: bool) -> Result<Exit, Report> {
    let working = session.work(true)?;
    let views = working.engine.views().await;
    working.finish(&session).await;
    let now = session.clock.now();
    let mut out = std::io::stdout().lock();
    if as_json {
        let connections: Vec<Value> = views.iter().map(|view| object(view, now)).collect();
        writeln!(out, "{:#}", json!({ "version": JSON_VERSION, "connections": connections }))?;
    } else if views.is_empty() {
        say!("there are no connections in {}", session.paths.config_file.display());
    } else {
        for line in table(&views, now) {
            writeln!(out, "{line}")?;
        }
    }
    // The list is the result; that a store does not answer is in it, and a failure besides.
    let mut problems = views.iter().filter_map(|view| view.problem.as_ref());
    match problems.find(|problem| Exit::from(*problem) == Exit::StoreUnavailable) {
        Some(problem) => Err(Stop::new(Exit::StoreUnavailable, problem).into()),
        None => Ok(Exit::Ok),
    }
}

pub(super) fn object(view: &ConnectionView, now: DateTime<Utc>) -> Value {
    let status = view.status(now);
    json!({
        "name": view.name,
        "title": view.title,
        "provider": view.provider.id,
        "status": status.id(),
        "problem": view.problem.as_ref().map(ToString::to_string),
        "auto_refresh": view.auto,
        "saved": matches!(view.holding, Holding::Tokens { saved: true, .. }),
        "generation": view.token().map(|token| token.generation),
        "scope": view.token().and_then(|token| token.scope.clone()),
        "access_token": view.token().map(|token| access_token(token, now)),
        "refresh_token": view.token().and_then(|token| token.refresh.as_ref()).map(|refresh| json!({
            "obtained_at": rfc3339(refresh.obtained_at),
            "estimated_end": rfc3339(refresh.estimated_end),
            "fingerprint": refresh.fingerprint,
        })),
    })
}

fn access_token(token: &TokenFacts, now: DateTime<Utc>) -> Value {
    json!({
        "obtained_at": rfc3339(token.obtained_at),
        "expires_at": rfc3339(token.expires_at),
        "expires_in": token.remaining(now).num_seconds(),
        "fingerprint": token.access_fingerprint,
    })
}

pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn table(views: &[ConnectionView], now: DateTime<Utc>) -> Vec<String> {
    let mut rows = vec![["NAME", "PROVIDER", "STATUS", "ACCESS TOKEN", "REFRESH TOKEN", "TITLE"].map(String::from)];
    rows.extend(views.iter().map(|view| row(view, now)));
    // Titles come last, where scripts that count columns do not mind them.
    let columns = if views.iter().any(|view| view.title.is_some()) { 6 } else { 5 };
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(view: &ConnectionView, now: DateTime<Utc>) -> [String; 6] {
    let access = view.token().map_or_else(
        || "-".into(),
        |token| {
            if token.remaining(now).num_seconds() > 0 {
                words::countdown(token.remaining(now))
            } else {
                "expired".into()
            }
        },
    );
    let refresh = view.token().and_then(|token| token.refresh.as_ref());
    [
        view.name.to_string(),
        view.provider.label.to_owned(),
        view.status(now).word().to_owned(),
        access,
        refresh.map_or_else(|| "-".into(), |refresh| format!("~{}", words::countdown(refresh.estimated_end - now))),
        view.title.as_deref().map(|title| neutralise(title, 160)).unwrap_or_default(),
    ]
}
