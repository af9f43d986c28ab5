//! `/metrics`: what Prometheus scrapes, in the `OpenMetrics` text format.
//!
//! Counters live here and count what this process did; gauges are made of the connections'
//! state at each scrape. Labels are bounded: connections of the configuration, and words of ours;
//! no text from a server becomes one.

use std::sync::atomic::AtomicU64;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::{
    ConnectionEvent, ConnectionName, ConnectionView, Event, EventKind, Exchange, LIFETIME_NOTE, LogEntry, Outcome,
};
use crate::keepalive::needs_person;

/// The content type of what [`Metrics::encode`] writes.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the durations counted, in seconds.
const BOUNDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The OAuth errors (RFC 6749 §5.2) that are kinds of their own, and what else can go wrong.
const KINDS: [&str; 11] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "rate_limited",
    "server_error",
    "refused",
    "unreadable",
    "no_answer",
];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    connection: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    connection: String,
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    connection: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStatus {
    connection: String,
    status: &'static str,
}

/// What was counted since the start.
pub(crate) struct Metrics {
    refreshes: Family<Of, Counter>,
    adoptions: Family<Of, Counter>,
    failures: Family<OfKind, Counter>,
    durations: Family<Of, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            refreshes: Family::default(),
            adoptions: Family::default(),
            failures: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
        }
    }

    /// Begins a connection's counters at 0, so that their first increase is seen.
    pub(crate) fn welcome(&self, connection: &ConnectionName) {
        let of = of(connection);
        drop((self.refreshes.get_or_create(&of), self.adoptions.get_or_create(&of)));
    }

    /// Counts what happened.
    pub(crate) fn count_event(&self, event: &Event) {
        match event {
            Event::Connection(ConnectionEvent { connection, kind }) => match kind {
                EventKind::Refreshed { .. } => count(&self.refreshes, connection),
                EventKind::Adopted { .. } => count(&self.adoptions, connection),
                EventKind::Removed => self.forget(connection),
                _ => {}
            },
            Event::RequestLogged(entry) => self.observe(entry),
            Event::Configured { connections } => {
                for connection in connections {
                    self.welcome(&connection.name);
                }
            }
            _ => {}
        }
    }

    fn observe(&self, entry: &LogEntry) {
        if !matches!(entry.exchange, Exchange::Refresh | Exchange::Mint) {
            return;
        }
        let seconds = std::time::Duration::from_millis(entry.duration_ms).as_secs_f64();
        self.durations.get_or_create(&of(&entry.connection)).observe(seconds);
        if let Some(kind) = kind(entry) {
            let of = OfKind { connection: entry.connection.to_string(), kind };
            self.failures.get_or_create(&of).inc();
        }
    }

    fn forget(&self, connection: &ConnectionName) {
        let of = of(connection);
        self.refreshes.remove(&of);
        self.adoptions.remove(&of);
        self.durations.remove(&of);
        for kind in KINDS {
            self.failures.remove(&OfKind { connection: connection.to_string(), kind });
        }
    }

    /// All of it as it stands now.
    ///
    /// # Errors
    /// None in practice: the text is written to memory.
    pub(crate) fn encode(
        &self,
        views: &[ConnectionView],
        leads: bool,
        now: DateTime<Utc>,
    ) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("manutop");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The version of manutop", Info::new(version));
        let leader: Gauge = Gauge::default();
        leader.set(leads.into());
        registry.register("leader", "1 while this process refreshes automatically, 0 while on standby", leader);
        registry.register("refreshes", "New tokens that this process obtained", self.refreshes.clone());
        registry.register("adoptions", "New tokens that another process obtained", self.adoptions.clone());
        registry.register("refresh_failures", "Token requests that brought no tokens", self.failures.clone());
        let help = "Token requests from the first byte out to the last byte in";
        registry.register_with_unit("exchange_duration", help, Unit::Seconds, self.durations.clone());
        register_states(&mut registry, views, now);
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// The gauges of the connections' state.
fn register_states(registry: &mut Registry, views: &[ConnectionView], now: DateTime<Utc>) {
    let seconds = |registry: &mut Registry, name: &str, help: &str, value: &dyn Fn(&ConnectionView) -> Option<f64>| {
        let family = Family::<Of, Gauge<f64, AtomicU64>>::default();
        for view in views {
            if let Some(value) = value(view) {
                family.get_or_create(&of(&view.name)).set(value);
            }
        }
        registry.register_with_unit(name, help, Unit::Seconds, family);
    };
    let help = "When the access token ends, since the Unix epoch";
    let expiry = |view: &ConnectionView| Some(timestamp(view.token()?.expires_at));
    seconds(registry, "access_token_expiry_timestamp", help, &expiry);
    let help = "When the refresh token probably ends, since the Unix epoch; an estimate";
    let end = |view: &ConnectionView| Some(timestamp(view.token()?.refresh.as_ref()?.estimated_end));
    seconds(registry, "refresh_token_estimated_end_timestamp", help, &end);
    let help = "When the next refresh by this process is planned, since the Unix epoch";
    seconds(registry, "next_refresh_timestamp", help, &|view| view.next_refresh.map(timestamp));
    let help = "By how much the server's clock was ahead of this machine's at its last answer";
    seconds(registry, "clock_skew", help, &|view| Some(view.clock_skew?.as_seconds_f64()));

    let (statuses, persons) = (Family::<OfStatus, Gauge>::default(), Family::<Of, Gauge>::default());
    for view in views {
        let status = view.status(now);
        let of_status = OfStatus { connection: view.name.to_string(), status: status.id() };
        statuses.get_or_create(&of_status).set(1);
        persons.get_or_create(&of(&view.name)).set(needs_person(view, &status).into());
    }
    let lost_answers = Family::<OfOutcome, Gauge>::default();
    for (view, (lost, outcome)) in views.iter().filter_map(|view| Some((view, view.lost_answer?))) {
        let of = OfOutcome { connection: view.name.to_string(), outcome: outcome.id() };
        lost_answers.get_or_create(&of).set(lost.sends.into());
    }
    let help = "How often the refresh token was sent whose answer was lost last, and what became of it";
    registry.register("lost_answer_sends", help, lost_answers);
    registry.register("connection_status", "1 for the status that a connection is in", statuses);
    registry.register("connection_needs_person", "1 while only a person can help a connection", persons);
}

fn count(counters: &Family<Of, Counter>, connection: &ConnectionName) {
    counters.get_or_create(&of(connection)).inc();
}

fn of(connection: &ConnectionName) -> Of {
    Of { connection: connection.to_string() }
}

#[expect(clippy::cast_precision_loss, reason = "exact for all years that matter")]
fn timestamp(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

/// What kind of failure it was; `None` for tokens.
fn kind(entry: &LogEntry) -> Option<&'static str> {
    let Outcome::Status(status) = entry.outcome else { return Some("no_answer") };
    let code = entry.oauth_error.as_deref();
    if let Some(known) = KINDS[..6].iter().find(|known| code == Some(**known)) {
        return Some(known);
    }
    match status {
        429 => Some("rate_limited"),
        500.. => Some("server_error"),
        400.. => Some("refused"),
        _ if code.is_some() => Some("refused"),
        _ => entry
            .oauth_error_description
            .as_deref()
            .filter(|says| !says.starts_with(LIFETIME_NOTE))
            .map(|_| "unreadable"),
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Metrics, kind};
    use crate::dashboard::fixtures::{manu, now};
    use crate::domain::{Event, EventKind, LogEntry, Outcome};

    fn entry(outcome: Outcome, code: Option<&str>, description: Option<&str>) -> LogEntry {
        let line = r#"{"at":"2026-03-01T12:00:00Z","connection":"factory","exchange":"refresh","method":"POST","host":"h","path":"/","outcome":{"status":200},"duration_ms":182,"attempt":1,"size":77}"#;
        let entry: LogEntry = serde_json::from_str(line).unwrap();
        let (oauth_error, oauth_error_description) = (code.map(Into::into), description.map(Into::into));
        LogEntry { outcome, oauth_error, oauth_error_description, ..entry }
    }

    #[test]
    fn failures_are_labelled_with_words_of_ours_alone() {
        let status = |status, code, description| kind(&entry(Outcome::Status(status), code, description));
        assert_eq!(status(200, None, None), None);
        assert_eq!(status(200, None, Some("nothing that could be read")), Some("unreadable"));
        assert_eq!(status(200, None, Some("expires_in 1799000 taken as milliseconds")), None);
        assert_eq!(status(400, Some("invalid_grant"), None), Some("invalid_grant"));
        assert_eq!(status(400, Some("rate_limited"), None), Some("refused"), "no word of the server's");
        assert_eq!(status(429, None, None), Some("rate_limited"));
        assert_eq!(status(503, Some("made up by the server"), None), Some("server_error"));
        assert_eq!(kind(&entry(Outcome::Error("timeout".into()), None, None)), Some("no_answer"));
        let all = ["refused", "rate_limited", "server_error", "no_answer", "unreadable", "invalid_grant"];
        assert!(all.iter().all(|kind| KINDS.contains(kind)));
    }

    #[test]
    fn nothing_that_a_server_says_becomes_a_label() {
        let metrics = Metrics::new();
        for code in ["MARKER", "invalid_grant\"} 1\nMARKER 1", "marker_code"] {
            for outcome in [Outcome::Status(200), Outcome::Status(400), Outcome::Error("MARKER".into())] {
                let entry = entry(outcome, Some(code), Some("MARKER"));
                metrics.count_event(&Event::RequestLogged(Box::new(entry)));
            }
        }
        let text = metrics.encode(&[], true, now()).unwrap();
        assert!(text.contains("kind=\"refused\"} 6\n") && text.contains("kind=\"no_answer\"} 3\n"), "{text}");
        assert!(!text.to_ascii_uppercase().contains("MARKER"), "{text}");
    }

    #[test]
    fn a_connection_that_went_leaves_nothing_behind() {
        let metrics = Metrics::new();
        let connection = manu("factory", 0).name;
        metrics.count_event(&EventKind::Refreshed { generation: 2, recovered: None }.of(connection.clone()));
        metrics.count_event(&Event::RequestLogged(Box::new(entry(Outcome::Status(503), None, None))));
        let text = metrics.encode(&[], true, now()).unwrap();
        assert!(text.contains("manutop_refreshes_total{connection=\"factory\"} 1\n"), "{text}");
        assert!(text.contains("kind=\"server_error\"") && text.contains("_bucket{"), "{text}");
        metrics.count_event(&EventKind::Removed.of(connection));
        let text = metrics.encode(&[], true, now()).unwrap();
        assert!(!text.contains("factory"), "{text}");
    }
}
