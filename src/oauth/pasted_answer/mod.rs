//! Reads what a person pasted as the answer to a login: the final URL in whatever shape it was
//! copied, its query, or the bare code. What cannot be an answer is never sent as a code.
//!
//! Undone are line breaks and blanks of a wrapped URL, quotes around it, a missing scheme, `&amp;`,
//! percent-encoding of the whole, quoted-printable, and an answer in the fragment.

use std::borrow::Cow;

use url::{Host, Url, form_urlencoded};

use crate::domain::Secret;
use crate::oauth::callback::{CallbackError, Expected, Granted, MAX, read_redirect};

/// The shortest text taken for a bare code.
const SHORTEST_CODE: usize = 6;
/// A code of digits or of plain letters alone is at least so long; shorter ones are words, or the
/// one-time codes of a login page.
const SHORTEST_PLAIN_CODE: usize = 20;
/// A bare code that a terminal or a mail program has wrapped is at least so long.
const SHORTEST_WRAPPED_CODE: usize = 40;
/// What people and programs put around a URL.
const QUOTES: [(char, char); 9] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('<', '>'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{201a}', '\u{2018}'),
    ('\u{ab}', '\u{bb}'),
];

/// Reads a pasted answer. A bare code has neither `state` nor issuer; it is trusted because the person copied it from
/// their own browser.
///
/// # Errors
/// As [`read_redirect`]; besides, whatever is not the final URL of this login.
pub fn read_answer(text: &Secret, expected: &Expected, redirect_uri: &str) -> Result<Granted, CallbackError> {
    let text = text.expose().trim();
    if text.len() > MAX {
        return Err(CallbackError::TooLong);
    }
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let joined: String = lines().collect();
    let is_wrapped = lines().nth(1).is_some();
    let whole = answer(&joined, expected, redirect_uri).unwrap_or_else(|| match tight(&joined) {
        Some(text) if !is_wrapped || text.len() >= SHORTEST_WRAPPED_CODE => {
            code(text).map(|code| Granted { code, issuer: None })
        }
        _ => Err(CallbackError::NoAnswer),
    });
    if whole.is_ok() || !is_wrapped && !text.contains("=3D") {
        return whole;
    }
    // Sent as quoted-printable mail, or one line among others.
    let printable: String = lines().map(|line| line.strip_suffix('=').unwrap_or(line)).collect();
    let printable = printable.replace("=3D", "=").replace("=26", "&");
    let others = std::iter::once(printable.as_str()).chain(lines());
    others.filter_map(|text| answer(text, expected, redirect_uri)).find(Result::is_ok).unwrap_or(whole)
}

/// The content of a text that is a URL or its query.
fn answer(text: &str, known: &Expected, redirect_uri: &str) -> Option<Result<Granted, CallbackError>> {
    let decoded = decoded(unquoted(text));
    // A URL has no blanks: some programs make one of a line break.
    let tight: String = decoded.chars().filter(|c| !c.is_whitespace()).collect();
    let expected = Url::parse(redirect_uri).ok();
    if let Some(query) = query_alone(&tight, expected.as_ref()) {
        return Some(read_parameters(query, known));
    }
    let url = url(&tight, expected.as_ref())?;
    Some(if is_at(&url, expected.as_ref()) {
        let answer = [url.query(), url.fragment()].into_iter().flatten().find(|part| has_answer(part));
        read_parameters(answer.or(url.query()).unwrap_or_default(), known)
    } else if is_login_url(url.query().unwrap_or_default()) {
        Err(CallbackError::LoginUrl)
    } else {
        Err(CallbackError::Elsewhere(redirect_uri.to_owned()))
    })
}

/// A single word without what is around it.
fn tight(text: &str) -> Option<&str> {
    Some(unquoted(text)).filter(|text| !text.contains(char::is_whitespace) && !text.contains("://"))
}

fn read_parameters(query: &str, known: &Expected) -> Result<Granted, CallbackError> {
    if is_login_url(query) { Err(CallbackError::LoginUrl) } else { read_redirect(query, known) }
}

/// The text without quotes, brackets and invisible characters around it.
fn unquoted(text: &str) -> &str {
    let is_nothing = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}');
    let mut text = text.trim_matches(is_nothing);
    while let Some(inner) = QUOTES.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close)) {
        text = inner.trim_matches(is_nothing);
    }
    text
}

/// What was escaped as a whole, for HTML or as a parameter of another URL, without that.
fn decoded(text: &str) -> Cow<'_, str> {
    let is_encoded = !text.contains(['?', '=', '&', '#']) && text.to_ascii_lowercase().contains("%3d");
    let text = if is_encoded { Cow::Owned(percent_decoded(text)) } else { Cow::Borrowed(text) };
    if text.contains("&amp;") { Cow::Owned(text.replace("&amp;", "&")) } else { text }
}

fn percent_decoded(text: &str) -> String {
    // The parser of forms would make a blank of a plus.
    let pair = format!("text={}", text.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, text)| text.into_owned())
}

/// The query, if only that was pasted, perhaps with the path before it.
fn query_alone<'t>(text: &'t str, expected: Option<&Url>) -> Option<&'t str> {
    let (before, query) = text.split_once(['?', '#']).unwrap_or(("", text));
    let is_path = before.is_empty() || expected.is_some_and(|expected| is_path(before, expected.path()));
    query.split('#').find(|query| is_path && has_answer(query))
}

fn is_path(text: &str, expected: &str) -> bool {
    text.trim_matches('/') == expected.trim_matches('/')
}

fn has_answer(query: &str) -> bool {
    has_any(query, &["code", "state", "error"])
}

/// Whether these are the parameters of an authorization request: the URL that starts the login.
fn is_login_url(query: &str) -> bool {
    has_any(query, &["response_type"]) && !has_any(query, &["code", "error"])
}

fn has_any(query: &str, names: &[&str]) -> bool {
    query.contains('=') && form_urlencoded::parse(query.as_bytes()).any(|(name, _)| names.contains(&name.as_ref()))
}

/// The text as a URL, if it is one with or without a scheme.
fn url(text: &str, expected: Option<&Url>) -> Option<Url> {
    if text.contains("://") {
        return Url::parse(text).ok();
    }
    let rest = text.trim_start_matches('/');
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let guess = Url::parse(&format!("{}://{rest}", expected.map_or("https", Url::scheme))).ok()?;
    let is_guessed = is_host(host) || guess.host() == expected.and_then(Url::host) || is_loopback(&guess);
    is_guessed.then_some(guess)
}

/// Whether a text is the name of a host: `www.example.com`, `127.0.0.1:8400`.
fn is_host(text: &str) -> bool {
    let host = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(text, |(host, _)| host);
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    let labels = |text: &str| text.split('.').all(|label| !label.is_empty() && label.len() < 64 && is_label(label));
    let is_name = (2..=12).contains(&top.len()) && top.bytes().all(|byte| byte.is_ascii_lowercase());
    host.parse::<std::net::Ipv4Addr>().is_ok() || (is_name && labels(name))
}

fn is_label(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether a URL is the redirect URI. `state` is what protects the login: a browser may have turned
/// `http` into `https`, hidden `www.`, or used another name of this machine.
fn is_at(url: &Url, expected: Option<&Url>) -> bool {
    let bare = |url: &Url| url.host_str().map(|host| host.trim_start_matches("www.").to_owned());
    expected.is_some_and(|expected| {
        let is_web = matches!(url.scheme(), "http" | "https") || url.scheme() == expected.scheme();
        let is_same_host = bare(url) == bare(expected) || (is_loopback(url) && is_loopback(expected));
        is_web && is_same_host && is_path(url.path(), expected.path())
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// A text as a bare code, if it looks like one.
fn code(text: &str) -> Result<Secret, CallbackError> {
    let is_plausible = text.len() >= SHORTEST_CODE
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=%|:!*$,;".contains(c))
        && (text.len() >= SHORTEST_PLAIN_CODE || is_mixed(text));
    if !is_plausible {
        return Err(CallbackError::NoAnswer);
    }
    // As shown in an address bar: `4%2F0A…` is `4/0A…`.
    let decoded = percent_decoded(text);
    if decoded.chars().all(|c| c.is_ascii_graphic()) { Ok(Secret::new(decoded)) } else { Err(CallbackError::NoAnswer) }
}

/// Whether letters are mixed with digits or with the other case, as in random text and in few words.
fn is_mixed(text: &str) -> bool {
    let has = |is: fn(&char) -> bool| text.chars().any(|c| is(&c));
    let has_capital_inside = text.chars().skip(1).any(|c| c.is_ascii_uppercase());
    has(char::is_ascii_alphabetic)
        && (has(char::is_ascii_digit) || (has_capital_inside && has(char::is_ascii_lowercase)))
}

#[cfg(test)]
mod tests;
