//! An access token in the clear, for a caller of an API.

use chrono::{DateTime, Utc};

use crate::domain::{Problem, Secret, TokenRecord};

/// An access token for a caller of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token itself.
    pub token: Secret,
    /// See [`TokenRecord::generation`].
    pub generation: u64,
    /// When it was obtained.
    pub obtained_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// The scope granted, if the answer named it.
    pub scope: Option<String>,
    /// The connection's problem, although this token is good.
    pub problem: Option<Problem>,
}

impl AccessToken {
    /// The one of a record.
    pub(crate) fn of(record: &TokenRecord) -> Self {
        Self {
            token: record.access_token.clone(),
            generation: record.generation,
            obtained_at: record.obtained_at,
            expires_at: record.expires_at,
            scope: record.scope.clone(),
            problem: None,
        }
    }

    /// The header that an API wants it in (RFC 6750 §2.1).
    #[must_use]
    pub fn header(&self) -> Secret {
        header(&self.token)
    }
}

pub(crate) fn header(token: &Secret) -> Secret {
    Secret::new(format!("Authorization: Bearer {}", token.expose()))
}
