//! Tokens as people paste them: within quotes, with their name or `Bearer` before them, as a whole
//! JSON answer or as part of a form. What is plainly something else is refused before it is sent.
//!
//! The reasons follow the words "the refresh token" and never repeat what was pasted.

use url::form_urlencoded;

use crate::domain::Secret;
use crate::oauth::{answer, jwt};

/// The longest text taken, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// A kind of token, and what its pasted forms are recognised by.
struct PastedKind {
    /// The member of a JSON answer, and the field of a form.
    member: &'static str,
    /// Other names that may precede it, in lower case.
    labels: &'static [&'static str],
    /// Why an answer without it is refused.
    missing: &'static str,
}

const REFRESH: PastedKind = PastedKind {
    member: "refresh_token",
    labels: &["refresh_token", "refreshtoken", "refresh-token", "refresh token"],
    missing: "is not in this JSON answer; copy an answer that has a refresh_token",
};

const ACCESS: PastedKind = PastedKind {
    member: "access_token",
    labels: &["access_token", "accesstoken", "access-token", "access token", "authorization"],
    missing: "is not in this JSON answer; copy an answer that has an access_token",
};

/// The refresh token in a pasted text.
///
/// # Errors
/// What is wrong with it, in words that follow "the refresh token".
pub fn refresh_token(text: &Secret) -> Result<Secret, &'static str> {
    let token = find(text.expose(), &REFRESH)?;
    match jwt::calls_itself(&token) {
        Some(jwt::JwtKind::Access) => Err("is an access token; copy the refresh token"),
        Some(jwt::JwtKind::Id) => Err("is an ID token; copy the refresh token"),
        None => Ok(token),
    }
}

/// The access token in a pasted text.
///
/// # Errors
/// What is wrong with it, in words that follow "the access token".
pub fn access_token(text: &Secret) -> Result<Secret, &'static str> {
    find(text.expose(), &ACCESS)
}

/// Whether a refresh token pasted line by line clearly continues: its JSON is not closed, or its
/// value is on the next line.
#[must_use]
pub fn is_unfinished(text: &str) -> bool {
    let text = trim(text);
    let is_open = |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof());
    (text.starts_with(['{', '[']) && is_open(text)) || after_label(text, &REFRESH) == Some("")
}

fn find(text: &str, kind: &PastedKind) -> Result<Secret, &'static str> {
    let text = trim(text);
    if text.len() > LONGEST {
        return Err("is longer than 16 KiB");
    }
    let is_json = text.starts_with(['{', '[']) && !text.starts_with("{{");
    if is_json || text.contains(&format!("\"{}\"", kind.member)) {
        let found = answer::read(text.as_bytes());
        let token = found.and_then(|found| match kind.member {
            "access_token" => found.access_token,
            _ => found.refresh_token,
        });
        return judge(token.ok_or(kind.missing)?.expose());
    }
    match form_field(text, kind.member) {
        Some(value) => judge(bare(&value, kind)),
        None => judge(bare(text, kind)),
    }
}

/// Without what only surrounds a text, invisible characters included.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// The value of a form's field. A plus sign stays one: no token has a blank in it.
fn form_field(text: &str, field: &str) -> Option<String> {
    let name = format!("{field}=");
    let at =
        text.match_indices(&name).map(|(at, _)| at).find(|at| *at == 0 || text[..*at].ends_with(['&', '?', '#']))?;
    let value = text[at + name.len()..].split('&').next().unwrap_or_default();
    if !value.contains('%') {
        return Some(value.to_owned());
    }
    let encoded = format!("v={}", value.replace('+', "%2B"));
    let (_, value) = form_urlencoded::parse(encoded.as_bytes()).next()?;
    Some(value.into_owned())
}

/// Takes off quotes, names and the scheme, in whatever order they surround the token.
fn bare<'a>(text: &'a str, kind: &PastedKind) -> &'a str {
    let mut text = trim(text);
    loop {
        let inner = unquoted(text).or_else(|| after_label(text, kind)).or_else(|| after_scheme(text));
        match inner {
            Some(inner) => text = trim(inner),
            None => return text,
        }
    }
}

fn unquoted(text: &str) -> Option<&str> {
    let text = text.strip_suffix([',', ';']).filter(|text| text.ends_with(['"', '\'', '`'])).unwrap_or(text);
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

/// The text after the token's name: `refresh_token=…`, `Refresh token: …`, or on the next line.
fn after_label<'a>(text: &'a str, kind: &PastedKind) -> Option<&'a str> {
    kind.labels.iter().find_map(|label| {
        let (head, rest) = text.split_at_checked(label.len())?;
        let is_separator = |c: char| c.is_whitespace() || matches!(c, '=' | ':');
        let is_label = head.eq_ignore_ascii_case(label) && (rest.is_empty() || rest.starts_with(is_separator));
        is_label.then(|| rest.trim_start_matches(is_separator))
    })
}

fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked("bearer".len())?;
    let is_scheme = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (scheme.eq_ignore_ascii_case("bearer") && is_scheme).then_some(rest)
}

/// One word of visible ASCII (RFC 6749 appendices A.12 and A.17) that may be a token.
fn judge(token: &str) -> Result<Secret, &'static str> {
    if token.is_empty() {
        return Err("is empty");
    }
    if token.chars().any(char::is_whitespace) {
        return Err("has white space in it; copy the token alone");
    }
    if token.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("holds a character that no token has; copy it again");
    }
    if token.starts_with("http://") || token.starts_with("https://") {
        return Err("is an address (URL); copy the token alone");
    }
    if (token.starts_with("{{") && token.ends_with("}}")) || (token.starts_with('<') && token.ends_with('>')) {
        return Err("is a placeholder; copy the actual value");
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::{LONGEST, access_token, is_unfinished, refresh_token};
    use crate::domain::Secret;

    const TOKEN: &str = "Rt-01.2_3~4+5/6==";

    fn read(text: &str) -> Result<String, &'static str> {
        refresh_token(&Secret::new(text)).map(|token| token.expose().to_owned())
    }

    fn jwt(header: &str, claims: &str) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    #[test]
    fn whatever_surrounds_a_token_is_taken_off() {
        let shapes = [
            "{}",
            " {}",
            "{}\n",
            "\r\n\t{}\r\n",
            "\u{feff}{}",
            "\u{200b}{}\u{200b}",
            "\"{}\"",
            "\"{}\",",
            "'{}'",
            "'{}';",
            "`{}`",
            "“{}”",
            "‘{}’",
            " \" {} \" ",
            "'\"{}\"'",
            "refresh_token={}",
            "refresh_token = {}",
            "refresh_token: {}",
            "refresh_token:{}",
            "refresh_token: \"{}\",",
            "refresh_token='{}'",
            "'refresh_token={}'",
            "REFRESH_TOKEN={}",
            "REFRESH_TOKEN=\"{}\"",
            "refreshToken: \"{}\"",
            "Refresh token: {}",
            "Refresh Token\t{}",
            "refresh-token: {}",
            "refresh_token\n{}\n",
            "\"refresh_token\": \"{}\"",
            "\"refresh_token\": \"{}\",",
            "  \"refresh_token\":\"{}\",\n  \"expires_in\": 1799",
            "Bearer {}",
            "bearer {}",
            "BEARER\t{}",
            "\"Bearer {}\"",
            "refresh_token: Bearer {}",
            "refresh_token={}&client_id=a",
            "grant_type=refresh_token&refresh_token={}&client_id=a",
            "?refresh_token={}",
            "https://app.example/#access_token=a&refresh_token={}",
            r#"{"refresh_token":"{}"}"#,
            "{\n  \"access_token\": \"A\",\n  \"refresh_token\": \"{}\",\n  \"expires_in\": 1799\n}\n",
            r#"{"token":{"access_token":"A","refresh_token":"{}"}}"#,
            r#"[{"refresh_token":"{}"}]"#,
            r#"{"refresh_token":"{}","access_token":"A"} trailing"#,
            r#"{"access_token":"A","refresh_token":"{}""#,
            "\u{feff}{\"refresh_token\":\"{}\"}",
        ];
        for shape in shapes {
            // A shape's own braces are not the placeholder.
            assert_eq!(read(&shape.replacen("{}", TOKEN, 1)), Ok(TOKEN.to_owned()), "{shape}");
        }
    }

    #[test]
    fn a_form_s_value_is_decoded_and_a_bare_token_is_not() {
        assert_eq!(read("refresh_token=a%2Fb%2B%3D&x=y").as_deref(), Ok("a/b+="));
        assert_eq!(read("refresh_token=a+b%2F").as_deref(), Ok("a+b/"));
        assert_eq!(read("a%2Fb").as_deref(), Ok("a%2Fb"));
        assert_eq!(read("refresh_token_of_mine").as_deref(), Ok("refresh_token_of_mine"));
        assert_eq!(read("bearer-like").as_deref(), Ok("bearer-like"));
    }

    #[test]
    fn what_is_no_refresh_token_is_refused_and_not_repeated() {
        let long = "x".repeat(LONGEST + 1);
        let (white, odd) = ("has white space in it; copy the token alone", "holds a character that no token has");
        let (absent, url) = ("is not in this JSON answer", "is an address (URL)");
        for (text, why) in [
            ("", "is empty"),
            (" \n\t", "is empty"),
            ("\"\"", "is empty"),
            ("refresh_token=", "is empty"),
            ("refresh_token", "is empty"),
            ("Bearer ", "is empty"),
            ("two words", white),
            ("Rt-01\nRt-02", white),
            ("Authorization: Bearer Rt-01", white),
            ("Rt\u{1b}[0m", odd),
            ("Rt\u{0}01", odd),
            ("Rt-ü", odd),
            ("Rt-01\u{202e}", odd),
            ("••••••", odd),
            ("http://127.0.0.1:8400/callback?code=abc", url),
            ("https://www.getpostman.com/oauth2/callback?code=abc", url),
            ("{{refresh_token}}", "is a placeholder"),
            ("<refresh_token>", "is a placeholder"),
            ("{}", absent),
            (r#"{"access_token":"A"}"#, absent),
            (r#"{"access_token":"A","refresh_token":null}"#, absent),
            (r#"{"access_token":"A","refresh_token":"Rt-is-cut"#, absent),
            (r#"{"error":"invalid_grant"}"#, absent),
            (r#"{"refresh_token":"two words"}"#, white),
            (&long, "is longer than 16 KiB"),
        ] {
            let said = read(text);
            assert!(said.as_ref().is_err_and(|said| said.starts_with(why)), "{text:?}: {said:?}");
        }
    }

    #[test]
    fn a_token_that_calls_itself_something_else_is_refused_and_no_other_is() {
        for (header, claims, why) in [
            (r#"{"typ":"at+jwt"}"#, "{}", "is an access token"),
            (r#"{"typ":"application/AT+JWT"}"#, "{}", "is an access token"),
            (r#"{"typ":"JWT"}"#, r#"{"typ":"Bearer"}"#, "is an access token"),
            ("{}", r#"{"token_use":"access"}"#, "is an access token"),
            ("{}", r#"{"token_type":"access"}"#, "is an access token"),
            ("{}", r#"{"token_use":"id"}"#, "is an ID token"),
            ("{}", r#"{"typ":"ID"}"#, "is an ID token"),
        ] {
            assert!(read(&jwt(header, claims)).is_err_and(|said| said.starts_with(why)), "{header} {claims}");
        }
        for (header, claims) in [
            (r#"{"typ":"JWT"}"#, r#"{"typ":"Refresh","sub":"ada"}"#),
            (r#"{"typ":"JWT"}"#, r#"{"typ":"Offline"}"#),
            (r#"{"typ":"JWT"}"#, r#"{"scope":"API_ALL","aud":"x"}"#),
            (r#"{"typ":"rt+jwt"}"#, "{}"),
            ("{}", r#"{"token_type":"refresh"}"#),
            ("{}", r#"{"token_use":7}"#),
        ] {
            assert_eq!(read(&jwt(header, claims)), Ok(jwt(header, claims)), "{header} {claims}");
        }
    }

    #[test]
    fn an_access_token_is_read_with_its_header_line_too() {
        let header = ["Authorization: Bearer {}", "authorization:bearer {}", "\"Authorization: Bearer {}\""];
        for shape in ["{}\n", "Bearer {}", "\"{}\"", "access_token={}"].into_iter().chain(header) {
            let read = access_token(&Secret::new(shape.replace("{}", TOKEN)));
            assert_eq!(read.map(|token| token.expose().to_owned()), Ok(TOKEN.into()), "{shape}");
        }
        assert_eq!(access_token(&Secret::new(r#"{"access_token":"A","refresh_token":"R"}"#)), Ok(Secret::new("A")));
        assert!(access_token(&Secret::new("  ")).is_err());
    }

    #[test]
    fn a_paste_of_several_lines_continues_until_its_json_is_closed() {
        for open in ["{", "{\n\"access_token\": \"A\",", "[{\"refresh_token\":", "refresh_token", "Refresh Token:"] {
            assert!(is_unfinished(open), "{open}");
        }
        for whole in ["", TOKEN, "{}", "{\"refresh_token\":\"R\"}", "{ no json", "refresh_token: R"] {
            assert!(!is_unfinished(whole), "{whole}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic_and_what_it_takes_is_one_word(text in "(\"|'|refresh_token|[=:&%{}, ]|Bearer |\\PC){0,40}") {
            if let Ok(token) = refresh_token(&Secret::new(text)) {
                prop_assert!(!token.is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }

        #[test]
        fn an_ordinary_token_is_unchanged(token in "[A-Za-z0-9][A-Za-z0-9._~+/-]{0,80}={0,2}") {
            prop_assert_eq!(read(&token), Ok(token));
        }
    }
}
