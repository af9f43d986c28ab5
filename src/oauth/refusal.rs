//! Reads what a server says when it refuses, in every shape known, and what that means.

use crate::domain::{Reason, Secret, error_code};
use crate::oauth::redact::{KnownSecrets, excerpt};
use crate::oauth::{codes, shape};

/// The longest code and description kept, in characters.
const MAX_CODE: usize = 64;
const MAX_DESCRIPTION: usize = 300;

/// What is added to an `invalid_request` at a refresh.
const DEAD_TOKEN: &str = " (some servers say this of a dead refresh token: check the configuration, then log in again)";

/// An error answer, redacted and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code in lower case (`invalid_grant`), if one was found.
    pub code: Option<String>,
    /// The server's words: its description, or an excerpt of what was not understood.
    pub description: Option<String>,
    /// The code is a well-known one of OAuth, so it is the server's own answer and no page of
    /// something in between.
    pub is_oauth: bool,
    /// A refresh token was sent, which some servers call an invalid request when it is dead.
    pub is_of_a_refresh: bool,
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
    /// the same nested, under other names, in a form or in other spellings, or anything else.
    /// `sent` are the secrets of the request, which servers sometimes echo.
    #[must_use]
    pub fn read(status: u16, body: &[u8], sent: &[&Secret]) -> Self {
        let text = shape::text(body);
        let value = shape::value(&text, true);
        // If it says nothing, a string in it may.
        let is_clear = value.as_ref().is_some_and(|value| !value.is_string() && codes::said(value).code.is_some());
        let value = if is_clear { value } else { value.map(shape::unfolded) };
        let said = value.as_ref().map(codes::said).unwrap_or_default();
        let bare = if said.code.is_none() { codes::known(text.trim()).filter(|_| is_one_word(&text)) } else { None };
        let code = said.code.or(bare.map(Into::into));
        let description = said.words.map_or_else(
            || if code.is_some() || text.trim().is_empty() { None } else { Some(plain(&text)) },
            |text| Some(text.to_owned()),
        );
        let known = KnownSecrets::of(sent);
        Self {
            status,
            code: code.map(|code| known.excerpt(&code, MAX_CODE).to_ascii_lowercase()),
            description: description.map(|text| known.excerpt(&text, MAX_DESCRIPTION)).filter(|text| !text.is_empty()),
            is_oauth: said.is_known || bare.is_some(),
            is_of_a_refresh: false,
        }
    }

    /// Completes it from the `WWW-Authenticate` header if the body has no OAuth code.
    #[must_use]
    pub fn or_challenge(mut self, header: Option<&str>, sent: &[&Secret]) -> Self {
        if let Some((code, words)) = header.filter(|_| !self.is_oauth).and_then(codes::challenge) {
            self.code = Some(code.to_owned());
            self.description = words.map(|words| excerpt(words, sent, MAX_DESCRIPTION)).or(self.description);
            self.is_oauth = true;
        }
        self
    }

    /// Whether an answer that claims success says by this that it is none: a code of OAuth, or any
    /// in the documented place that looks like one.
    #[must_use]
    pub fn contradicts_success(&self) -> bool {
        let is_code =
            |code: &str| code.contains('_') && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        self.is_oauth || self.code.as_deref().is_some_and(is_code)
    }

    /// What it means.
    #[must_use]
    pub fn class(&self) -> Class {
        match (self.status, self.code.as_deref().filter(|_| self.is_oauth)) {
            (429, _) => Class::RateLimited,
            (408 | 425 | 500.., _) => Class::Transient,
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
            ) => Class::Misconfigured,
            // Anything but an OAuth error is from a proxy, a gateway or a deployment.
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
        let words = match &self.description {
            Some(description) => format!("{words}: {description}"),
            None if self.code.is_none() => format!("{words} {}", reason(self.status)).trim_end().to_owned(),
            None => words,
        };
        match self.code.as_deref() {
            Some("invalid_request") if self.is_of_a_refresh => format!("{words}{DEAD_TOKEN}"),
            _ => words,
        }
    }

    /// The same with its public form: the status, and the code if it is registered.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let known = self.code.as_deref().and_then(error_code::registered);
        let public = match (known, &self.code) {
            (Some(code), _) => format!("{} {code}", self.status),
            (None, Some(_)) => format!("{} (unknown error code)", self.status),
            (None, None) => format!("{} {}", self.status, reason(self.status)).trim_end().to_owned(),
        };
        Reason::withheld(self.words(), public).with_code(known)
    }
}

fn is_one_word(text: &str) -> bool {
    !text.trim().contains(char::is_whitespace)
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
            (200, r#"{"error":"invalid_grant"}"#, Class::InvalidGrant),
            (400, "error=invalid_grant&error_description=dead", Class::InvalidGrant),
            (400, "invalid_grant", Class::InvalidGrant),
            (401, r#"{"errors":[{"code":"InvalidClient"}]}"#, Class::Misconfigured),
            (500, r#"{"error":"invalid_client"}"#, Class::Transient),
            (400, r#"{"error":"temporarily_unavailable"}"#, Class::Transient),
            (400, r#"{"error":"something_else"}"#, Class::Transient),
            (429, r#"{"error":"slow_down"}"#, Class::RateLimited),
            (503, "", Class::Transient),
            (500, r#"{"error":"invalid_grant"}"#, Class::Transient),
            (403, "<h1>Firewall</h1>", Class::Transient),
        ] {
            assert_eq!(read(status, body).class(), class, "{status} {body}");
        }
    }

    #[test]
    fn a_page_without_an_oauth_error_is_passing_whatever_its_status() {
        let pages =
            ["", "<h1>Not found</h1>", "404 page not found", r#"{"status":404,"error":"Not Found"}"#, "null", "[]"];
        for status in [300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 410, 415, 451, 500, 502] {
            for page in pages {
                assert_eq!(read(status, page).class(), Class::Transient, "{status} {page}");
            }
        }
    }

    #[test]
    fn a_body_in_another_character_set_is_read() {
        let body = r#"{"error":"invalid_grant","error_description":"tot"}"#;
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(body.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(Refusal::read(400, &wide, &[]).words(), "400 invalid_grant: tot");
        let latin = Refusal::read(400, b"{\"error\":\"invalid_grant\",\"error_description\":\"ung\xfcltig\"}", &[]);
        assert_eq!(latin.words(), "400 invalid_grant: ung\u{fc}ltig");
    }

    #[test]
    fn a_challenge_completes_a_body_that_says_nothing() {
        let header = Some(r#"Bearer error="invalid_client", error_description="gone""#);
        let refusal = read(401, "").or_challenge(header, &[]);
        assert_eq!((refusal.class(), refusal.words()), (Class::Misconfigured, "401 invalid_client: gone".into()));
        let known = read(400, r#"{"error":"invalid_grant"}"#).or_challenge(header, &[]);
        assert_eq!(known.class(), Class::InvalidGrant);
    }

    #[test]
    fn an_invalid_request_at_a_refresh_also_mentions_a_login() {
        let mut refusal = read(400, r#"{"error":"invalid_request"}"#);
        assert_eq!(refusal.words(), "400 invalid_request");
        refusal.is_of_a_refresh = true;
        assert!(refusal.words().ends_with("then log in again)"), "{}", refusal.words());
        assert_eq!(refusal.class(), Class::Misconfigured);
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
    fn in_public_a_server_says_its_status_and_a_registered_code() {
        for (status, body, public, code) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"MARKER"}"#,
                "400 invalid_grant",
                Some("invalid_grant"),
            ),
            (
                400,
                r#"{"error":"unsupported_token_type","message":"MARKER"}"#,
                "400 unsupported_token_type",
                Some("unsupported_token_type"),
            ),
            (400, r#"{"error":"marker_code","error_description":"MARKER"}"#, "400 (unknown error code)", None),
            (401, r#"{"error":"MARKER"}"#, "401 (unknown error code)", None),
            (400, r#"{"error":"invalid_grant: MARKER"}"#, "400 invalid_grant", Some("invalid_grant")),
            (502, "<h1>MARKER</h1>", "502 Bad Gateway", None),
            (599, "MARKER", "599", None),
        ] {
            let reason = read(status, body).reason();
            assert_eq!((reason.public(), reason.code()), (public, code), "{body}");
            assert!(reason.to_string().to_ascii_uppercase().contains("MARKER"), "{reason}");
        }
        let header = r#"Bearer error="invalid_token", error_description="MARKER""#;
        assert_eq!(read(401, "").or_challenge(Some(header), &[]).reason().public(), "401 invalid_token");
    }

    #[test]
    fn without_any_body_the_status_speaks() {
        assert_eq!(read(503, "").words(), "503 Service Unavailable");
    }
}
