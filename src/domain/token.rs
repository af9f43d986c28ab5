//! Token records, and the facts about them that are not secret.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::secret::Secret;
use crate::domain::subject::Subject;

/// One generation of a connection's tokens: what the token endpoint answered, and when.
///
/// Generations count up by one with every answer saved; the greatest is the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// 1 for the first login; one more for every answer since.
    pub generation: u64,
    /// The access token (RFC 6749 §1.4).
    pub access_token: Secret,
    /// When the answer with this access token was received.
    pub obtained_at: DateTime<Utc>,
    /// When the access token expires: `obtained_at` + `expires_in`.
    pub expires_at: DateTime<Utc>,
    /// The refresh token (§1.5) and when it was received; none with client credentials.
    pub refresh_token: Option<RefreshToken>,
    /// The granted scope, if the answer named it (§5.1).
    pub scope: Option<String>,
    /// The client the tokens were issued to.
    pub client_id: String,
    /// Who the tokens name, unverified; none in records of older versions.
    pub subject: Option<Subject>,
}

/// A refresh token and its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token itself.
    pub token: Secret,
    /// When it was received.
    pub obtained_at: DateTime<Utc>,
    /// When it probably expires; an estimate from the provider's documentation.
    pub estimated_end: DateTime<Utc>,
}

/// The first 8 hex digits of a secret's SHA-256: enough to distinguish two, useless for guessing one.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<str>", into = "String")]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let digest = Sha256::digest(secret.expose().as_bytes());
        let mut digits = [0; 8];
        for (at, digit) in digits.iter_mut().enumerate() {
            let byte = digest[at / 2];
            *digit = b"0123456789abcdef"[usize::from(if at % 2 == 0 { byte >> 4 } else { byte & 15 })];
        }
        Self(digits)
    }

    /// Parses 8 hex digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let digits: [u8; 8] = digits.as_bytes().try_into().ok()?;
        digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(digits))
    }

    /// Its 8 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Hex digits are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl TryFrom<Cow<'_, str>> for Fingerprint {
    type Error = &'static str;

    fn try_from(digits: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse(&digits).ok_or("a fingerprint is 8 hex digits")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.as_str().to_owned()
    }
}

/// What may be shown of a [`TokenRecord`]: everything but the tokens. The status snapshot keeps it on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFacts {
    /// See [`TokenRecord::generation`].
    pub generation: u64,
    /// When the access token was obtained.
    pub obtained_at: DateTime<Utc>,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
    /// The access token's fingerprint.
    pub access_fingerprint: Fingerprint,
    /// The refresh token's facts; none with client credentials.
    pub refresh: Option<RefreshFacts>,
    /// The granted scope, if the answer named it.
    pub scope: Option<String>,
    /// Who the tokens name, unverified. Personal, so never serialised.
    #[serde(skip)]
    pub subject: Option<Subject>,
}

/// What may be shown of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFacts {
    /// When it was received.
    pub obtained_at: DateTime<Utc>,
    /// When it probably expires; an estimate.
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
            subject: self.subject.clone().filter(Subject::names_someone),
        }
    }

    /// How long the access token still works; negative once it has ended.
    #[must_use]
    pub fn remaining(&self, now: DateTime<Utc>) -> TimeDelta {
        self.expires_at - now
    }

    /// Whether its refresh token was received without an access token: there is none, or an older one. A refresh, which is
    /// due at once, gets the missing one.
    #[must_use]
    pub fn lacks_access_token(&self) -> bool {
        let is_newer = self.refresh_token.as_ref().is_some_and(|refresh| refresh.obtained_at > self.obtained_at);
        self.access_token.is_empty() || is_newer
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

    #[test]
    fn a_fingerprint_comes_back_from_its_digits_and_from_nothing_else() {
        let fingerprint = Fingerprint::of(&Secret::new("abc"));
        assert_eq!(Fingerprint::parse("ba7816bf"), Some(fingerprint.clone()));
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!((json.as_str(), serde_json::from_str(&json).unwrap()), ("\"ba7816bf\"", fingerprint));
        for other in ["", "ba7816b", "ba7816bf0", "BA7816BF", "ba7816b\n", "ba7816bé"] {
            assert_eq!(Fingerprint::parse(other), None, "{other:?}");
            assert!(serde_json::from_value::<Fingerprint>(other.into()).is_err(), "{other:?}");
        }
    }
}
