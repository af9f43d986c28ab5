//! Tokens as a server hands them out, and the random text they are made of.

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::CsrfToken;

use crate::domain::Secret;

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
}

/// `bytes` bytes of the thread's cryptographic random source, as base64url text.
pub(super) fn random_text(bytes: u32) -> String {
    CsrfToken::new_random_len(bytes).into_secret()
}
