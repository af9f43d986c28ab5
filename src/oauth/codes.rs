//! Finds the error code in a server's error body, wherever it is and however it is spelled, and the words that belong to
//! it.
//!
//! Invariant: in any place but the documented ones only a well-known code counts as one; a
//! `status: "ok"` or a `code: "17"` says nothing about the grant.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::domain::error_code::MEANINGFUL as KNOWN;
use crate::oauth::shape::squeezed;

/// The members that hold codes, squeezed, the likeliest first.
const CODE_NAMES: [&str; 12] = [
    "error",
    "errorcode",
    "code",
    "errortype",
    "type",
    "status",
    "reason",
    "errors",
    "codes",
    "fault",
    "faultcode",
    "name",
];
/// The members that hold the words, squeezed, the likeliest first.
const WORD_NAMES: [&str; 6] = ["errordescription", "errormessage", "message", "description", "detail", "msg"];
/// The longest text looked through for a code.
const MAX_TEXT: usize = 1000;

/// What an error body says, as the server wrote it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// The well-known code, or the text in the documented place.
    pub(super) code: Option<Cow<'a, str>>,
    pub(super) is_known: bool,
    pub(super) words: Option<&'a str>,
}

/// What a body says; the outermost well-known code counts.
pub(super) fn said(value: &Value) -> Said<'_> {
    let objects = objects(value);
    let all_words = || objects.iter().find_map(|members| words(members));
    if let Some(code) = value.as_str().and_then(known) {
        return Said { code: Some(code.into()), is_known: true, words: None };
    }
    for members in &objects {
        if let Some((code, text)) = known_in(members) {
            // A code among other words: those are the words unless there are better ones.
            let rest = Some(text).filter(|text| squeezed(text) != squeezed(code));
            let words = words(members).or_else(all_words).or(rest);
            return Said { code: Some(code.into()), is_known: true, words };
        }
    }
    let inner = value.get("error").and_then(Value::as_object).or(value.as_object());
    let words = inner.and_then(words).or_else(all_words);
    Said { code: documented(value).map(Cow::from), is_known: false, words }
}

/// The well-known code that a text is, or holds as a word of its own.
pub(super) fn known(text: &str) -> Option<&'static str> {
    let text = text.get(..MAX_TEXT).unwrap_or(text);
    let whole = squeezed(text);
    let word = |known: &&str| {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        words.any(|word| word.len() == known.len() && word.to_ascii_lowercase().replace('-', "_") == **known)
    };
    KNOWN.into_iter().find(|known| squeezed(known) == whole).or_else(|| KNOWN.into_iter().find(word))
}

/// The text in the documented places (`error`, `error.code`, `code`), whatever it is.
fn documented(value: &Value) -> Option<&str> {
    match value.get("error") {
        Some(Value::String(code)) => Some(code),
        Some(inner @ Value::Object(_)) => inner.get("code").and_then(Value::as_str),
        _ => value.get("code").and_then(Value::as_str),
    }
}

/// All objects, from the outside in.
fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    let (mut found, mut level) = (Vec::new(), vec![value]);
    while !level.is_empty() {
        found.extend(level.iter().filter_map(|value| value.as_object()));
        let inner = level.into_iter().flat_map(|value| -> Vec<&Value> {
            match value {
                Value::Object(members) => members.values().collect(),
                Value::Array(items) => items.iter().collect(),
                _ => Vec::new(),
            }
        });
        level = inner.collect();
    }
    found
}

fn known_in(members: &Map<String, Value>) -> Option<(&'static str, &str)> {
    texts(members, &CODE_NAMES).find_map(|text| Some((known(text)?, text)))
}

fn words(members: &Map<String, Value>) -> Option<&str> {
    texts(members, &WORD_NAMES).find(|text| !text.trim().is_empty())
}

/// The texts under these names, in the order of the names.
fn texts<'a>(members: &'a Map<String, Value>, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let squeezed: Vec<(String, &Value)> = members.iter().map(|(key, value)| (squeezed(key), value)).collect();
    let ordered: Vec<&Value> = names
        .iter()
        .flat_map(|name| squeezed.iter().filter(move |(key, _)| key.as_str() == *name).map(|(_, value)| *value))
        .collect();
    ordered.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        value => value.as_str().into_iter().collect(),
    })
}

/// What the challenge of a `WWW-Authenticate` header says (RFC 6750 §3): a well-known code and its
/// words, as they are sent.
pub(super) fn challenge(header: &str) -> Option<(&'static str, Option<&str>)> {
    let code = known(parameter(header, "error")?)?;
    Some((code, parameter(header, "error_description")))
}

/// The value of `name="value"` or `name=value`.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let at = header.match_indices(name).find(|(at, _)| {
        let is_start = header[..*at].chars().next_back().is_none_or(|before| " ,\t".contains(before));
        is_start && header[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = header[at.0 + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([',', ' ']).next(),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value, json};

    use super::{challenge, known, said};

    fn found(value: &Value) -> (Option<String>, bool, Option<String>) {
        let said = said(value);
        (said.code.map(Cow::into_owned), said.is_known, said.words.map(str::to_owned))
    }

    #[test]
    fn a_well_known_code_is_found_wherever_it_stands() {
        for value in [
            json!({"error": "invalid_grant", "error_description": "dead"}),
            json!({"Error": "InvalidGrant", "Error_Description": "dead"}),
            json!({"errorCode": "INVALID-GRANT", "errorMessage": "dead"}),
            json!({"error_code": "invalid grant", "message": "dead"}),
            json!({"errors": [{"code": "invalid_grant", "detail": "dead"}]}),
            json!({"errors": [{"status": "400", "extensions": {"code": "INVALID_GRANT"}}], "message": "dead"}),
            json!({"error": {"status": "INVALID_GRANT", "code": 400, "message": "dead"}}),
            json!({"error": {"type": "invalid_grant", "message": "dead"}}),
            json!({"error": "Bad Request", "code": "invalid_grant", "description": "dead"}),
            json!({"error": ["invalid_grant"], "msg": "dead"}),
            json!([{"fault": {"faultcode": "oauth.v2.invalid_grant", "message": "dead"}}]),
            json!({"ok": false, "result": {"reason": "invalid_grant", "description": "dead"}}),
        ] {
            assert_eq!(found(&value), (Some("invalid_grant".into()), true, Some("dead".into())), "{value}");
        }
        let prose = json!({"error": "invalid_grant: the token is dead"});
        assert_eq!(found(&prose).2.as_deref(), Some("invalid_grant: the token is dead"));
        assert_eq!(found(&json!("invalid_client")), (Some("invalid_client".into()), true, None));
    }

    #[test]
    fn nothing_else_is_taken_for_a_code_in_an_unusual_place() {
        for value in [
            json!({"status": "ok", "type": "page"}),
            json!({"code": 17}),
            json!({"data": {"code": "17", "reason": "grant"}}),
            json!({"name": "invalid", "errors": ["client"]}),
            json!({"hint": "invalid_grant"}),
            json!(["x"]),
            json!("ok"),
            json!(null),
        ] {
            let (code, is_known, _) = found(&value);
            assert_eq!((code, is_known), (None, false), "{value}");
        }
        let spring = json!({"status": 401, "error": "Unauthorized", "path": "/oauth/token"});
        assert_eq!(found(&spring), (Some("Unauthorized".into()), false, None));
    }

    #[test]
    fn every_spelling_of_a_code_is_the_code() {
        for text in
            ["invalid_grant", "INVALID_GRANT", "InvalidGrant", "invalid-grant", "Invalid grant", "urn:x:invalid_grant"]
        {
            assert_eq!(known(text), Some("invalid_grant"), "{text}");
        }
        assert_eq!(known("INVALID_GRANT_TYPE"), Some("invalid_grant_type"));
        for text in ["", "grant", "not_invalid_grant_at_all", "invalid", "é"] {
            assert_eq!(known(text), None, "{text}");
        }
    }

    #[test]
    fn a_challenge_names_its_error() {
        let header = r#"Bearer realm="x", error="invalid_client", error_description="who are you""#;
        assert_eq!(challenge(header), Some(("invalid_client", Some("who are you"))));
        assert_eq!(challenge("Bearer error=invalid_token"), Some(("invalid_token", None)));
        assert_eq!(
            challenge(r#"Bearer error_description="invalid_client", error = "invalid_grant""#).unwrap().0,
            "invalid_grant"
        );
        for header in [
            "",
            "Basic realm=\"invalid_client\"",
            "Bearer error=\"other\"",
            "Bearer noerror=invalid_client",
            "Bearer error",
        ] {
            assert_eq!(challenge(header), None, "{header}");
        }
    }
}
