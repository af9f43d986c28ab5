//! Reads the token endpoint's answer leniently: whatever else is missing or odd, tokens in it are kept, because dropping
//! a refresh token that was received ends the connection.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::Secret;
use crate::domain::text::neutralise;
use crate::oauth::salvage::member;
use crate::oauth::shape;

/// The largest `expires_in`; larger ones count as this. [`crate::oauth::lifetime`] decides what is plausible.
const LONGEST: Duration = Duration::from_secs(10_000_000_000_000);
/// Spellings of the members, the right one first.
const ACCESS_TOKEN: &[&str] = &["access_token", "accessToken"];
const REFRESH_TOKEN: &[&str] = &["refresh_token", "refreshToken"];
const EXPIRES_IN: &[&str] = &["expires_in", "expiresIn"];

/// What was found in an answer of the token endpoint (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The access token; missing only if there is just a refresh token.
    pub access_token: Option<Secret>,
    /// The refresh token; none, or an empty one, leaves the old one in force (§6).
    pub refresh_token: Option<Secret>,
    /// The `refresh_token` beside the access token is not usable text: a new one was issued, but it is not
    /// [`Self::refresh_token`].
    pub has_odd_refresh_token: bool,
    /// `expires_in` as sent, if it is a number; [`crate::oauth::lifetime`] checks it.
    pub expires_in: Option<Duration>,
    /// The granted scope, if the answer names it.
    pub scope: Option<String>,
    /// The `id_token` (`OpenID` Connect Core §3.1.3.3), from which nothing but a subject to show is read.
    pub id_token: Option<Secret>,
    /// The JSON was broken: what is missing here may have been in the part that is.
    pub is_broken: bool,
}

impl TokenAnswer {
    /// Every secret in it.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Secret> {
        [&self.access_token, &self.refresh_token, &self.id_token].into_iter().flatten().collect()
    }
}

/// Finds tokens in a complete answer's body: in a JSON object at any depth, among other text or in
/// a JSON string, in a form, in any common character set; and, if the JSON is broken or cut
/// off, as whole string members.
///
/// The outermost object that holds both tokens counts, else the outermost of each token; of
/// duplicate keys the last one that holds a token. Work is linear in the size of the body.
#[must_use]
pub fn read(body: &[u8]) -> Option<TokenAnswer> {
    find(body, true)
}

/// The same for a body that is known to break off: its last token may be cut.
#[must_use]
pub fn read_cut(body: &[u8]) -> Option<TokenAnswer> {
    find(body, false)
}

fn find(body: &[u8], is_whole: bool) -> Option<TokenAnswer> {
    let text = shape::text(body);
    let value = shape::value(&text, is_whole);
    let mut parsed = value.as_ref().and_then(gather);
    if let Some(found) = &mut parsed {
        // JSON that could be parsed is whole, even if text after it is missing. A form may be cut anywhere.
        found.is_broken = !is_whole && !text.contains('{');
        if found.access_token.is_some() && found.refresh_token.is_some() {
            return parsed;
        }
    }
    // What parsing drops (an earlier one of two equal keys, all of a broken text) may still be seen.
    let seen = salvage(&text);
    if let (Some(found), Some(value), Some(token)) =
        (&mut parsed, &value, seen.as_ref().and_then(|seen| seen.refresh_token.as_ref()))
    {
        // An equal key before the odd one, for it is nowhere else.
        found.has_odd_refresh_token &= holds(value, token);
    }
    fill(parsed, seen).or_else(|| gather(&shape::unfolded(value?)))
}

/// Whether a value contains a refresh token anywhere.
fn holds(value: &Value, token: &Secret) -> bool {
    let is_here = |members: &Map<String, Value>| {
        named(members, REFRESH_TOKEN).and_then(usable_value).is_some_and(|found| found == *token)
    };
    value.as_object().is_some_and(is_here) || children(value).into_iter().any(|inner| holds(inner, token))
}

/// The answer in the outermost object with both tokens, else from the outermost object with each.
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

/// The first finding, with what it lacks taken from the second.
fn fill(first: Option<TokenAnswer>, second: Option<TokenAnswer>) -> Option<TokenAnswer> {
    let (Some(first), Some(second)) = (&first, &second) else { return first.or(second) };
    // A refresh token elsewhere is not the one that was issued with this access token.
    let other = second.refresh_token.as_ref().filter(|_| !first.has_odd_refresh_token);
    Some(TokenAnswer {
        access_token: first.access_token.clone().or_else(|| second.access_token.clone()),
        refresh_token: first.refresh_token.as_ref().or(other).cloned(),
        // The object that holds the access token decides.
        has_odd_refresh_token: first.has_odd_refresh_token
            || (first.access_token.is_none() && second.has_odd_refresh_token),
        expires_in: first.expires_in.or(second.expires_in),
        scope: first.scope.clone().or_else(|| second.scope.clone()),
        id_token: first.id_token.clone().or_else(|| second.id_token.clone()),
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
    let access_token = named(members, ACCESS_TOKEN).and_then(usable_value);
    let refresh_token = named(members, REFRESH_TOKEN);
    TokenAnswer {
        has_odd_refresh_token: access_token.is_some() && refresh_token.is_some_and(is_odd),
        access_token,
        refresh_token: refresh_token.and_then(usable_value),
        expires_in: named(members, EXPIRES_IN).and_then(seconds),
        scope: members.get("scope").and_then(Value::as_str).map(|scope| neutralise(scope, 1000)),
        id_token: members.get("id_token").and_then(usable_value),
        is_broken: false,
    }
}

/// The member with this name, else one whose name differs only in case and separators.
fn named<'a>(members: &'a Map<String, Value>, spellings: &[&str]) -> Option<&'a Value> {
    members.get(spellings[0]).or_else(|| {
        let wanted = shape::squeezed(spellings[0]);
        members.iter().find(|(key, _)| shape::squeezed(key) == wanted).map(|(_, value)| value)
    })
}

/// Whether a value is neither a token nor a way to say that there is none.
fn is_odd(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty() && usable(text).is_none(),
        _ => true,
    }
}

fn usable_value(value: &Value) -> Option<Secret> {
    value.as_str().and_then(usable)
}

/// A token as it may be sent again: not empty, nothing that could break out of a header, nothing
/// that was lost in decoding.
fn usable(token: &str) -> Option<Secret> {
    let token = token.trim();
    let is_usable = !token.is_empty() && !token.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    is_usable.then(|| Secret::new(token))
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

/// Picks whole members out of text that is not a JSON value: cut off, or preceded by something.
fn salvage(text: &str) -> Option<TokenAnswer> {
    let token = |spellings| member(text, spellings, usable_value);
    let found = TokenAnswer {
        access_token: token(ACCESS_TOKEN),
        refresh_token: token(REFRESH_TOKEN),
        // In broken text a missing refresh token counts as lost anyway.
        has_odd_refresh_token: false,
        expires_in: member(text, EXPIRES_IN, seconds),
        scope: member(text, &["scope"], |scope| Some(neutralise(scope.as_str()?, 1000))),
        id_token: token(&["id_token"]),
        is_broken: true,
    };
    (found.access_token.is_some() || found.refresh_token.is_some()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{TokenAnswer, read, read_cut};
    use crate::domain::Secret;

    fn pair(body: &str) -> (Option<String>, Option<String>, Option<u64>) {
        let answer = read(body.as_bytes()).unwrap_or(TokenAnswer {
            access_token: None,
            refresh_token: None,
            has_odd_refresh_token: false,
            expires_in: None,
            scope: None,
            id_token: None,
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
    fn every_shape_that_servers_and_proxies_give_it_keeps_its_tokens() {
        let json = r#"{"access_token":"A","refresh_token":"R","expires_in":1799}"#;
        for body in [
            format!("callback({json});"),
            format!(")]}}',\n{json}"),
            format!("[{json}]"),
            serde_json::to_string(json).unwrap(),
            format!(r#"{{"statusCode":200,"body":{}}}"#, serde_json::to_string(json).unwrap()),
            "access_token=A&refresh_token=R&expires_in=1799".into(),
            "token_type=bearer&expires_in=1799&refresh_token=R&access_token=A\r\n".into(),
            serde_json::to_string("refresh_token=R&access_token=A&expires_in=1799").unwrap(),
            json.replace("access_token", "accessToken").replace("refresh_token", "refreshToken"),
            json.replace("_token", "-Token").replace("expires_in", "expiresIn"),
        ] {
            assert_eq!(pair(&body), some("A", "R", 1799), "{body}");
            assert!(!read(body.as_bytes()).unwrap().is_broken, "{body}");
        }
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(json.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).unwrap().refresh_token, Some(Secret::new("R")));
        let latin = read(b"{\"x\":\"\xe9\",\"access_token\":\"A\",\"refresh_token\":\"R\"}").unwrap();
        assert_eq!((latin.refresh_token, latin.is_broken), (Some(Secret::new("R")), false));
    }

    #[test]
    fn text_around_an_answer_without_a_refresh_token_does_not_make_it_a_broken_one() {
        for body in [r#"cb({"access_token":"A"})"#, r#"<!-- p -->{"access_token":"A"}"#, "access_token=A"] {
            let found = read(body.as_bytes()).unwrap();
            assert_eq!((found.refresh_token, found.is_broken), (None, false), "{body}");
        }
    }

    #[test]
    fn a_refresh_token_that_is_no_usable_text_is_odd_and_neither_missing_nor_taken_from_elsewhere() {
        for odd in
            ["12345", "0", "true", "false", "[]", r#"["R"]"#, "{}", r#"{"value":"R"}"#, r#""R\u0000""#, r#""\ufffd""#]
        {
            for body in [
                format!(r#"{{"access_token":"A","refresh_token":{odd}}}"#),
                format!(r#"{{"data":{{"refresh_token":{odd},"access_token":"A"}}}}"#),
                format!(r#"{{"access_token":"A","refresh_token":{odd},"old":{{"refresh_token":"spent"}}}}"#),
            ] {
                let found = read(body.as_bytes()).unwrap();
                assert!(found.has_odd_refresh_token && found.refresh_token.is_none(), "{body}");
            }
        }
        for fine in [
            r#"{"access_token":"A"}"#,
            r#"{"access_token":"A","refresh_token":null}"#,
            r#"{"access_token":"A","refresh_token":" "}"#,
            r#"{"access_token":"A","features":{"refresh_token":true}}"#,
            r#"{"refresh_token":false,"data":{"access_token":"A"}}"#,
        ] {
            let found = read(fine.as_bytes()).unwrap();
            assert!(!found.has_odd_refresh_token && found.refresh_token.is_none(), "{fine}");
        }
        let twice = read(br#"{"access_token":"A","refresh_token":"R","refresh_token":7}"#).unwrap();
        assert_eq!(twice.refresh_token, Some(Secret::new("R")), "an equal key before it");
        let quoted =
            br#"{"access_token":"A","refresh_token":"R","note":"{\"access_token\":\"x\",\"refresh_token\":\"y\"}"}"#;
        assert_eq!(read(quoted).unwrap().refresh_token, Some(Secret::new("R")));
        let found = read(br#"{"access_token":"x","refresh_token":7,"new":{"access_token":"A","refresh_token":"R"}}"#);
        assert_eq!(found.unwrap().refresh_token, Some(Secret::new("R")), "a pair is a pair");
    }

    #[test]
    fn a_form_that_breaks_off_gives_no_token_that_may_be_cut() {
        let found = read_cut(b"access_token=A&refresh_token=R-is-c").unwrap();
        assert_eq!((found.access_token, found.refresh_token), (Some(Secret::new("A")), None));
        assert!(found.is_broken);
        assert_eq!(read_cut(b"refresh_token=R-is-c"), None);
        assert_eq!(read_cut(b"refresh_token=R&access_to").unwrap().refresh_token, Some(Secret::new("R")));
    }

    #[test]
    fn absurd_lifetimes_are_bounded_or_ignored() {
        let lifetime =
            |text: &str| read(format!(r#"{{"access_token":"A","expires_in":{text}}}"#).as_bytes()).unwrap().expires_in;
        assert_eq!(lifetime("-5"), None);
        assert_eq!(lifetime("0"), None);
        assert_eq!(lifetime("1e300"), Some(super::LONGEST));
        assert_eq!(lifetime("\"soon\""), None);
    }

    #[test]
    fn a_token_that_could_break_out_of_a_header_is_not_used() {
        assert_eq!(read(br#"{"access_token":"A\r\nX-Evil: 1"}"#), None);
    }
}
