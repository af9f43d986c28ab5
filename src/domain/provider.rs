//! What a provider is, as data. The registry of known ones is [`crate::oauth::providers`].

use std::fmt;
use std::time::Duration;

/// A provider: everything in which its protocol differs from another's, as data.
///
/// The rest of the program never asks *which* provider a connection has; it asks for the [`Grant`].
pub struct Provider {
    /// The word in the configuration: `provider = "…"`.
    pub id: &'static str,
    /// The short name in the dashboard's table.
    pub label: &'static str,
    /// The full name in sentences.
    pub title: &'static str,
    /// Its issuer identifier (RFC 8414 §2), where its documentation names one: a redirect from another one is refused.
    pub issuer: Option<&'static str>,
    /// How an access token is obtained.
    pub grant: Grant,
    /// The token endpoint (RFC 6749 §3.2).
    pub token_url: &'static str,
    /// A cheap call that proves an access token works (`GET`, `Authorization: Bearer`).
    pub test_url: &'static str,
    /// The lifetime of an access token if the answer does not give one (no `expires_in`).
    pub access_token_lifetime: Duration,
    /// The longest plausible lifetime of an access token; [`crate::oauth::lifetime`] handles longer ones.
    pub longest_access_token_lifetime: Duration,
}

/// How an access token is obtained (RFC 6749 §1.3).
pub enum Grant {
    /// A person logs in once in a browser (§4.1); afterwards the refresh token is used (§6).
    AuthorizationCode {
        /// The authorization endpoint (§3.1).
        authorize_url: &'static str,
        /// The scope requested if the configuration names none.
        default_scope: &'static str,
        /// What is known about its refresh tokens.
        refresh_tokens: RefreshTokens,
    },
    /// Client ID and secret are exchanged for an access token (§4.4); there is no refresh token.
    ClientCredentials,
}

/// What is known about a provider's refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshTokens {
    /// How long one is thought to work. Servers do not say, so this is always an estimate.
    pub estimated_lifetime: Duration,
    /// Whether each refresh replaces it and invalidates the one sent (RFC 9700 §4.14.2).
    pub rotate: bool,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.id)
    }
}

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Provider {}
