//! `manutop list`: the connections as they stand, for people and for scripts. Sends nothing.

use std::io::Write;

use chrono::{DateTime, Utc};
use eyre::Report;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::cli::commands::watch;
use crate::cli::support::exit::Exit;
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::domain::text::neutralise;
use crate::domain::{ConnectionName, ConnectionView};
use crate::format::time;
use crate::format::width::padded;

/// List the connections and their status; sends nothing
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    which: Which,
}

/// Which connections are shown, and how.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Connection names; without one, all
    #[arg(value_name = "NAME")]
    names: Vec<ConnectionName>,
    /// Print JSON; with --watch, one object per line
    #[arg(long)]
    json: bool,
    /// Keep running and print a line for each change: plain text, for screen readers and logs
    #[arg(long)]
    watch: bool,
}

impl ListArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        self.which.show(files, text, exit).await
    }
}

impl Which {
    /// Shows the connections: as JSON, in lines for each change, or as `text` has it. The exit code
    /// is `exit`'s, but for what stays until it is asked to stop.
    pub(crate) async fn show(
        self,
        files: &GlobalArgs,
        text: fn(&[ConnectionView], DateTime<Utc>) -> Vec<String>,
        exit: fn(&[ConnectionView], DateTime<Utc>) -> Exit,
    ) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let working = if self.names.is_empty() { session.work()? } else { session.work_on(&self.names)? };
        if self.watch {
            return watch::run(session, working, self.json).await;
        }
        let views = working.engine.views().await;
        working.finish().await;
        if views.is_empty() {
            message!("there are no connections in {}", session.paths.config_file.display());
        }
        let now = session.clock.now();
        if self.json {
            let connections: Vec<Value> = views.iter().map(|view| json::connection(view, now)).collect();
            json::print(json!({ "connections": connections }))?;
        } else {
            let mut out = std::io::stdout().lock();
            for line in text(&views, now) {
                writeln!(out, "{line}")?;
            }
        }
        Ok(exit(&views, now))
    }
}

/// The list is the result; that a store does not answer is in it, and a failure besides.
fn exit(views: &[ConnectionView], _now: DateTime<Utc>) -> Exit {
    let mut problems = views.iter().filter_map(|view| view.problem.as_ref());
    problems.find(|problem| Exit::from(*problem) == Exit::StoreUnavailable).map_or(Exit::Ok, |problem| {
        message!("{problem}");
        Exit::StoreUnavailable
    })
}

fn text(views: &[ConnectionView], now: DateTime<Utc>) -> Vec<String> {
    if views.is_empty() { Vec::new() } else { table(views, now) }
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
                time::countdown(token.remaining(now))
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
        refresh.map_or_else(|| "-".into(), |refresh| format!("~{}", time::countdown(refresh.estimated_end - now))),
        view.title.as_deref().map(|title| neutralise(title, 160)).unwrap_or_default(),
    ]
}
