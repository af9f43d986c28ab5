//! A logged request in words, as the dashboard, `manutop log` and exported files show it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::domain::text::neutralise;
use crate::domain::{Brief, Exchange, Severity};
use crate::format::width::{beginning, ending};

/// What a request was for.
#[must_use]
pub fn purpose(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Authorization => "authorization",
        Exchange::Code => "code for tokens",
        Exchange::Refresh => "refresh",
        Exchange::Mint => "mint",
        Exchange::Test => "test call",
        Exchange::Revoke => "revocation",
    }
}

/// The outcome in short: `200`, `400 invalid_grant`, `timeout`.
#[must_use]
pub fn result<'a>(entry: impl Into<Brief<'a>>) -> String {
    let entry = entry.into();
    let mut text = match entry.outcome {
        Ok(status) => status.to_string(),
        Err(word) => neutralise(word, 60),
    };
    if let Some(error) = entry.oauth_error {
        let _ = write!(text, " {}", neutralise(error, 60));
    }
    text
}

/// How serious the outcome is.
#[must_use]
pub fn severity<'a>(entry: impl Into<Brief<'a>>) -> Severity {
    let entry = entry.into();
    match (entry.outcome, entry.is_ok()) {
        (_, true) => Severity::Good,
        (Ok(429 | 500..), false) => Severity::Warning,
        (_, false) => Severity::Bad,
    }
}

/// The outcome with the server's explanation, if it gave one.
#[must_use]
pub fn verdict<'a>(entry: impl Into<Brief<'a>>) -> String {
    let entry = entry.into();
    match entry.description {
        Some(description) => format!("{}: {}", result(entry), neutralise(description, 200)),
        None => result(entry),
    }
}

/// Method, host and path, shortened to `width` columns. The end of the path matters most and is kept; it is cut before
/// a `/` if possible.
#[must_use]
pub fn target<'a>(entry: impl Into<Brief<'a>>, width: usize) -> String {
    let entry = entry.into();
    let path = neutralise(entry.path, 200);
    let method = neutralise(entry.method, 10);
    let whole = format!("{method} {}{path}", neutralise(entry.host, 100));
    if whole.width() <= width {
        return whole;
    }
    let room = width.saturating_sub(method.width() + 1);
    let length = path.width();
    // A few letters of the host would be useless.
    if length + 8 < room {
        let host = neutralise(entry.host, 100);
        return format!("{method} {}…{path}", beginning(&host, room - length - 1));
    }
    format!("{method} …{}", tail(&path, room.saturating_sub(1)))
}

/// The longest end of a path that starts with a `/` and takes at most `room` columns; if there is none, the last
/// characters.
fn tail(path: &str, room: usize) -> &str {
    let tail = ending(path, room);
    match tail.find('/') {
        Some(at) if at + 1 < tail.len() => &tail[at..],
        _ => tail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::LogEntry;
    use crate::request_log::fixtures::request;

    #[test]
    fn a_path_too_long_is_cut_before_a_slash() {
        let mint = LogEntry {
            host: "api.manus.im".into(),
            path: "/api/user/manage/v1/oauth/token".into(),
            ..request("hr-sync", 0)
        };
        for (width, text) in [
            (60, "POST api.manus.im/api/user/manage/v1/oauth/token"),
            (47, "POST api.manus.…/api/user/manage/v1/oauth/token"),
            (23, "POST …/v1/oauth/token"),
            (18, "POST …/oauth/token"),
            (12, "POST …/token"),
            (10, "POST …oken"),
        ] {
            assert_eq!(target(&mint, width), text, "{width}");
        }
    }
}
