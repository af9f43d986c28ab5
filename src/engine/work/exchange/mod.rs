//! One token request and what its answer means. Whatever the answer, its log entry is announced.

#[cfg(test)]
pub(crate) mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use memchr::memmem;

use crate::domain::{
    Connection, Exchange, Grant, LogEntry, Outcome, Problem, Provider, Reason, RefreshToken, Secret, Subject,
    TokenRecord,
};
use crate::engine::work::context::Context;
use crate::oauth::message::{HttpRequest, Payload};
use crate::oauth::redact::KnownSecrets;
use crate::oauth::{Body, Broken, Class, HttpAnswer, Refusal, TokenAnswer, answer, jwt, lifetime};

/// The most of an unreadable answer that is kept for a later rescue, in bytes.
pub(crate) const MOST_KEPT: usize = 48 * 1024;

/// What a token request came to.
#[derive(Debug)]
pub(crate) enum ExchangeOutcome {
    /// Tokens, and when they were asked for.
    Tokens(TokenAnswer, DateTime<Utc>),
    /// A complete answer that proves that what was sent has not been replaced; when to try again.
    Refused(Refusal, Option<DateTime<Utc>>),
    /// Nothing left this machine.
    NotSent(Reason),
    /// The request may have arrived, and no readable answer came back.
    Lost {
        /// What happened, in words that hold nothing of the body.
        why: Reason,
        /// What arrived and could not be read for tokens, decoded and at most [`MOST_KEPT`] bytes
        /// of it; `None` where nothing worth keeping came.
        body: Option<Body>,
    },
}

/// A token request to make.
pub(crate) struct TokenRequest<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) exchange: Exchange,
    pub(crate) form: &'a Secret,
    /// The secrets in the form, which an answer may echo.
    pub(crate) secrets: &'a [&'a Secret],
    pub(crate) attempt: u32,
}

/// Sends a token request.
pub(crate) async fn send(context: &Context, request: TokenRequest<'_>) -> ExchangeOutcome {
    let (mut entry, result) = context
        .http
        .exchange(&HttpRequest {
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
        Ok(answer) => judge(&request, &Came::complete(&answer), asked_at),
        Err(Broken::NotSent(why)) => ExchangeOutcome::NotSent(why),
        Err(Broken::Unanswered { why, status, partial }) => {
            judge(&request, &Came::broken(&why, status, &partial), asked_at)
        }
    };
    describe(&mut entry, &verdict, request.connection.provider);
    context.log(entry);
    verdict
}

/// What came back, complete or not.
struct Came<'a> {
    /// None where it broke before its first line was complete.
    status: Option<u16>,
    body: &'a [u8],
    /// The body is known to have its end.
    is_whole: bool,
    /// Why it broke off.
    broke: Option<&'a Reason>,
    challenge: Option<&'a str>,
    retry_after: Option<DateTime<Utc>>,
}

impl<'a> Came<'a> {
    fn complete(answer: &'a HttpAnswer) -> Self {
        Self {
            status: Some(answer.status),
            body: &answer.body.0,
            is_whole: answer.is_whole,
            broke: None,
            challenge: answer.challenge.as_deref(),
            retry_after: answer.retry_after,
        }
    }

    fn broken(why: &'a Reason, status: Option<u16>, partial: &'a Body) -> Self {
        Self { status, body: &partial.0, is_whole: false, broke: Some(why), challenge: None, retry_after: None }
    }

    fn tokens(&self, sent: &[&Secret]) -> Option<TokenAnswer> {
        let read = if self.is_whole { answer::read } else { answer::read_cut };
        let is_echo = |token: &Secret| sent.contains(&token);
        // The refresh token that was sent, and nothing else, is no answer.
        read(self.body)
            .filter(|found| found.access_token.is_some() || !found.refresh_token.as_ref().is_some_and(is_echo))
    }
}

fn judge(request: &TokenRequest<'_>, came: &Came<'_>, asked_at: DateTime<Utc>) -> ExchangeOutcome {
    let tokens = came.tokens(request.secrets);
    match (tokens, came.status.unwrap_or(200)) {
        (Some(tokens), _) if tokens.access_token.is_some() && tokens.refresh_token.is_some() => {
            ExchangeOutcome::Tokens(tokens, asked_at)
        }
        (tokens, status @ 200..=299) => match (tokens, came.broke) {
            (Some(tokens), None) => usable(request.exchange, tokens, status, came.body, asked_at),
            (Some(tokens), Some(_)) if tokens.refresh_token.is_some() || request.exchange == Exchange::Mint => {
                ExchangeOutcome::Tokens(tokens, asked_at)
            }
            (_, Some(why)) => lost(why.clone(), came.body),
            (None, None) => tokenless(request, came, status),
        },
        (_, status) => refused(request, came, status),
    }
}

/// Tokens in an answer that claims success. "No refresh token, so the old one stays" is said by
/// nothing but its absence: the new one may have been cut away, or be what cannot be used.
fn usable(
    exchange: Exchange,
    tokens: TokenAnswer,
    status: u16,
    body: &[u8],
    asked_at: DateTime<Utc>,
) -> ExchangeOutcome {
    let is_missing = tokens.refresh_token.is_none();
    if is_missing && tokens.is_broken && exchange != Exchange::Mint {
        return lost(Reason::ours(format!("the answer {status} was cut off before its refresh token")), body);
    }
    if is_missing && tokens.has_odd_refresh_token && exchange == Exchange::Refresh {
        return lost(Reason::ours(format!("the refresh token in the answer {status} is no usable text")), body);
    }
    ExchangeOutcome::Tokens(tokens, asked_at)
}

/// A complete answer that claims success and holds no tokens: some servers refuse like that.
fn tokenless(request: &TokenRequest<'_>, came: &Came<'_>, status: u16) -> ExchangeOutcome {
    let refusal = refusal(request, came, status);
    if refusal.contradicts_success() {
        return ExchangeOutcome::Refused(refusal, came.retry_after);
    }
    lost(Reason::ours(format!("the server answered {status} with nothing that could be read")), came.body)
}

/// An answer that claims no success. After a server's failure it is not known whether it came before or
/// after the tokens were replaced, unless the server itself says what is wrong or when to come back.
fn refused(request: &TokenRequest<'_>, came: &Came<'_>, status: u16) -> ExchangeOutcome {
    let refusal = refusal(request, came, status);
    let is_of_server = refusal.is_oauth || (status == 503 && came.retry_after.is_some());
    if status >= 500 && !is_of_server && request.exchange != Exchange::Mint {
        let mentions_token = memmem::find(&came.body.to_ascii_lowercase(), b"token").is_some();
        return lost(refusal.reason(), if mentions_token { came.body } else { &[] });
    }
    ExchangeOutcome::Refused(refusal, came.retry_after)
}

fn refusal(request: &TokenRequest<'_>, came: &Came<'_>, status: u16) -> Refusal {
    let read = Refusal::read(status, came.body, request.secrets).or_challenge(came.challenge, request.secrets);
    Refusal { is_of_a_refresh: request.exchange == Exchange::Refresh, ..read }
}

/// A lost answer, with as much of its body as is kept: of a long one what is around its tokens.
fn lost(why: Reason, body: &[u8]) -> ExchangeOutcome {
    let found = || memmem::find(body, b"refresh_token").or_else(|| memmem::find(body, b"token"));
    let start = if body.len() > MOST_KEPT { found().unwrap_or(0).saturating_sub(MOST_KEPT / 4) } else { 0 };
    let kept = &body[start..body.len().min(start + MOST_KEPT)];
    let body = (!kept.trim_ascii().is_empty()).then(|| Body(kept.to_vec()));
    ExchangeOutcome::Lost { why, body }
}

fn describe(entry: &mut LogEntry, verdict: &ExchangeOutcome, provider: &Provider) {
    match (verdict, &entry.outcome) {
        (ExchangeOutcome::Refused(refusal, _), _) => {
            entry.oauth_error.clone_from(&refusal.code);
            entry.oauth_error_description.clone_from(&refusal.description);
        }
        (ExchangeOutcome::Lost { why, .. }, Outcome::Status(status)) => {
            // The status is beside it.
            let why = why.to_string();
            let says =
                why.strip_prefix(&status.to_string()).map_or(why.as_str(), |rest| rest.trim_start_matches([':', ' ']));
            entry.oauth_error_description = Some(says.to_owned()).filter(|says| !says.is_empty());
        }
        (ExchangeOutcome::Tokens(tokens, asked_at), _) if tokens.access_token.is_some() => {
            entry.oauth_error_description = lifetime::judge(tokens.expires_in, provider, *asked_at).1;
        }
        _ => {}
    }
}

/// A refusal as the connection's problem. The moment of the next try is the actor's.
pub(crate) fn problem(refusal: &Refusal, retry_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Problem {
    match refusal.class() {
        Class::InvalidGrant => Problem::NeedsLogin { why: refusal.reason() },
        Class::Misconfigured => Problem::Misconfigured { why: refusal.reason(), refused: true },
        Class::RateLimited => Problem::RateLimited { until: retry_after.unwrap_or(now) },
        Class::Transient => Problem::Retrying { at: retry_after, why: refusal.reason() },
    }
}

/// The record that an answer makes, following `previous`.
///
/// No refresh token in the answer leaves the old one in force (RFC 6749 §6). A refresh token that
/// came without an access token is kept all the same, beside the old access token, with that
/// one's times, while it lives; else beside none. See [`TokenRecord::lacks_access_token`].
///
/// What is shown of it, scope and subject, repeats neither its tokens nor the secrets that were `sent`.
pub(crate) fn record(
    connection: &Connection,
    tokens: TokenAnswer,
    sent: &[&Secret],
    asked_at: DateTime<Utc>,
    previous: Option<&TokenRecord>,
    generation: u64,
) -> TokenRecord {
    let known = KnownSecrets::of(&[sent, &tokens.secrets()].concat());
    let subject = subject(&tokens, previous).and_then(|subject| subject.without(|claim| known.are_in(claim)));
    let scope = tokens.scope.filter(|scope| !known.are_in(scope));
    let (lifetime, _) = lifetime::judge(tokens.expires_in, connection.provider, asked_at);
    let lives = |old: &&TokenRecord| old.obtained_at < asked_at && old.expires_at > asked_at;
    let (access_token, obtained_at, expires_at) = match (tokens.access_token, previous.filter(lives)) {
        (Some(token), _) => (token, asked_at, asked_at + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::zero())),
        (None, Some(old)) => (old.access_token.clone(), old.obtained_at, old.expires_at),
        (None, None) => (Secret::default(), asked_at, asked_at),
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
        obtained_at,
        expires_at,
        refresh_token,
        scope: scope.or_else(|| previous.and_then(|old| old.scope.clone())),
        client_id: connection.client_id.clone(),
        subject,
    }
}

/// Who an answer names. One without an `id_token` leaves the subject of the tokens before it in
/// place: a refresh never changes whose tokens they are.
fn subject(tokens: &TokenAnswer, previous: Option<&TokenRecord>) -> Option<Subject> {
    let named = tokens.id_token.as_ref().and_then(jwt::subject);
    let held = previous.and_then(|old| old.subject.clone());
    let issuer = held.as_ref().and_then(|held| held.issuer.clone());
    let first = named.or(held);
    let access = tokens.access_token.as_ref().and_then(jwt::subject);
    let subject = match (first, access) {
        (Some(first), Some(access)) => Some(first.filled_from(access)),
        (first, access) => first.or(access),
    };
    from_issuer(subject, issuer)
}

/// The same subject from this issuer, where one is known.
pub(crate) fn from_issuer(subject: Option<Subject>, issuer: Option<String>) -> Option<Subject> {
    match issuer {
        Some(_) => Some(Subject { issuer, ..subject.unwrap_or_default() }),
        None => subject,
    }
}
