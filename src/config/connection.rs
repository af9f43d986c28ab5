//! One `[[connections]]` table: checked, and completed with its provider's defaults.
//!
//! It asks what the provider's grant is, never which provider it is. The keys are those of
//! [`fields`](crate::config::fields).

use unicode_width::UnicodeWidthStr;
use url::Url;

use crate::config::fields::KEYS;
use crate::config::section::Section;
use crate::config::text::{near_miss, quoted};
use crate::config::{fields, urls};
use crate::domain::text::neutralise;
use crate::domain::{AfterLostAnswer, Connection, ConnectionGrant, ConnectionName, Grant, Provider, SecretSource};

/// The widest title, in columns of the terminal.
const WIDEST_TITLE: usize = 80;

const COMMAND_EXAMPLE: &str = r#"["pass", "show", "manu/factory"]"#;

/// Reads one connection; `None` when something is wrong, which is then in the section's report.
/// A connection that does not say what happens after a lost answer is given `after_lost`.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    after_lost: AfterLostAnswer,
    providers: &'static [&'static Provider],
) -> Option<Connection> {
    section.refuse_unknown_keys(KEYS);
    let name = name(section);
    let title = title(section);
    let client_id = client_id(section);
    let client_secret = secret_source(section);
    let auto_refresh = section.boolean("auto_refresh").unwrap_or(true);
    let after_lost_answer = after_lost_answer(section).unwrap_or(after_lost);
    // Which other keys are allowed and needed depends on the provider; without one, asking for
    // them would only add noise.
    let provider = provider(section, providers)?;
    let grant = grant(section, provider);
    let token_url = endpoint(section, "token_url", provider.token_url);
    let test_url = endpoint(section, "test_url", provider.test_url);
    let revoke_url = revoke_url(section);
    Some(Connection {
        name: name?,
        title: title?,
        provider,
        client_id: client_id?,
        client_secret: client_secret?,
        grant: grant?,
        token_url: token_url?,
        test_url: test_url?,
        auto_refresh,
        after_lost_answer,
        revoke_url: revoke_url?,
    })
}

/// The value of `after_lost_answer`, in a connection's table or at the top level.
pub(super) fn after_lost_answer(section: &mut Section<'_, '_>) -> Option<AfterLostAnswer> {
    let choice = AfterLostAnswer::from_word(section.string("after_lost_answer")?);
    if choice.is_none() {
        section.fault(
            "after_lost_answer",
            "must be \"retry\" (send the refresh token again) or \"ask\" (wait for a person)",
        );
    }
    choice
}

fn name(section: &mut Section<'_, '_>) -> Option<ConnectionName> {
    let text = section.required_string("name", "\"factory\"")?;
    ConnectionName::new(text).map_err(|why| section.fault("name", why)).ok()
}

/// The outer `None` is a fault, the inner one a title left out.
#[expect(clippy::option_option, reason = "left out and wrong are different things")]
fn title(section: &mut Section<'_, '_>) -> Option<Option<String>> {
    if section.is_absent("title") {
        return Some(None);
    }
    let text = section.string("title")?;
    let what = if text.trim().is_empty() {
        "must not be empty; remove it to show the name".to_owned()
    } else if text.trim() != text {
        "has spaces around it; remove them".to_owned()
    } else if neutralise(text, text.len()) != text {
        "contains an invisible or control character; remove it".to_owned()
    } else if text.width() > WIDEST_TITLE {
        format!("is wider than {WIDEST_TITLE} columns; shorten it")
    } else {
        return Some(Some(text.to_owned()));
    };
    section.fault("title", what);
    None
}

fn client_id(section: &mut Section<'_, '_>) -> Option<String> {
    let text = section.required_string("client_id", "\"...\"")?;
    // RFC 6749 appendix A.1 allows visible ASCII and space; anything else was pasted by accident.
    if text.chars().all(|c| matches!(c, ' '..='~')) && text.trim() == text {
        return Some(text.to_owned());
    }
    section.fault("client_id", "contains characters that no client ID has (line breaks, spaces around it, non-ASCII)");
    None
}

fn secret_source(section: &mut Section<'_, '_>) -> Option<SecretSource> {
    if section.is_absent("client_secret_command") {
        return Some(SecretSource::Store);
    }
    let command = section.strings("client_secret_command", COMMAND_EXAMPLE)?;
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        section.fault(
            "client_secret_command",
            format!("names no program; set for example {COMMAND_EXAMPLE}, or remove it to use the secret store"),
        );
        return None;
    }
    if command.iter().any(|word| word.contains('\0')) {
        section.fault("client_secret_command", "contains a NUL character, with which no program can be started");
        return None;
    }
    Some(SecretSource::Command(command))
}

fn provider(section: &mut Section<'_, '_>, providers: &'static [&'static Provider]) -> Option<&'static Provider> {
    let ids: Vec<&'static str> = providers.iter().map(|provider| provider.id).collect();
    let text = section.required_string("provider", &quoted(ids.first().unwrap_or(&"")))?;
    let found = providers.iter().find(|provider| provider.id == text).copied();
    if found.is_none() {
        // What is close to no provider may be anything, a secret on the wrong line included.
        let (given, hint) = near_miss(text, &ids).map_or_else(
            || ("this".to_owned(), String::new()),
            |meant| (quoted(text), format!("; did you mean \"{meant}\"?")),
        );
        let known: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        section.fault("provider", format!("{given} is not a known provider; known are {}{hint}", known.join(", ")));
    }
    found
}

fn grant(section: &mut Section<'_, '_>, provider: &Provider) -> Option<ConnectionGrant> {
    match provider.grant {
        Grant::AuthorizationCode { authorize_url, default_scope, .. } => {
            let authorize_url = endpoint(section, "authorize_url", authorize_url);
            let redirect_uri = redirect_uri(section);
            let scope = scope(section, default_scope);
            let pkce = section.boolean("pkce").unwrap_or(true);
            Some(ConnectionGrant::AuthorizationCode {
                authorize_url: authorize_url?,
                redirect_uri: redirect_uri?,
                scope: scope?,
                pkce,
            })
        }
        Grant::ClientCredentials => {
            let why = format!("not supported for {}: it has no browser login; remove this line", provider.title);
            section.refuse_keys(&fields::foreign_keys(provider), &why);
            Some(ConnectionGrant::ClientCredentials)
        }
    }
}

fn endpoint(section: &mut Section<'_, '_>, key: &str, default: &'static str) -> Option<Url> {
    if section.is_absent(key) {
        return Some(section.default_url(default));
    }
    let text = section.string(key)?;
    urls::endpoint(text).map_err(|why| section.fault(key, why)).ok()
}

/// The outer `None` is a fault, the inner one a URL left out.
#[expect(clippy::option_option, reason = "left out and wrong are different things")]
fn revoke_url(section: &mut Section<'_, '_>) -> Option<Option<Url>> {
    if section.is_absent("revoke_url") {
        return Some(None);
    }
    let text = section.string("revoke_url")?;
    urls::endpoint(text).map(Some).map_err(|why| section.fault("revoke_url", why)).ok()
}

fn redirect_uri(section: &mut Section<'_, '_>) -> Option<String> {
    let text = section.required_string("redirect_uri", "\"http://127.0.0.1:8400/callback\", exactly as registered")?;
    urls::redirect_uri(text).map_err(|why| section.fault("redirect_uri", why)).ok()?;
    Some(text.to_owned())
}

fn scope(section: &mut Section<'_, '_>, default: &str) -> Option<String> {
    if section.is_absent("scope") {
        return Some(default.to_owned());
    }
    let text = section.string("scope")?;
    let is_token = |word: &str| word.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~'));
    if !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && is_token(word)) {
        return Some(text.to_owned());
    }
    section.fault(
        "scope",
        format!("must be words separated by single spaces (RFC 6749 section 3.3); left out, it is \"{default}\""),
    );
    None
}
