//! The keys of a connection, as data: what the checker knows, and what a form offers.
//!
//! Which of them a provider's connections have is decided by its grant, never by who it is.

use crate::domain::{Grant, Provider};

/// One key of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigField {
    /// The key in the file.
    pub key: &'static str,
    /// What it is called in a form.
    pub label: &'static str,
    /// What it is for, in one sentence.
    pub help: &'static str,
    /// What is written into it.
    pub kind: FieldKind,
    /// Whether a connection cannot do without it.
    pub required: bool,
    /// Whether it means something only where a person logs in with a browser.
    pub browser_only: bool,
}

/// What is written into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// The id of a provider.
    Provider,
    /// A URL.
    Url,
    /// `true` or `false`.
    Switch,
    /// A program and its arguments, quoted as in a POSIX shell; the file has them as a list.
    Command,
}

/// All fields, in the order of a form and of a table that is rewritten.
pub const FIELDS: &[ConfigField] = &[
    required("name", "Name", "Unique; ASCII letters, digits, '-', '_' and '.'", FieldKind::Text),
    optional("title", "Title", "Display name, in any script", FieldKind::Text),
    required("provider", "Provider", "The provider", FieldKind::Provider),
    required("client_id", "Client ID", "From the provider; not a secret", FieldKind::Text),
    optional(
        "client_secret_command",
        "Secret from",
        "A program that prints the client secret; by default it is in the secret store",
        FieldKind::Command,
    ),
    browser(required("redirect_uri", "Redirect URI", "Exactly as registered with the provider", FieldKind::Url)),
    browser(optional("scope", "Scope", "Requested at login, words separated by spaces", FieldKind::Text)),
    optional("auto_refresh", "Auto refresh", "Automatic refresh", FieldKind::Switch),
    browser(optional("pkce", "PKCE", "PKCE for the login (RFC 7636)", FieldKind::Switch)),
    browser(optional("authorize_url", "Authorize URL", "The login page", FieldKind::Url)),
    optional("token_url", "Token URL", "The token endpoint", FieldKind::Url),
    browser(optional(
        "revoke_url",
        "Revoke URL",
        "Revokes the refresh token at logout (RFC 7009), if the provider supports it",
        FieldKind::Url,
    )),
    browser(optional(
        "after_lost_answer",
        "Lost answer",
        "\"retry\" sends the refresh token again automatically, \"ask\" waits for you",
        FieldKind::Text,
    )),
    optional("test_url", "Test URL", "The API call that tests a token", FieldKind::Url),
];

/// Their keys.
pub(super) const KEYS: &[&str] = &{
    let mut keys = [""; FIELDS.len()];
    let mut at = 0;
    while at < FIELDS.len() {
        keys[at] = FIELDS[at].key;
        at += 1;
    }
    keys
};

const fn optional(key: &'static str, label: &'static str, help: &'static str, kind: FieldKind) -> ConfigField {
    ConfigField { key, label, help, kind, required: false, browser_only: false }
}

const fn required(key: &'static str, label: &'static str, help: &'static str, kind: FieldKind) -> ConfigField {
    ConfigField { required: true, ..optional(key, label, help, kind) }
}

const fn browser(field: ConfigField) -> ConfigField {
    ConfigField { browser_only: true, ..field }
}

/// The fields that a provider's connections have, in the order of a form.
pub fn fields(provider: &Provider) -> impl Iterator<Item = &'static ConfigField> + use<> {
    let is_browser = matches!(provider.grant, Grant::AuthorizationCode { .. });
    FIELDS.iter().filter(move |field| is_browser || !field.browser_only)
}

/// What a field means when it is left out; `None` where it has no default.
#[must_use]
pub fn default_text(provider: &Provider, key: &str) -> Option<&'static str> {
    match (key, &provider.grant) {
        ("auto_refresh", _) | ("pkce", Grant::AuthorizationCode { .. }) => Some("true"),
        ("after_lost_answer", Grant::AuthorizationCode { .. }) => Some("retry"),
        ("token_url", _) => Some(provider.token_url),
        ("test_url", _) => Some(provider.test_url),
        ("scope", Grant::AuthorizationCode { default_scope, .. }) => Some(default_scope),
        ("authorize_url", Grant::AuthorizationCode { authorize_url, .. }) => Some(authorize_url),
        _ => None,
    }
}

/// What a new connection may begin with, where a sensible value is no default of the file's.
#[must_use]
pub fn suggested_text(provider: &Provider, key: &str) -> Option<&'static str> {
    match (key, &provider.grant) {
        ("redirect_uri", Grant::AuthorizationCode { .. }) => Some("http://127.0.0.1:8400/callback"),
        _ => None,
    }
}

/// The keys that a provider's connections do not have.
pub(super) fn foreign_keys(provider: &Provider) -> Vec<&'static str> {
    let own: Vec<_> = fields(provider).map(|field| field.key).collect();
    KEYS.iter().copied().filter(|key| !own.contains(key)).collect()
}
