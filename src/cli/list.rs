//! `manutop list`: the connections as they stand, for people and for scripts. Sends nothing.

use std::io::Write;

use chrono::{DateTime, Utc};
use color_eyre::eyre::Report;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::args::Files;
use super::exit::{Exit, Stop};
use super::say::say;
use super::session::Session;
use super::{json, watch};
use crate::app::measure::padded;
use crate::app::words;
use crate::domain::ConnectionView;
use crate::domain::text::neutralise;

/// List the connections and their state; sends nothing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON; with --watch one object a line
    #[arg(long)]
    json: bool,
    /// Stay, and print a line for each change until Ctrl-C: plain text, for screen readers and logs
    #[arg(long)]
    watch: bool,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        if self.watch { watch::run(session, self.json).await } else { run(session, self.json).await }
    }
}

/// Prints the connections.
async fn run(session: Session, as_json: bool) -> Result<Exit, Report> {
    let working = session.work(true)?;
    let views = working.engine.views().await;
    working.finish(&session).await;
    let now = session.clock.now();
    if as_json {
        let connections: Vec<Value> = views.iter().map(|view| json::connection(view, now)).collect();
        json::print(json!({ "connections": connections }))?;
    } else if views.is_empty() {
        say!("there are no connections in {}", session.paths.config_file.display());
    } else {
        let mut out = std::io::stdout().lock();
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
