//! Manu Online: a person logs in once; every refresh replaces the refresh token.

use std::time::Duration;

use crate::domain::{Grant, Provider, RefreshTokens};

/// Manu Online. Confidential client, its secret in the form body; access tokens live about half
/// an hour. That refresh tokens live about two years is the documentation's word, not the
/// server's, hence an estimate.
pub static MANU: Provider = Provider {
    id: "manu",
    label: "Manu",
    title: "Manu Online",
    issuer: None,
    grant: Grant::AuthorizationCode {
        authorize_url: "https://auth.manuonline.com/oauth/authorize",
        default_scope: "API_ALL",
        refresh_tokens: RefreshTokens { estimated_lifetime: Duration::from_secs(2 * 365 * 24 * 60 * 60), rotate: true },
    },
    token_url: "https://auth.manuonline.com/oauth/token",
    test_url: "https://api.manuonline.com/",
    access_token_lifetime: Duration::from_secs(1799),
    longest_access_token_lifetime: Duration::from_secs(24 * 60 * 60),
};
