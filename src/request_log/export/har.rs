//! HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>).
//!
//! What is not known is written as the format requires: -1, or an empty text where text is required.
//! Fields of our own begin with an underscore, as the format asks.

use serde_json::{Map, Value, json};
use url::Url;

use crate::domain::{LogEntry, Outcome, Timings};
use crate::request_log::words::purpose;

/// Said of the file as a whole.
const COMMENT: &str = "Bodies are never logged: they hold the tokens. Secrets in headers are masked as ***.";

/// The entries, in this order, as the text of an archive.
pub(crate) fn har(entries: &[&LogEntry]) -> String {
    let archive = json!({
        "log": {
            "version": "1.2",
            "creator": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
            "entries": entries.iter().map(|entry| exchange(entry)).collect::<Vec<_>>(),
            "comment": COMMENT,
        }
    });
    serde_json::to_string_pretty(&archive).expect("JSON can always be written") + "\n"
}

fn exchange(entry: &LogEntry) -> Value {
    let (timings, whole) = timings(entry);
    let mut exchange = json!({
        "startedDateTime": entry.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "time": whole,
        "request": request(entry),
        "response": response(entry),
        "cache": {},
        "timings": timings,
        "_connection": entry.connection,
        "_purpose": purpose(entry.exchange),
        "_attempt": entry.attempt,
    });
    // The words that a browser's tools show for a request without an answer.
    if let Outcome::Error(why) = &entry.outcome {
        exchange["_error"] = json!(why);
    }
    if let Some(error) = &entry.oauth_error {
        exchange["_oauthError"] = json!(error);
    }
    if let Some(description) = &entry.oauth_error_description {
        exchange["_oauthErrorDescription"] = json!(description);
    }
    exchange
}

fn request(entry: &LogEntry) -> Value {
    let url = entry.url();
    let query = Url::parse(&url).map(|url| {
        let pairs = url.query_pairs().map(|(name, value)| json!({ "name": name, "value": value }));
        pairs.collect::<Vec<_>>()
    });
    json!({
        "method": entry.method,
        "url": url,
        "httpVersion": entry.wire.version.as_deref().unwrap_or_default(),
        "cookies": [],
        "headers": headers(&entry.wire.request_headers),
        "queryString": query.unwrap_or_default(),
        "headersSize": -1,
        "bodySize": body_size(entry),
    })
}

/// A `GET` of ours has no body; of the others the header shows it.
fn body_size(entry: &LogEntry) -> i64 {
    let length = entry.wire.request_headers.iter().find(|(name, _)| name == "content-length");
    match length {
        Some((_, length)) => length.parse().unwrap_or(-1),
        None if entry.method == "GET" => 0,
        None => -1,
    }
}

fn response(entry: &LogEntry) -> Value {
    let (status, size) = match entry.outcome {
        Outcome::Status(status) => (status, i64::try_from(entry.size).unwrap_or(-1)),
        Outcome::Error(_) => (0, -1),
    };
    json!({
        "status": status,
        "statusText": "",
        "httpVersion": entry.wire.version.as_deref().unwrap_or_default(),
        "cookies": [],
        "headers": headers(&entry.headers),
        "content": {
            "size": entry.size,
            "mimeType": entry.header("content-type").unwrap_or_default(),
            "comment": "never logged",
        },
        "redirectURL": entry.header("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": size,
    })
}

fn headers(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// The phases in milliseconds, and their sum. Sending and waiting cannot be distinguished, nor can
/// TCP and TLS; an older entry has the total only, and all of it counts as waiting.
fn timings(entry: &LogEntry) -> (Value, f64) {
    let Timings { blocked_us, dns_us, connect_us, wait_us, receive_us } = entry.wire.timings;
    let is_known = !entry.wire.timings.is_empty();
    let wait = if is_known { wait_us.unwrap_or(0) } else { entry.duration_ms.saturating_mul(1000) };
    let phases = [
        ("blocked", blocked_us),
        ("dns", dns_us),
        ("connect", connect_us),
        // Required, and never negative: what was not reached took no time.
        ("send", Some(0)),
        ("wait", Some(wait)),
        ("receive", Some(receive_us.unwrap_or(0))),
        ("ssl", None),
    ];
    let whole: u64 = phases.iter().filter_map(|(_, spent)| *spent).fold(0, u64::saturating_add);
    let mut timings: Map<String, Value> =
        phases.into_iter().map(|(name, spent)| (name.into(), spent.map_or(json!(-1), |us| json!(ms(us))))).collect();
    let comment = if is_known { "send is part of wait, ssl of connect" } else { "only the whole is known" };
    timings.insert("comment".into(), json!(comment));
    (Value::Object(timings), ms(whole))
}

#[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 microseconds")]
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::har;
    use crate::domain::{LogEntry, Outcome};
    use crate::request_log::fixtures::{log, refused_request};

    /// What HAR 1.2 requires of every entry, and of what kind it is.
    fn assert_complete(entry: &Value) {
        let strings = [
            "/startedDateTime",
            "/request/method",
            "/request/url",
            "/request/httpVersion",
            "/response/statusText",
            "/response/httpVersion",
            "/response/redirectURL",
            "/response/content/mimeType",
        ];
        let numbers = [
            "/time",
            "/request/headersSize",
            "/request/bodySize",
            "/response/status",
            "/response/headersSize",
            "/response/bodySize",
            "/response/content/size",
            "/timings/send",
            "/timings/wait",
            "/timings/receive",
        ];
        let lists =
            ["/request/cookies", "/request/headers", "/request/queryString", "/response/cookies", "/response/headers"];
        let all = |paths: &[&str], is_so: fn(&Value) -> bool| {
            for path in paths {
                assert!(entry.pointer(path).is_some_and(is_so), "{path} of {entry}");
            }
        };
        all(&strings, Value::is_string);
        all(&numbers, Value::is_number);
        all(&lists, Value::is_array);
        assert!(entry["cache"].is_object());
        for header in ["/request/headers", "/response/headers"]
            .iter()
            .flat_map(|path| entry.pointer(path).unwrap().as_array().unwrap())
        {
            assert!(header["name"].is_string() && header["value"].is_string(), "{header}");
        }
        chrono::DateTime::parse_from_rfc3339(entry["startedDateTime"].as_str().unwrap()).unwrap();
        url::Url::parse(entry.pointer("/request/url").unwrap().as_str().unwrap()).unwrap();
        let phases =
            ["blocked", "dns", "connect", "send", "wait", "receive"].map(|name| entry["timings"][name].as_f64());
        let sum: f64 = phases.into_iter().flatten().filter(|phase| *phase >= 0.0).sum();
        assert!((sum - entry["time"].as_f64().unwrap()).abs() < 0.001, "{}", entry["timings"]);
    }

    fn parsed(entries: &[LogEntry]) -> Value {
        let archive: Value = serde_json::from_str(&har(&entries.iter().collect::<Vec<_>>())).unwrap();
        assert_eq!(archive["log"]["version"], "1.2");
        assert_eq!(archive["log"]["creator"]["name"], "manutop");
        assert!(archive["log"]["creator"]["version"].is_string());
        archive["log"]["entries"].as_array().unwrap().iter().for_each(assert_complete);
        archive
    }

    #[test]
    fn every_entry_has_all_that_the_format_requires() {
        let archive = parsed(&log());
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), log().len());
        assert_eq!(parsed(&[])["log"]["entries"], Value::Array(Vec::new()));
    }

    #[test]
    fn what_is_known_is_exported_and_what_is_not_is_minus_one() {
        let archive =
            parsed(&[refused_request(), LogEntry { wire: crate::domain::Wire::default(), ..refused_request() }]);
        let (new, old) = (&archive["log"]["entries"][0], &archive["log"]["entries"][1]);
        assert_eq!(new["timings"]["dns"], 4.2);
        assert_eq!(new["timings"]["ssl"], -1);
        assert_eq!(new["request"]["headers"][0]["name"], "accept");
        assert_eq!(new["_oauthError"], "invalid_grant");
        assert_eq!((&old["timings"]["dns"], &old["timings"]["wait"]), (&Value::from(-1), &Value::from(88.0)));
        assert_eq!(old["request"]["url"], "https://auth.manuonline.com/oauth/token");
    }

    #[test]
    fn a_request_without_an_answer_has_status_zero_and_says_why() {
        let entry = LogEntry { outcome: Outcome::Error("timeout".into()), ..refused_request() };
        let archive = parsed(&[entry]);
        let entry = &archive["log"]["entries"][0];
        assert_eq!((&entry["response"]["status"], &entry["_error"]), (&Value::from(0), &Value::from("timeout")));
    }
}
