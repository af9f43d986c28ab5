//! Reads the token endpoint's answer leniently: whatever else is missing or odd, tokens in it are
//! rescued, because a refresh token that was answered and dropped ends the connection.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::Secret;
use crate::domain::text::neutralise;

/// The longest lifetime believed; a larger `expires_in` is taken for this.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What was found in an answer of the token endpoint (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The access token; missing only where a refresh token came alone.
    pub access_token: Option<Secret>,
    /// The refresh token; none, or an empty one, leaves the old one in force (§6).
    pub refresh_token: Option<Secret>,
    /// `expires_in`, where it could be read.
    pub expires_in: Option<Duration>,
    /// The scope granted, where it differs from the one asked for.
    pub scope: Option<String>,
    /// The JSON was broken: what is missing here may have been in the part that is.
    pub is_broken: bool,
}

/// Finds tokens in an answer's body: in a JSON object at any depth, after a byte order mark,
/// before trailing garbage, and, where the JSON is broken or cut off, as whole string members.
///
/// The outermost object that holds both tokens counts, else the outermost of each token; of
/// duplicate keys the last one that holds a token. Work is linear in the size of the body.
#[must_use]
pub fn read(body: &[u8]) -> Option<TokenAnswer> {
    let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    let first = serde_json::Deserializer::from_str(&text).into_iter::<Value>().next();
    let parsed = match &first {
        Some(Ok(value)) => gather(value),
        _ => None,
    };
    match parsed {
        Some(found) if found.access_token.is_some() && found.refresh_token.is_some() => Some(found),
        // What parsing drops (an earlier one of two equal keys, all of a broken text) may still be seen.
        parsed => fill(parsed, salvage(&text)),
    }
}

/// What the outermost object with both tokens says; else what the outermost with each says.
fn gather(value: &Value) -> Option<TokenAnswer> {
    let mut found = None;
    let mut level = vec![value];
    while !level.is_empty() {
        for members in level.iter().filter_map(|value| value.as_object()) {
            let here = from_members(members);
            match (&here.access_token, &here.refresh_token) {
                (Some(_), Some(_)) => return Some(here),
                (None, None) => {}
                _ => found = fill(found, Some(here)),
            }
        }
        level = level.into_iter().flat_map(children).collect();
    }
    found
}

/// One finding, completed from another where it says nothing.
fn fill(first: Option<TokenAnswer>, second: Option<TokenAnswer>) -> Option<TokenAnswer> {
    let (Some(first), Some(second)) = (&first, &second) else { return first.or(second) };
    Some(TokenAnswer {
        access_token: first.access_token.clone().or_else(|| second.access_token.clone()),
        refresh_token: first.refresh_token.clone().or_else(|| second.refresh_token.clone()),
        expires_in: first.expires_in.or(second.expires_in),
        scope: first.scope.clone().or_else(|| second.scope.clone()),
        // What was parsed is whole, whatever else was picked out of the text.
        is_broken: first.is_broken,
    })
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

fn from_members(members: &Map<String, Value>) -> TokenAnswer {
    TokenAnswer {
        access_token: secret(members, "access_token"),
        refresh_token: secret(members, "refresh_token"),
        expires_in: members.get("expires_in").and_then(seconds),
        scope: members.get("scope").and_then(Value::as_str).map(|scope| neutralise(scope, 1000)),
        is_broken: false,
    }
}

fn secret(members: &Map<String, Value>, key: &str) -> Option<Secret> {
    members.get(key).and_then(Value::as_str).and_then(usable)
}

/// A token as it may be sent again: not empty, and nothing that could break out of a header.
fn usable(token: &str) -> Option<Secret> {
    let token = token.trim();
    (!token.is_empty() && !token.chars().any(char::is_control)).then(|| Secret::new(token))
}

/// `expires_in` as the number it should be, or as the string some servers send.
fn seconds(value: &Value) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number > 0.0).then(|| Duration::try_from_secs_f64(number).map_or(LONGEST, |lifetime| lifetime.min(LONGEST)))
}

/// Picks whole members out of text that is no JSON value: cut off, or with something before it.
fn salvage(text: &str) -> Option<TokenAnswer> {
    let token = |key| member(text, key, |value| usable(value.as_str()?));
    let found = TokenAnswer {
        access_token: token("access_token"),
        refresh_token: token("refresh_token"),
        expires_in: member(text, "expires_in", seconds),
        scope: member(text, "scope", |scope| Some(neutralise(scope.as_str()?, 1000))),
        is_broken: true,
    };
    (found.access_token.is_some() || found.refresh_token.is_some()).then_some(found)
}

/// What the last `"key":` with a complete scalar after it holds that `take` can use.
fn member<T>(text: &str, key: &str, take: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let quoted = format!("\"{key}\"");
    text.rmatch_indices(&quoted).find_map(|(at, _)| {
        let value = text[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
        let scalar = if value.starts_with('"') { string_literal(value)? } else { number_literal(value)? };
        take(&serde_json::from_str(scalar).ok()?)
    })
}

/// The string literal a text begins with, quotes included; `None` where it is cut off.
fn string_literal(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(&text[..=at]),
            _ => {}
        }
    }
    None
}

/// The number a text begins with; `None` where it may be cut off.
fn number_literal(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::{TokenAnswer, read};
    use crate::domain::Secret;
    use std::time::Duration;

    fn pair(body: &str) -> (Option<String>, Option<String>, Option<u64>) {
        let answer = read(body.as_bytes()).unwrap_or(TokenAnswer {
            access_token: None,
            refresh_token: None,
            expires_in: None,
            scope: None,
            is_broken: true,
        });
        let text = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
        (text(answer.access_token), text(answer.refresh_token), answer.expires_in.map(|lifetime| lifetime.as_secs()))
    }

    fn some(access: &str, refresh: &str, lifetime: u64) -> (Option<String>, Option<String>, Option<u64>) {
        (Some(access.into()), Some(refresh.into()), Some(lifetime))
    }

    #[test]
    fn the_documented_answer_is_read() {
        let body = r#"{"access_token":"A","token_type":"bearer","expires_in":1799,"refresh_token":"R"}"#;
        assert_eq!(pair(body), some("A", "R", 1799));
    }

    #[test]
    fn odd_but_readable_answers_keep_their_tokens() {
        for body in [
            r#"{"access_token":"A","refresh_token":"R","expires_in":"1799"}"#,
            "\u{feff}{\"access_token\":\"A\",\"refresh_token\":\"R\",\"expires_in\":1799.0}",
            r#"{"refresh_token":"old","refresh_token":"R","access_token":"A","expires_in":1799} trailing <garbage>"#,
            r#"{"ok":true,"data":[{"token":{"access_token":"A","refresh_token":"R","expires_in":1799}}]}"#,
            r#"<!-- proxy --> {"access_token":"A","refresh_token":"R","expires_in":1799}"#,
            r#"{"access_token" : "A","expires_in": 1799, "refresh_token"	:"R","scope":"API_A"#,
            "{\"access_token\":\"A\",\"refresh_token\":\"R\",\"expires_in\":1799,\"x\":\"\u{1}\"}",
        ] {
            assert_eq!(pair(body), some("A", "R", 1799), "{body}");
        }
    }

    #[test]
    fn a_missing_or_empty_refresh_token_is_none() {
        for body in [
            r#"{"access_token":"A"}"#,
            r#"{"access_token":"A","refresh_token":""}"#,
            r#"{"access_token":"A","refresh_token":null}"#,
        ] {
            assert_eq!(pair(body), (Some("A".into()), None, None), "{body}");
        }
    }

    #[test]
    fn a_refresh_token_that_comes_alone_is_rescued() {
        assert_eq!(pair(r#"{"refresh_token":"R"}"#), (None, Some("R".into()), None));
    }

    #[test]
    fn a_token_that_is_cut_off_is_not_taken_for_whole() {
        assert_eq!(pair(r#"{"access_token":"A","refresh_token":"R-is-cut"#), (Some("A".into()), None, None));
        assert_eq!(pair(r#"{"access_token":"A","expires_in":17"#), (Some("A".into()), None, None));
    }

    #[test]
    fn what_holds_no_token_is_nothing() {
        for body in [
            "",
            "[]",
            "null",
            "<html>502</html>",
            r#"{"error":"invalid_grant"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn absurd_lifetimes_are_bounded_or_ignored() {
        let lifetime =
            |text: &str| read(format!(r#"{{"access_token":"A","expires_in":{text}}}"#).as_bytes()).unwrap().expires_in;
        assert_eq!(lifetime("-5"), None);
        assert_eq!(lifetime("0"), None);
        assert_eq!(lifetime("1e300"), Some(Duration::from_secs(315_360_000)));
        assert_eq!(lifetime("\"soon\""), None);
    }

    #[test]
    fn a_token_that_could_break_out_of_a_header_is_not_used() {
        assert_eq!(read(br#"{"access_token":"A\r\nX-Evil: 1"}"#), None);
    }
}
