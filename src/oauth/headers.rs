//! What the request log keeps of headers and of a URL's query: bounded, neutral, and without the
//! secrets that servers echo and people misplace.

use std::fmt::Write as _;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::domain::Secret;
use crate::domain::text::neutralise;
use crate::oauth::redact::KnownSecrets;

/// The most headers kept of a message.
const MAX_HEADERS: usize = 60;
/// The longest name kept, in characters.
const MAX_NAME: usize = 60;
/// The longest value kept, in characters.
const MAX_VALUE: usize = 200;
/// The longest value looked at, in characters.
const LONGEST_VALUE: usize = 2000;
/// Replaces a secret.
const MASK: &str = "***";

/// Headers whose value is never kept, by a part of their name.
const SECRET_NAMES: [&str; 11] = [
    "authorization",
    "cookie",
    "proxy-",
    "token",
    "secret",
    "session",
    "password",
    "api-key",
    "apikey",
    "credential",
    "signature",
];
/// Headers whose value may hold long words that are not secret.
const PLAIN_NAMES: [&str; 20] = [
    "accept",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "expires",
    "host",
    "keep-alive",
    "last-modified",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
];

/// The headers of a message, rate limits and the clock first. `secrets` are those sent or received with it.
pub(super) fn described(headers: &HeaderMap, secrets: &[&Secret]) -> Vec<(String, String)> {
    let known = KnownSecrets::of(secrets);
    let describe = |(name, value): (&HeaderName, &HeaderValue)| {
        let shown = if known.are_in(name.as_str()) { MASK.into() } else { neutralise(name.as_str(), MAX_NAME) };
        (shown, described_value(name.as_str(), &String::from_utf8_lossy(value.as_bytes()), &known))
    };
    let mut described: Vec<_> = headers.iter().map(describe).collect();
    // A secret may be spread over several.
    if known.are_in(&described.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")) {
        for (name, _) in &mut described {
            MASK.clone_into(name);
        }
    }
    if known.are_in(&described.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")) {
        for (_, value) in &mut described {
            MASK.clone_into(value);
        }
    }
    described.sort_by_key(|(name, _)| !is_telling(name));
    described.truncate(MAX_HEADERS);
    described
}

fn described_value(name: &str, value: &str, known: &KnownSecrets) -> String {
    let is_limit = is_limit(name);
    if !is_limit && SECRET_NAMES.iter().any(|part| name.contains(part)) {
        // The scheme is not secret and shows what was sent.
        return if value.starts_with("Bearer ") { format!("Bearer {MASK}") } else { MASK.into() };
    }
    let value = neutralise(value, LONGEST_VALUE);
    if known.are_in(&value) {
        return MASK.into();
    }
    // The path shows where it leads; the query may hold codes and tokens (RFC 6749 §4.1.2).
    let value = match value.split_once(['?', '#']) {
        Some((path, _)) if name == "location" => format!("{path}?{MASK}"),
        _ => value,
    };
    if is_limit || PLAIN_NAMES.contains(&name) || is_identifier(name, &value) {
        neutralise(&value, MAX_VALUE)
    } else {
        known.excerpt(&value, MAX_VALUE)
    }
}

fn is_telling(name: &str) -> bool {
    is_limit(name) || ["retry-after", "date", "content-type"].contains(&name)
}

fn is_limit(name: &str) -> bool {
    name.contains("ratelimit") || name.contains("rate-limit")
}

/// What names a request to the people who run the server, in hexadecimal digits.
fn is_identifier(name: &str, value: &str) -> bool {
    (name.ends_with("-id") || name.contains("trace")) && value.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The URL with the values of its query masked, but for numbers; without a user's name or password.
pub(super) fn described_url(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut shown = format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    for (at, pair) in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        let _ = match pair.split_once('=') {
            Some((_, value)) if value.parse::<u32>().is_ok() => write!(shown, "{pair}"),
            Some((key, _)) => write!(shown, "{key}={MASK}"),
            // A bare word may be anything.
            None => write!(shown, "{MASK}"),
        };
    }
    neutralise(&shown, 2000)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use url::Url;

    use super::{MAX_HEADERS, MAX_VALUE, Secret, described, described_url};

    fn value_of(name: &str, value: &str, secrets: &[&Secret]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        described(&headers, secrets).remove(0).1
    }

    #[test]
    fn what_is_secret_by_name_or_by_what_it_holds_is_masked() {
        let token = Secret::new("At-0123456789abcdef");
        for (name, value, shown) in [
            ("authorization", "Bearer At-0123456789abcdef", "Bearer ***"),
            ("set-cookie", "sid=1", "***"),
            ("proxy-authenticate", "Basic", "***"),
            ("x-access-token", "t", "***"),
            ("x-echo", "you sent At-0123456789ab...", "***"),
            ("date", "At-0123456789abcdef", "***"),
            ("x-unknown", "take eyJhbGciOiJIUzI1NiJ9.eyJzdWIi now", "take *** now"),
            ("location", "https://h.example/cb?code=x#y", "https://h.example/cb?***"),
        ] {
            assert_eq!(value_of(name, value, &[&token]), shown, "{name}: {value}");
        }
    }

    #[test]
    fn what_helps_to_understand_an_answer_stays_readable() {
        for (name, value) in [
            ("date", "Tue, 10 Mar 2026 11:58:40 GMT"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-ratelimit-remaining-tokens", "4"),
            ("x-request-id", "550e8400-e29b-41d4-a716-446655440000"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("www-authenticate", "Bearer error=\"invalid_token\""),
            ("server", "cloudflare/1.2.3-long-build-20260101T0000"),
        ] {
            assert_eq!(value_of(name, value, &[]), value, "{name}");
        }
    }

    #[test]
    fn a_secret_that_is_spread_over_several_headers_is_masked() {
        let token = Secret::new("At0123456789abcdefghij");
        for spread in [
            [("x-a", "At0123"), ("x-b", "456789"), ("x-c", "abcdef")],
            [("at012", "a"), ("34567", "b"), ("89abc", "c")],
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in spread {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let described = described(&headers, &[&token]);
            let is_masked = |of: fn(&(String, String)) -> &String| described.iter().all(|header| of(header) == "***");
            assert!(is_masked(|(name, _)| name) || is_masked(|(_, value)| value), "{described:?}");
        }
    }

    #[test]
    fn many_and_long_headers_are_bounded_and_the_telling_ones_are_kept() {
        let mut headers = HeaderMap::new();
        for number in 0..200 {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            headers.insert(name, HeaderValue::from_str(&"a b ".repeat(1000)).unwrap());
        }
        headers.insert("date", HeaderValue::from_static("now"));
        let described = described(&headers, &[]);
        assert_eq!(described.len(), MAX_HEADERS);
        assert_eq!(described[0], ("date".into(), "now".into()));
        assert!(described.iter().all(|(_, value)| value.chars().count() <= MAX_VALUE + 1));
    }

    #[test]
    fn a_url_keeps_of_its_query_what_cannot_be_a_secret() {
        let url = Url::parse("https://ada:pw@h.example:8443/users?limit=1&key=hunter2&hunter3#x").unwrap();
        assert_eq!(described_url(&url), "https://h.example:8443/users?limit=1&key=***&***");
        assert_eq!(described_url(&Url::parse("http://[::1]:81/a").unwrap()), "http://[::1]:81/a");
    }
}
