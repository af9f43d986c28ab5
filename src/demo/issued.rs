//! Tokens as a server hands them out, and the random text they are made of.

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::CsrfToken;

use crate::domain::{RefreshToken, Secret, TokenRecord};

/// How long a refresh token is thought to live; the servers do not say.
pub(super) const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(730);

/// One answer of a token endpoint. `Debug` does not show the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The client they were issued to.
    pub client_id: String,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token; none with client credentials.
    pub refresh_token: Option<Secret>,
    /// When they were issued.
    pub issued_at: DateTime<Utc>,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// The scope granted; none with client credentials.
    pub scope: Option<String>,
}

impl Issued {
    /// The access token's whole lifetime: `expires_in` (RFC 6749 §5.1).
    #[must_use]
    pub fn expires_in(&self) -> TimeDelta {
        self.expires_at - self.issued_at
    }

    /// What a client that logged in would keep of it, as this generation.
    #[must_use]
    pub fn record(&self, generation: u64) -> TokenRecord {
        TokenRecord {
            generation,
            access_token: self.access_token.clone(),
            obtained_at: self.issued_at,
            expires_at: self.expires_at,
            refresh_token: self.refresh_token.clone().map(|token| RefreshToken {
                token,
                obtained_at: self.issued_at,
                estimated_end: self.issued_at + REFRESH_LIFETIME,
            }),
            scope: self.scope.clone(),
            client_id: self.client_id.clone(),
            subject: None,
        }
    }
}

/// `bytes` bytes of the thread's cryptographic random source, as base64url text.
pub(super) fn random_text(bytes: u32) -> String {
    CsrfToken::new_random_len(bytes).into_secret()
}
