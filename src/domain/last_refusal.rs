//! The provider's last refusal: stored beside a connection's journal, so that every process knows it, also after a
//! restart.
//!
//! It is void as soon as the refresh token, the client or the token endpoint changes.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::connection::Connection;
use crate::domain::lost_answer::LostAnswer;
use crate::domain::problem::Problem;
use crate::domain::reason::{Published, Reason};
use crate::domain::secret::Secret;
use crate::domain::token::{Fingerprint, TokenRecord};

/// How long a refusal of the client is believed before the provider is asked again.
pub const ASKED_AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);
/// How long other processes share a failure for which the provider gave no time.
pub const SHARED_FOR: TimeDelta = TimeDelta::seconds(5);
/// A refusal this far ahead of the clock was written before the clock was set back.
const FROM_THE_FUTURE: TimeDelta = TimeDelta::minutes(1);

/// The provider's last refusal of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRefusal {
    /// What it means.
    pub kind: RefusalKind,
    /// When it was received.
    pub at: DateTime<Utc>,
    /// No request goes out before this moment, unless a person asks for it.
    pub not_before: DateTime<Utc>,
    /// The provider's words: bounded, redacted.
    pub words: String,
    /// Their public form; none if an older version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Published>,
    /// The refresh token that was sent; none with client credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Fingerprint>,
    /// The client secret that was sent.
    pub client_secret: Fingerprint,
    /// The client identifier that was sent.
    pub client_id: String,
    /// The token endpoint.
    pub token_url: String,
    /// The lost answer before it, if the refresh token had been sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostAnswer>,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The refresh token is not valid any more (`invalid_grant`): it is never sent again.
    InvalidGrant,
    /// The client or the request is refused; asked again after [`ASKED_AGAIN_AFTER`].
    Misconfigured,
    /// Too many requests.
    RateLimited,
    /// It may work later.
    Transient,
}

impl LastRefusal {
    /// Whether it applies to this connection as configured and to this record.
    #[must_use]
    pub fn is_about(&self, connection: &Connection, record: Option<&TokenRecord>) -> bool {
        let refresh = record.and_then(|record| record.refresh_token.as_ref());
        let is_same_token = refresh.map(|refresh| Fingerprint::of(&refresh.token)) == self.refresh_token;
        is_same_token && connection.client_id == self.client_id && connection.token_url.as_str() == self.token_url
    }

    /// Whether it applies to this client secret.
    #[must_use]
    pub fn is_about_secret(&self, client_secret: &Secret) -> bool {
        Fingerprint::of(client_secret) == self.client_secret
    }

    /// Whether it lasts until the token or the client changes.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(self.kind, RefusalKind::InvalidGrant | RefusalKind::Misconfigured)
    }

    /// Whether a request at `now` would only be refused again. `insists`: a person or a service asks to try anyway. A
    /// refresh token that was refused is never sent.
    #[must_use]
    pub fn forbids(&self, insists: bool, now: DateTime<Utc>) -> bool {
        let is_waiting = now < self.not_before && self.at - now < FROM_THE_FUTURE;
        self.kind == RefusalKind::InvalidGrant || (is_waiting && !insists)
    }

    /// Whether it answers a request waiting since `asked_at`: another process has asked the provider meanwhile.
    #[must_use]
    pub fn answers(&self, asked_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        (asked_at..=now).contains(&self.at)
    }

    /// The provider's words, and what of them is public.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let otherwise = match self.kind {
            RefusalKind::InvalidGrant | RefusalKind::Misconfigured => "refused by the provider",
            RefusalKind::RateLimited | RefusalKind::Transient => "the last request failed",
        };
        Reason::from_disk(&self.words, self.public.as_ref(), otherwise)
    }

    /// The connection's problem; `None` once it is time to ask again.
    #[must_use]
    pub fn problem(&self, now: DateTime<Utc>) -> Option<Problem> {
        let why = self.reason();
        match self.kind {
            RefusalKind::InvalidGrant => Some(Problem::NeedsLogin { why }),
            RefusalKind::Misconfigured => Some(Problem::Misconfigured { why, refused: true }),
            _ if !self.forbids(false, now) => None,
            RefusalKind::RateLimited => Some(Problem::RateLimited { until: self.not_before }),
            RefusalKind::Transient => Some(Problem::Retrying { at: Some(self.not_before), why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LastRefusal;

    /// As version 0.1 wrote it.
    const OLDER: &str = r#"{"kind":"invalid_grant","at":"2026-03-10T12:00:00Z","not_before":"2026-03-10T12:00:00Z",
        "words":"400 invalid_grant: MARKER","client_secret":"01234567","client_id":"app","token_url":"https://a.example/"}"#;

    #[test]
    fn of_what_an_older_version_wrote_status_and_code_are_public() {
        let refusal: LastRefusal = serde_json::from_str(OLDER).unwrap();
        let problem = refusal.problem(refusal.at).unwrap();
        assert_eq!(problem.to_string(), "needs login: 400 invalid_grant: MARKER");
        let reason = problem.reason();
        assert_eq!((reason.public(), reason.code()), ("needs login: 400 invalid_grant", Some("invalid_grant")));
        let prose = LastRefusal { words: "it said MARKER".into(), ..refusal };
        assert_eq!(prose.reason().public(), "refused by the provider");
    }

    #[test]
    fn an_older_version_finds_the_words_where_they_were() {
        let refusal: LastRefusal = serde_json::from_str(OLDER).unwrap();
        let newer = LastRefusal { public: Some(refusal.reason().to_disk()), ..refusal };
        let text = serde_json::to_value(&newer).unwrap();
        assert_eq!(text["words"], "400 invalid_grant: MARKER");
        assert_eq!(text["public"]["text"], "400 invalid_grant");
        assert_eq!(serde_json::from_value::<LastRefusal>(text).unwrap(), newer);
    }
}
