//! Reads what a server says when it refuses, in every shape known, and what that means.

use serde_json::Value;

use super::redact::excerpt;
use crate::domain::Secret;

/// The longest code and description kept, in characters.
const MAX_CODE: usize = 64;
const MAX_DESCRIPTION: usize = 300;

/// An error answer, redacted and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code in lower case (`invalid_grant`), where one was found.
    pub code: Option<String>,
    /// The server's words: its description, or an excerpt of what was not understood.
    pub description: Option<String>,
}

/// What a refusal means for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The grant sent is not valid any more (`invalid_grant`).
    InvalidGrant,
    /// The configuration or the request is refused; trying again changes nothing.
    Misconfigured,
    /// Too many requests.
    RateLimited,
    /// It may work later.
    Transient,
}

impl Refusal {
    /// Reads an error body: RFC 6749 §5.2 (`error`, `error_description`), `code` and `message`,
    /// the same wrapped in `error`, or anything else. `sent` are the secrets of the request,
    /// which servers sometimes echo.
    #[must_use]
    pub fn read(status: u16, body: &[u8], sent: &[&Secret]) -> Self {
        let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let (code, description) = match &value {
            Some(value) => (find_code(value), find_description(value)),
            None => (None, None),
        };
        let description = description.map_or_else(
            || if code.is_some() || text.trim().is_empty() { None } else { Some(plain(&text)) },
            |text| Some(text.to_owned()),
        );
        Self {
            status,
            // Once before the case is lost, once after: an echo may differ in case from what was sent.
            code: code.map(|code| {
                let code = excerpt(code, sent, MAX_CODE).to_ascii_lowercase();
                excerpt(&code, sent, MAX_CODE)
            }),
            description: description.map(|text| excerpt(&text, sent, MAX_DESCRIPTION)).filter(|text| !text.is_empty()),
        }
    }

    /// What it means.
    #[must_use]
    pub fn class(&self) -> Class {
        match (self.status, self.code.as_deref()) {
            (429, _) => Class::RateLimited,
            (408 | 425 | 500.., _) | (_, Some("temporarily_unavailable" | "server_error")) => Class::Transient,
            (_, Some("invalid_grant")) => Class::InvalidGrant,
            (
                _,
                Some(
                    "invalid_client"
                    | "unauthorized_client"
                    | "invalid_request"
                    | "invalid_scope"
                    | "unsupported_grant_type"
                    | "invalid_grant_type",
                ),
            )
            | (300..=399 | 401 | 404 | 405 | 410, _) => Class::Misconfigured,
            _ => Class::Transient,
        }
    }

    /// One line for people: `400 invalid_grant: The refresh token was revoked`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = self.status.to_string();
        if let Some(code) = &self.code {
            words = format!("{words} {code}");
        }
        match &self.description {
            Some(description) => format!("{words}: {description}"),
            None if self.code.is_none() => format!("{words} {}", reason(self.status)).trim_end().to_owned(),
            None => words,
        }
    }
}

fn find_code(value: &Value) -> Option<&str> {
    match value.get("error") {
        Some(Value::String(code)) => Some(code),
        Some(inner @ Value::Object(_)) => inner.get("code").and_then(Value::as_str),
        _ => value.get("code").and_then(Value::as_str),
    }
}

fn find_description(value: &Value) -> Option<&str> {
    let inner = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
    ["error_description", "message", "description", "detail"]
        .iter()
        .find_map(|key| inner.get(key).and_then(Value::as_str))
}

/// HTML without its tags, white space folded: gateways answer with pages.
fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut in_tag = false;
    for c in text.chars().take(4000) {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                words.push(' ');
            }
            c if !in_tag => words.push(c),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Class, Refusal};
    use crate::domain::Secret;

    fn read(status: u16, body: &str) -> Refusal {
        Refusal::read(status, body.as_bytes(), &[])
    }

    #[test]
    fn every_known_shape_gives_code_and_words() {
        for (body, code, description) in [
            (r#"{"error":"invalid_grant","error_description":"revoked"}"#, Some("invalid_grant"), Some("revoked")),
            (r#"{"code":"INVALID_CLIENT","message":"unknown"}"#, Some("invalid_client"), Some("unknown")),
            (
                r#"{"ok":false,"error":{"code":"INVALID_CLIENT","message":"unknown"}}"#,
                Some("invalid_client"),
                Some("unknown"),
            ),
            ("<html><title>502</title><h1>Bad  gateway</h1>", None, Some("502 Bad gateway")),
            (r#"{"unexpected":1}"#, None, Some(r#"{"unexpected":1}"#)),
            ("", None, None),
        ] {
            let refusal = read(400, body);
            assert_eq!((refusal.code.as_deref(), refusal.description.as_deref()), (code, description), "{body}");
        }
    }

    #[test]
    fn what_each_error_means() {
        for (status, body, class) in [
            (400, r#"{"error":"invalid_grant"}"#, Class::InvalidGrant),
            (401, r#"{"error":"invalid_client"}"#, Class::Misconfigured),
            (400, r#"{"code":"INVALID_GRANT_TYPE"}"#, Class::Misconfigured),
            (400, r#"{"error":"invalid_scope"}"#, Class::Misconfigured),
            (302, "", Class::Misconfigured),
            (404, "<h1>Not found</h1>", Class::Misconfigured),
            (429, r#"{"error":"slow_down"}"#, Class::RateLimited),
            (503, "", Class::Transient),
            (500, r#"{"error":"invalid_grant"}"#, Class::Transient),
            (403, "<h1>Firewall</h1>", Class::Transient),
        ] {
            assert_eq!(read(status, body).class(), class, "{status} {body}");
        }
    }

    #[test]
    fn an_echoed_secret_is_masked() {
        let secret = Secret::new("my-refresh-token");
        let refusal = Refusal::read(
            400,
            br#"{"error":"invalid_grant","error_description":"token my-refresh-token unknown"}"#,
            &[&secret],
        );
        assert_eq!(refusal.words(), "400 invalid_grant: token *** unknown");
    }

    #[test]
    fn without_any_body_the_status_speaks() {
        assert_eq!(read(503, "").words(), "503 Service Unavailable");
    }
}
