//! Logged requests for tests.

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use crate::domain::{ConnectionName, Exchange, LogEntry, Outcome, Timings, Wire};

/// 14:02:31 where the tests live, two hours east of UTC.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 2, 31).unwrap()
}

pub(crate) fn name(name: &str) -> ConnectionName {
    ConnectionName::new(name).unwrap()
}

/// A request that many seconds ago.
pub(crate) fn request(connection: &str, seconds_ago: i64) -> LogEntry {
    LogEntry {
        at: now() - TimeDelta::seconds(seconds_ago),
        connection: name(connection),
        exchange: Exchange::Refresh,
        method: "POST".into(),
        host: "auth.manuonline.com".into(),
        path: "/oauth/token".into(),
        outcome: Outcome::Status(200),
        duration_ms: 182,
        attempt: 1,
        size: 1430,
        headers: vec![],
        oauth_error: None,
        oauth_error_description: None,
        wire: Wire::default(),
    }
}

/// A request log, oldest first.
pub(crate) fn log() -> Vec<LogEntry> {
    let mut log: Vec<_> = [95, 120, 90, 300, 110, 105, 60, 115, 108]
        .into_iter()
        .enumerate()
        .map(|(at, duration_ms)| {
            let ago = 20_000 - i64::try_from(at).unwrap() * 1440;
            LogEntry { duration_ms, ..request("factory", ago) }
        })
        .collect();
    log.push(LogEntry {
        exchange: Exchange::Mint,
        host: "api.manus.im".into(),
        path: "/api/user/manage/v1/oauth/token".into(),
        duration_ms: 96,
        ..request("hr-sync", 1700)
    });
    log.push(LogEntry {
        outcome: Outcome::Error("timeout".into()),
        duration_ms: 30_000,
        attempt: 3,
        size: 0,
        ..request("planning", 260)
    });
    log.push(refused_request());
    log.push(LogEntry {
        exchange: Exchange::Test,
        method: "GET".into(),
        host: "api.manus.im".into(),
        path: "/api/user/manage/v1/users".into(),
        duration_ms: 1240,
        ..request("hr-sync", 200)
    });
    log.push(LogEntry { duration_ms: 182, ..request("factory", 139) });
    log
}

/// What the wire showed of [`refused_request`].
fn wire() -> Wire {
    let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    Wire {
        url: Some("https://auth.manuonline.com/oauth/token".into()),
        version: Some("HTTP/1.1".into()),
        request_headers: headers.map(|(name, value)| (name.into(), value.into())).to_vec(),
        timings: Timings {
            blocked_us: Some(310),
            dns_us: Some(4200),
            connect_us: Some(31_800),
            wait_us: Some(51_100),
            receive_us: Some(590),
        },
    }
}

pub(crate) fn refused_request() -> LogEntry {
    LogEntry {
        outcome: Outcome::Status(400),
        duration_ms: 88,
        attempt: 1,
        size: 71,
        headers: vec![
            ("date".into(), "Tue, 10 Mar 2026 11:58:40 GMT".into()),
            ("x-ratelimit-remaining".into(), "4".into()),
        ],
        wire: wire(),
        oauth_error: Some("invalid_grant".into()),
        oauth_error_description: Some("Token has been revoked\u{1b}[2J because it was used twice".into()),
        ..request("sandbox", 231)
    }
}
