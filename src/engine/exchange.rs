//! One token request and what its answer means. Whatever the answer, its log entry is announced.

use chrono::{DateTime, TimeDelta, Utc};

use super::tools::Tools;
use crate::domain::{Connection, Exchange, Grant, LogEntry, Outcome, Problem, RefreshToken, Secret, TokenRecord};
use crate::oauth::http::{Payload, Request};
use crate::oauth::{Body, Broken, Class, Refusal, TokenAnswer, answer};

/// The most of an unreadable answer that is kept for a later rescue, in bytes.
pub(super) const MOST_KEPT: usize = 48 * 1024;

/// What a token request came to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Tokens, and when they were asked for.
    Tokens(TokenAnswer, DateTime<Utc>),
    /// A complete answer that proves that what was sent has not been replaced; when to try again.
    Refused(Refusal, Option<DateTime<Utc>>),
    /// Nothing left this machine.
    NotSent(String),
    /// The request may have arrived, and no readable answer came back.
    Lost {
        /// What happened, in words that hold nothing of the body.
        why: String,
        /// What arrived and could not be read for tokens, decoded and at most [`MOST_KEPT`] bytes
        /// of it; `None` where nothing worth keeping came.
        body: Option<Body>,
    },
}

/// A token request to make.
pub(super) struct TokenRequest<'a> {
    pub(super) connection: &'a Connection,
    pub(super) exchange: Exchange,
    pub(super) form: &'a Secret,
    /// The secrets in the form, which an answer may echo.
    pub(super) secrets: &'a [&'a Secret],
    pub(super) attempt: u32,
}

/// Sends a token request.
pub(super) async fn send(tools: &Tools, request: TokenRequest<'_>) -> Verdict {
    let (mut entry, result) = tools
        .http
        .exchange(&Request {
            connection: &request.connection.name,
            exchange: request.exchange,
            url: &request.connection.token_url,
            payload: Payload::Form(request.form),
            secrets: request.secrets,
            attempt: request.attempt,
        })
        .await;
    let asked_at = entry.at;
    let verdict = match result {
        Ok(answer) => {
            judge(request.exchange, answer.status, &answer.body.0, request.secrets, asked_at, answer.retry_after)
        }
        Err(Broken::NotSent(why)) => Verdict::NotSent(why),
        Err(Broken::Unanswered { why, partial }) => match answer::read(&partial.0) {
            Some(tokens) if tokens.refresh_token.is_some() => Verdict::Tokens(tokens, asked_at),
            _ => lost(why, &partial.0),
        },
    };
    describe(&mut entry, &verdict);
    tools.log(entry);
    verdict
}

fn judge(
    exchange: Exchange,
    status: u16,
    body: &[u8],
    secrets: &[&Secret],
    asked_at: DateTime<Utc>,
    retry_after: Option<DateTime<Utc>>,
) -> Verdict {
    let is_success = (200..300).contains(&status);
    match answer::read(body) {
        // Not "no refresh token, so the old one stays": the new one may have been cut away.
        Some(tokens) if exchange == Exchange::Refresh && tokens.is_broken && tokens.refresh_token.is_none() => {
            lost(format!("the answer {status} was cut off before its refresh token"), body)
        }
        Some(tokens) if is_success || (tokens.access_token.is_some() && tokens.refresh_token.is_some()) => {
            Verdict::Tokens(tokens, asked_at)
        }
        _ if is_success => lost(format!("the server answered {status} with nothing that could be read"), body),
        _ => Verdict::Refused(Refusal::read(status, body, secrets), retry_after),
    }
}

/// A lost answer, with as much of its body as is kept.
fn lost(why: String, body: &[u8]) -> Verdict {
    let kept = &body[..body.len().min(MOST_KEPT)];
    let body = (!kept.trim_ascii().is_empty()).then(|| Body(kept.to_vec()));
    Verdict::Lost { why, body }
}

fn describe(entry: &mut LogEntry, verdict: &Verdict) {
    match verdict {
        Verdict::Refused(refusal, _) => {
            entry.oauth_error.clone_from(&refusal.code);
            entry.oauth_error_description.clone_from(&refusal.description);
        }
        Verdict::Lost { why, .. } if matches!(entry.outcome, Outcome::Status(_)) => {
            entry.oauth_error_description = Some(why.clone());
        }
        Verdict::Tokens(..) | Verdict::NotSent(_) | Verdict::Lost { .. } => {}
    }
}

/// A refusal as what stands in the connection's way. The moment of the next try is the actor's.
pub(super) fn problem(refusal: &Refusal, retry_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Problem {
    match refusal.class() {
        Class::InvalidGrant => Problem::NeedsLogin { why: refusal.words() },
        Class::Misconfigured => Problem::Misconfigured { why: refusal.words() },
        Class::RateLimited => Problem::RateLimited { until: retry_after.unwrap_or(now) },
        Class::Transient => Problem::Retrying { at: retry_after, why: refusal.words() },
    }
}

/// The record that an answer makes, following `previous`.
///
/// No refresh token in the answer leaves the old one in force (RFC 6749 §6). A refresh token that
/// came without an access token is kept all the same, beside the old access token.
pub(super) fn record(
    connection: &Connection,
    tokens: TokenAnswer,
    asked_at: DateTime<Utc>,
    previous: Option<&TokenRecord>,
    generation: u64,
) -> TokenRecord {
    let default_lifetime = connection.provider.access_token_lifetime;
    let lifetime = TimeDelta::from_std(tokens.expires_in.unwrap_or(default_lifetime)).unwrap_or(TimeDelta::zero());
    let (access_token, expires_at) = match tokens.access_token {
        Some(token) => (token, asked_at + lifetime),
        None => (previous.map(|old| old.access_token.clone()).unwrap_or_default(), asked_at),
    };
    let refresh_token = match (tokens.refresh_token, &connection.provider.grant) {
        (Some(token), Grant::AuthorizationCode { refresh_tokens, .. }) => Some(RefreshToken {
            token,
            obtained_at: asked_at,
            estimated_end: asked_at
                + TimeDelta::from_std(refresh_tokens.estimated_lifetime).unwrap_or(TimeDelta::zero()),
        }),
        (None, Grant::AuthorizationCode { .. }) => previous.and_then(|old| old.refresh_token.clone()),
        (_, Grant::ClientCredentials) => None,
    };
    TokenRecord {
        generation,
        access_token,
        obtained_at: asked_at,
        expires_at,
        refresh_token,
        scope: tokens.scope.or_else(|| previous.and_then(|old| old.scope.clone())),
        client_id: connection.client_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Exchange, Verdict, judge};

    fn verdict(status: u16, body: &str) -> Verdict {
        judge(Exchange::Refresh, status, body.as_bytes(), &[], chrono::DateTime::UNIX_EPOCH, None)
    }

    #[test]
    fn a_token_pair_is_taken_whatever_the_status() {
        let pair = r#"{"access_token":"A","refresh_token":"R"}"#;
        assert!(matches!(verdict(200, pair), Verdict::Tokens(..)));
        assert!(matches!(verdict(502, pair), Verdict::Tokens(..)));
        assert!(matches!(verdict(500, r#"{"access_token":"A"}"#), Verdict::Refused(..)));
    }

    #[test]
    fn an_answer_cut_off_before_its_refresh_token_does_not_count_as_one_without() {
        let whole = r#"{"access_token":"A"}"#;
        assert!(matches!(verdict(200, whole), Verdict::Tokens(..)), "RFC 6749 §6: the old one stays");
        for cut in [r#"{"access_token":"A""#, r#"{"access_token":"A","refresh_token":"R-is-cu"#] {
            assert!(matches!(verdict(200, cut), Verdict::Lost { body: Some(_), .. }), "{cut}");
            let minted = judge(Exchange::Mint, 200, cut.as_bytes(), &[], chrono::DateTime::UNIX_EPOCH, None);
            assert!(matches!(minted, Verdict::Tokens(..)), "nothing else is expected of a mint: {cut}");
        }
    }

    #[test]
    fn a_success_that_cannot_be_read_is_unknown_and_its_words_hold_nothing_of_it() {
        let Verdict::Lost { why, body } = verdict(200, "token=abc") else { panic!() };
        assert_eq!(body.unwrap().0, b"token=abc");
        assert_eq!(why, "the server answered 200 with nothing that could be read");
    }
}
