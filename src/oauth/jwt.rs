//! The claims of an access token that is a JSON Web Token (RFC 7519): decoded for the
//! person who looks, never verified and never relied on (RFC 9068 §6 leaves that to the resource).
//!
//! Nothing of the token's own text comes out: neither the signature nor a piece of the rest.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::domain::text::neutralise;
use crate::domain::{Jwt, Secret, Subject};
use crate::oauth::redact::KnownSecrets;

/// The longest token looked into, in bytes.
const MAX_TOKEN: usize = 32 * 1024;
/// The most lines shown of the header, and of the claims.
const MAX_LINES: usize = 200;
/// The longest line shown, in characters.
const MAX_LINE: usize = 400;
/// Members that may hold a secret of their own, by a part of their name.
const SECRET_NAMES: [&str; 3] = ["token", "secret", "password"];

/// What a token plainly says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtKind {
    /// An access token.
    Access,
    /// An ID token of `OpenID` Connect.
    Id,
}

/// Decodes a token; `None` if it is not a JSON Web Token or too long.
#[must_use]
pub fn read(token: &Secret) -> Option<Jwt> {
    let (header, claims) = decode(token.expose())?;
    let moment = |claim: &str| claims.get(claim).and_then(numeric_date);
    let (issued_at, not_before, expires_at) = (moment("iat"), moment("nbf"), moment("exp"));
    let secrets = [token];
    let own = KnownSecrets::of(&secrets);
    Some(Jwt { header: lines(header, &own), claims: lines(claims, &own), issued_at, not_before, expires_at })
}

/// The kind that a token declares unambiguously: by the header of RFC 9068, or by the claims with which common servers
/// distinguish their tokens. `None` for everything else.
#[must_use]
pub fn calls_itself(token: &Secret) -> Option<JwtKind> {
    let (header, claims) = decode(token.expose())?;
    let says = |members: &Map<String, Value>, name: &str| {
        members.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase).unwrap_or_default()
    };
    let (typ, claimed, purpose, kind) =
        (says(&header, "typ"), says(&claims, "typ"), says(&claims, "token_use"), says(&claims, "token_type"));
    if matches!(typ.as_str(), "at+jwt" | "application/at+jwt") || claimed == "bearer" {
        return Some(JwtKind::Access);
    }
    match (claimed.as_str(), purpose.as_str(), kind.as_str()) {
        ("id", ..) | (_, "id", _) => Some(JwtKind::Id),
        (_, "access", _) | (.., "access") => Some(JwtKind::Access),
        _ => None,
    }
}

/// The subject of a token, unverified; `None` if it is not a JSON Web Token or names no one.
#[must_use]
pub fn subject(token: &Secret) -> Option<Subject> {
    let (_, claims) = decode(token.expose())?;
    let secrets = [token];
    let own = KnownSecrets::of(&secrets);
    Subject::of(|name| {
        let text = match claims.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!own.are_in(&text) && !looks_signed(&text)).then_some(text)
    })
}

/// Header and claims of a JSON Web Token of a bounded size.
fn decode(text: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let mut parts = text.split('.').map(|part| part.trim_end_matches('='));
    let (Some(header), Some(claims), Some(_signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if text.len() > MAX_TOKEN {
        return None;
    }
    Some((object(header)?, object(claims)?))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Seconds since 1970, with a fraction perhaps (RFC 7519 §2).
fn numeric_date(value: &Value) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then refused as no moment")]
    let seconds = value.as_f64()? as i64;
    DateTime::from_timestamp(seconds, 0)
}

fn lines(members: Map<String, Value>, own: &KnownSecrets) -> Vec<String> {
    let mut value = Value::Object(members);
    mask(&mut value, false);
    let text = serde_json::to_string_pretty(&value).expect("JSON that was read can be written");
    let shown = text.lines().take(MAX_LINES).map(|line| {
        // A token could quote itself; no line is worth a piece of it.
        if own.are_in(line) { "***".to_owned() } else { neutralise(line, MAX_LINE) }
    });
    shown.chain((text.lines().count() > MAX_LINES).then(|| "…".to_owned())).collect()
}

/// Masks what may be a secret of its own: members named like one, and tokens within the token.
fn mask(value: &mut Value, is_secret: bool) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.to_lowercase();
                mask(member, is_secret || SECRET_NAMES.iter().any(|part| name.contains(part)));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, is_secret)),
        Value::String(text) if is_secret || looks_signed(text) => "***".clone_into(text),
        Value::Number(_) if is_secret => *value = Value::from("***"),
        _ => {}
    }
}

fn looks_signed(text: &str) -> bool {
    text.contains("eyJ") && text.matches('.').count() >= 2
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::{MAX_TOKEN, read, subject};
    use crate::domain::Secret;

    fn token(header: &str, claims: &str) -> Secret {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        Secret::new(format!("{}.{}.c2lnbmF0dXJlLXNpZ25hdHVyZQ", part(header), part(claims)))
    }

    #[test]
    fn header_claims_and_times_are_shown_but_not_the_signature() {
        let claims = r#"{"sub":"ada","exp":1767225600,"iat":1767222000.5,"nbf":"soon"}"#;
        let jwt = read(&token(r#"{"alg":"HS256","typ":"JWT"}"#, claims)).unwrap();
        assert_eq!(jwt.header, ["{", "  \"alg\": \"HS256\",", "  \"typ\": \"JWT\"", "}"]);
        assert!(jwt.claims.contains(&"  \"sub\": \"ada\",".to_owned()), "{:?}", jwt.claims);
        assert_eq!(jwt.expires_at.unwrap().to_rfc3339(), "2026-01-01T00:00:00+00:00");
        assert_eq!(jwt.issued_at.unwrap().to_rfc3339(), "2025-12-31T23:00:00+00:00");
        assert_eq!(jwt.not_before, None);
        assert!(!format!("{jwt:?}").contains("c2ln"));
    }

    #[test]
    fn secrets_within_the_claims_are_masked_and_text_is_neutral() {
        let inner = token("{}", "{\"a\":1}");
        let claims = format!(
            r#"{{"refresh_token":"abc","nested":{{"ClientSecret":{{"v":7}}}},"act":"{}","name":"x\u001b[2J\u202ey"}}"#,
            inner.expose()
        );
        let jwt = read(&token("{}", &claims)).unwrap();
        let shown = jwt.claims.join("\n");
        for absent in ["abc", "7", "eyJ", "\u{1b}", "\u{202e}"] {
            assert!(!shown.contains(absent), "{absent:?} in {shown}");
        }
        assert_eq!(shown.matches("***").count(), 3, "{shown}");
    }

    #[test]
    fn the_subject_is_read_from_the_claims_that_name_one() {
        let claims = r#"{"sub":42,"email":"ada@example.com","preferred_username":["x"],"azp":"app","name":"Ada"}"#;
        let ada = subject(&token("{}", claims)).unwrap();
        assert_eq!((ada.sub.as_deref(), ada.email.as_deref()), (Some("42"), Some("ada@example.com")));
        assert_eq!((ada.preferred_username, ada.client_id.as_deref()), (None, Some("app")));
        let inner = token("{}", r#"{"sub":"inner"}"#);
        let nested = format!(r#"{{"sub":"{}","client_id":"app"}}"#, inner.expose());
        assert_eq!(subject(&token("{}", &nested)).unwrap().words(), "client app", "no token within is kept");
        for token in [Secret::new("opaque"), token("{}", "{}"), token("{}", r#"{"sub":{"a":1}}"#)] {
            assert_eq!(subject(&token), None);
        }
    }

    #[test]
    fn what_is_no_token_of_this_kind_is_opaque() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_TOKEN));
        for token in [
            Secret::new(""),
            Secret::new("a.b.c"),
            Secret::new("eyJhIjoxfQ.eyJhIjoxfQ"),
            Secret::new("eyJhIjoxfQ.eyJhIjoxfQ.x.y"),
            token("[]", "{}"),
            token("{}", &long),
        ] {
            assert_eq!(read(&token), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_of_the_token_itself_is_shown(name in "[a-zA-Z0-9_.-]{1,40}", value in ".{0,60}", quoted: bool) {
            let plain = serde_json::json!({ &name: value }).to_string();
            let once = token(r#"{"alg":"none"}"#, &plain);
            // A token can quote its header, which does not depend on the rest.
            let claims = if quoted { format!(r#"{{"q":"{}"}}"#, &once.expose()[..18]) } else { plain };
            let token = token(r#"{"alg":"none"}"#, &claims);
            let shown = format!("{:?}", read(&token).unwrap());
            for piece in token.expose().as_bytes().windows(16) {
                prop_assert!(!shown.contains(std::str::from_utf8(piece).unwrap()), "{shown}");
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-zA-Z0-9_.=-]{0,200}") {
            let _ = read(&Secret::new(text));
        }
    }
}
