//! A connection as the user configured it, completed with its provider's defaults.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::provider::Provider;

/// The unique name of a connection: 1 to 64 of ASCII letters, digits, `-`, `_` and `.`,
/// beginning with a letter or digit. Cheap to clone; safe as part of a file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(Arc<str>);

impl ConnectionName {
    /// The longest name allowed, in characters.
    pub const MAX: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    /// Says what is wrong with it, in words that follow "the name".
    pub fn new(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("must not be empty".into());
        }
        if name.len() > Self::MAX {
            return Err(format!("is longer than {} characters", Self::MAX));
        }
        if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c)) {
            return Err(format!("contains {bad:?}; allowed are ASCII letters, digits, '-', '_' and '.'"));
        }
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err("must begin with a letter or a digit".into());
        }
        Ok(Self(name.into()))
    }

    /// Whether a text counts as this name: names become file names, and many file systems ignore case.
    #[must_use]
    pub fn is_same_as(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for ConnectionName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::new(name)
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name)
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// One connection, complete: the configuration's values over the provider's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its unique name.
    pub name: ConnectionName,
    /// Its title, in any script; at most 80 columns wide, without control characters.
    pub title: Option<String>,
    /// Whose connection it is.
    pub provider: &'static Provider,
    /// The client identifier (RFC 6749 §2.2); not a secret.
    pub client_id: String,
    /// The source of its client secret.
    pub client_secret: SecretSource,
    /// The grant with this connection's settings.
    pub grant: ConnectionGrant,
    /// The token endpoint; `https`, or `http` on loopback.
    pub token_url: Url,
    /// The call that proves a token works; `https`, or `http` on loopback.
    pub test_url: Url,
    /// Whether it is refreshed automatically.
    pub auto_refresh: bool,
    /// What happens after a refresh token was sent and its answer lost.
    pub after_lost_answer: AfterLostAnswer,
    /// The revocation endpoint (RFC 7009) that a logout calls first; `https`, or `http` on loopback.
    pub revoke_url: Option<Url>,
}

/// What happens after a refresh token was sent and its answer lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AfterLostAnswer {
    /// The same refresh token is sent again when the connection is due: no newer one is known, and a
    /// request that never arrived, or a server with a grace period, still gets its answer.
    #[default]
    Retry,
    /// Nothing is sent until a person decides.
    Ask,
}

impl AfterLostAnswer {
    /// The word for it in the configuration file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Ask => "ask",
        }
    }

    /// The one that a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Retry, Self::Ask].into_iter().find(|choice| choice.word() == word)
    }
}

/// The settings of a connection that only its grant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionGrant {
    /// Authorization code, then refresh tokens.
    AuthorizationCode {
        /// The authorization endpoint; `https`, or `http` on loopback.
        authorize_url: Url,
        /// Exactly as registered with the provider.
        redirect_uri: String,
        /// Asked for at login (RFC 6749 §3.3).
        scope: String,
        /// Whether PKCE S256 is sent (RFC 7636).
        pkce: bool,
    },
    /// Client credentials.
    ClientCredentials,
}

/// The source of a client secret. It is never in the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret store, put there by `manutop secret set`.
    Store,
    /// The first line a command prints: program and arguments, no shell.
    Command(Vec<String>),
}

impl Connection {
    /// Whether a person logs in with a browser (as against minting from the client secret).
    #[must_use]
    pub fn needs_browser(&self) -> bool {
        matches!(self.grant, ConnectionGrant::AuthorizationCode { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectionName;

    #[test]
    fn names_that_are_safe_in_files_and_on_screens_are_accepted() {
        for name in ["a", "factory", "hr-sync_2.old", "0"] {
            assert_eq!(ConnectionName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_names_are_refused_with_the_reason() {
        for (name, reason) in
            [("", "empty"), ("..", "begin"), ("a/b", "'/'"), ("a b", "' '"), ("é", "'é'"), ("-x", "begin")]
        {
            let error = ConnectionName::new(name).unwrap_err();
            assert!(error.contains(reason), "{name:?}: {error}");
        }
        assert!(ConnectionName::new(&"x".repeat(65)).is_err());
    }
}
