//! Token records, and the facts about them that are no secret.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secret::Secret;

/// One generation of a connection's tokens: what the token endpoint answered, and when.
///
/// Generations count up by one with every answer saved; the greatest is the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// 1 for the first login; one more for every answer since.
    pub generation: u64,
    /// The access token (RFC 6749 §1.4).
    pub access_token: Secret,
    /// When the answer with this access token came.
    pub obtained_at: DateTime<Utc>,
    /// When the access token ends: `obtained_at` + `expires_in`.
    pub expires_at: DateTime<Utc>,
    /// The refresh token (§1.5) and when it was received; none with client credentials.
    pub refresh_token: Option<RefreshToken>,
    /// The scope granted, where the answer told (§5.1).
    pub scope: Option<String>,
    /// The client the tokens were issued to.
    pub client_id: String,
}

/// A refresh token and what is known of its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token itself.
    pub token: Secret,
    /// When it was received.
    pub obtained_at: DateTime<Utc>,
    /// When it probably ends; an estimate from the provider's documentation.
    pub estimated_end: DateTime<Utc>,
}

/// The first 8 hex digits of a secret's SHA-256: enough to tell two apart, useless to guess one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let digest = Sha256::digest(secret.expose().as_bytes());
        Self(format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]))
    }

    /// Its 8 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What may be shown of a [`TokenRecord`]: everything but the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// See [`TokenRecord::generation`].
    pub generation: u64,
    /// When the access token was obtained.
    pub obtained_at: DateTime<Utc>,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// The access token's fingerprint.
    pub access_fingerprint: Fingerprint,
    /// The refresh token's facts; none with client credentials.
    pub refresh: Option<RefreshFacts>,
    /// The scope granted, where the answer told.
    pub scope: Option<String>,
}

/// What may be shown of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFacts {
    /// When it was received.
    pub obtained_at: DateTime<Utc>,
    /// When it probably ends; an estimate.
    pub estimated_end: DateTime<Utc>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

impl TokenRecord {
    /// The record without its secrets.
    #[must_use]
    pub fn facts(&self) -> TokenFacts {
        TokenFacts {
            generation: self.generation,
            obtained_at: self.obtained_at,
            expires_at: self.expires_at,
            access_fingerprint: Fingerprint::of(&self.access_token),
            refresh: self.refresh_token.as_ref().map(|refresh| RefreshFacts {
                obtained_at: refresh.obtained_at,
                estimated_end: refresh.estimated_end,
                fingerprint: Fingerprint::of(&refresh.token),
            }),
            scope: self.scope.clone(),
        }
    }

    /// How long the access token still works; negative once it has ended.
    #[must_use]
    pub fn remaining(&self, now: DateTime<Utc>) -> TimeDelta {
        self.expires_at - now
    }
}

impl TokenFacts {
    /// The access token's whole lifetime.
    #[must_use]
    pub fn lifetime(&self) -> TimeDelta {
        self.expires_at - self.obtained_at
    }

    /// How long the access token still works; negative once it has ended.
    #[must_use]
    pub fn remaining(&self, now: DateTime<Utc>) -> TimeDelta {
        self.expires_at - now
    }

    /// The share of the lifetime that is left, 0.0 to 1.0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "lifetimes are far below 2^52 ms")]
    pub fn share_left(&self, now: DateTime<Utc>) -> f64 {
        let whole = self.lifetime().num_milliseconds().max(1) as f64;
        (self.remaining(now).num_milliseconds() as f64 / whole).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, Secret};

    #[test]
    fn a_fingerprint_is_the_head_of_sha_256() {
        // printf abc | sha256sum
        assert_eq!(Fingerprint::of(&Secret::new("abc")).as_str(), "ba7816bf");
    }
}
