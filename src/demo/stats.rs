//! What a server has counted since it was started.

/// Counts, for tests to hold promises against and for a demo's curious owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests that reached the token endpoint, by the grant they named, processed or not.
    pub token_posts: TokenPosts,
    /// The most token requests that were out at one moment.
    pub peak_in_flight: usize,
    /// Consent pages shown (Manu Online).
    pub consents_shown: u64,
    /// Refresh tokens replaced (Manu Online).
    pub rotations: u64,
    /// Times a replaced refresh token was sent again (Manu Online).
    pub reuses_detected: u64,
    /// Requests that reached the revocation endpoint (Manu Online).
    pub revocation_posts: u64,
    /// Token families revoked, whatever the reason (Manu Online).
    pub families_revoked: u64,
    /// Access tokens minted (Manus).
    pub mints: u64,
    /// Token requests answered with 429 by the rate limit.
    pub rate_limited: u64,
    /// Calls of the API, with a working token or without.
    pub api_calls: u64,
    /// Calls of the API that were refused with 401.
    pub api_calls_refused: u64,
}

/// Token requests by the grant they named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenPosts {
    /// `grant_type=authorization_code`.
    pub authorization_code: u64,
    /// `grant_type=refresh_token`.
    pub refresh_token: u64,
    /// `grant_type=client_credentials`.
    pub client_credentials: u64,
    /// Another grant type, none, or a request that could not be read.
    pub other: u64,
}

impl TokenPosts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.authorization_code + self.refresh_token + self.client_credentials + self.other
    }

    pub(super) fn count(&mut self, grant_type: Option<&str>) {
        *match grant_type {
            Some("authorization_code") => &mut self.authorization_code,
            Some("refresh_token") => &mut self.refresh_token,
            Some("client_credentials") => &mut self.client_credentials,
            _ => &mut self.other,
        } += 1;
    }
}
