//! The token endpoint (RFC 6749 §3.2, §4.1.3, §5, §6).
//!
//! Invariants: every refresh replaces the refresh token; a replaced one, or a used code, that is
//! sent again revokes its whole family (RFC 9700 §4.14.2, RFC 6749 §4.1.2).

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::demo::issued::Issued;
use crate::demo::manu::grants::{Grants, Refused};
use crate::demo::params::Params;
use crate::demo::shared::{DemoForm, Inner};
use crate::demo::wire::DemoAnswer;

/// An error answer (RFC 6749 §5.2).
pub(super) struct DemoRefusal {
    error: &'static str,
    description: &'static str,
}

pub(super) const fn refusal(error: &'static str, description: &'static str) -> DemoRefusal {
    DemoRefusal { error, description }
}

/// Answers `POST /oauth/token`.
pub(super) fn answer(inner: &mut Inner<Grants>, form: &DemoForm, now: DateTime<Utc>) -> DemoAnswer {
    let form = match form {
        Ok(form) => form,
        Err(reason) => return refused(&refusal("invalid_request", reason)),
    };
    let client_id = match authenticate(&inner.state, form) {
        Ok(client_id) => client_id,
        Err(refusal) => return refused(&refusal),
    };
    let standing = inner.state.limiter.count(client_id, now);
    if let Some(standing) = &standing
        && standing.refused
    {
        inner.stats.rate_limited += 1;
        let body = json!({"error": "rate_limit_exceeded", "error_description": "Too many token requests"});
        return DemoAnswer::new(StatusCode::TOO_MANY_REQUESTS, body).headers(standing.headers());
    }
    let answer = match grant(inner, form, client_id, now) {
        Ok(issued) => success(&issued),
        Err(refusal) => refused(&refusal),
    };
    answer.headers(standing.iter().flat_map(crate::demo::limit::MintingState::headers))
}

fn grant(inner: &mut Inner<Grants>, form: &Params, client_id: &str, now: DateTime<Utc>) -> Result<Issued, DemoRefusal> {
    match form.get("grant_type") {
        Some("authorization_code") => redeem_code(inner, form, client_id, now),
        Some("refresh_token") => refresh(inner, form, client_id, now),
        Some(_) => Err(refusal("unsupported_grant_type", "authorization_code and refresh_token are supported")),
        None => Err(refusal("invalid_request", "grant_type is missing")),
    }
}

/// The client, by ID and secret in the body (RFC 6749 §2.3.1).
pub(super) fn authenticate<'a>(grants: &Grants, form: &'a Params) -> Result<&'a str, DemoRefusal> {
    const WRONG: DemoRefusal = refusal("invalid_client", "client_id or client_secret is wrong");
    let (Some(client_id), Some(secret)) = (form.get("client_id"), form.get("client_secret")) else {
        return Err(refusal("invalid_client", "client_id and client_secret are required in the body"));
    };
    let client = grants.clients.get(client_id).ok_or(WRONG)?;
    if client.secret.expose() == secret { Ok(client_id) } else { Err(WRONG) }
}

fn redeem_code(
    inner: &mut Inner<Grants>,
    form: &Params,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Issued, DemoRefusal> {
    const NOT_VALID: DemoRefusal = refusal("invalid_grant", "The code is unknown, expired or was used before");
    let text = form.get("code").ok_or(refusal("invalid_request", "code is missing"))?;
    let code = inner.state.code(text).filter(|code| code.asked.client_id == client_id).ok_or(NOT_VALID)?;
    if let Some(family) = code.gave {
        inner.stats.families_revoked += u64::from(inner.state.revoke(family));
        return Err(NOT_VALID);
    }
    if now >= code.expires_at {
        return Err(NOT_VALID);
    }
    if form.get("redirect_uri") != Some(code.asked.redirect_uri.as_str()) {
        return Err(refusal("invalid_grant", "redirect_uri is not the one of the authorization request"));
    }
    verify_pkce(code.asked.challenge.as_deref(), form.get("code_verifier"))?;
    let scope = code.asked.scope.clone();
    let family = inner.state.open_family(client_id, &scope);
    if let Some(code) = inner.state.code(text) {
        code.gave = Some(family);
    }
    Ok(inner.state.issue(family, now))
}

/// RFC 7636 §4.6; and a verifier without a challenge is a downgrade (RFC 9700 §4.8.2).
fn verify_pkce(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), DemoRefusal> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier))
            if BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge =>
        {
            Ok(())
        }
        (Some(_), Some(_)) => Err(refusal("invalid_grant", "code_verifier does not match the code_challenge")),
        (Some(_), None) => Err(refusal("invalid_grant", "code_verifier is missing")),
        (None, Some(_)) => Err(refusal("invalid_grant", "code_verifier was sent, but no code_challenge before it")),
    }
}

fn refresh(
    inner: &mut Inner<Grants>,
    form: &Params,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Issued, DemoRefusal> {
    const NOT_VALID: DemoRefusal =
        refusal("invalid_grant", "The refresh token is unknown, expired, revoked or was used before");
    let token = form.get("refresh_token").ok_or(refusal("invalid_request", "refresh_token is missing"))?;
    let family = match inner.state.redeem(token, client_id, now) {
        Ok(family) => family,
        Err(Refused::NotValid) => return Err(NOT_VALID),
        Err(Refused::Reused(family)) => {
            inner.stats.reuses_detected += 1;
            inner.stats.families_revoked += u64::from(inner.state.revoke(family));
            return Err(NOT_VALID);
        }
    };
    // RFC 6749 §6: never more than was granted. Narrowing is not offered.
    if form.get("scope").is_some_and(|scope| scope != inner.state.family(family).scope) {
        return Err(refusal("invalid_scope", "scope is not the one granted"));
    }
    inner.stats.rotations += 1;
    Ok(inner.state.issue(family, now))
}

fn success(issued: &Issued) -> DemoAnswer {
    // The refresh token is not the last member, so a cut answer may still hold it.
    let mut body = json!({
        "access_token": issued.access_token.expose(),
        "expires_in": issued.expires_in().num_seconds(),
    });
    if let Some(refresh_token) = &issued.refresh_token {
        body["refresh_token"] = refresh_token.expose().into();
    }
    body["scope"] = json!(issued.scope);
    body["token_type"] = "bearer".into();
    DemoAnswer::new(StatusCode::OK, body)
}

pub(super) fn refused(refusal: &DemoRefusal) -> DemoAnswer {
    let status = if refusal.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    DemoAnswer::new(status, json!({"error": refusal.error, "error_description": refusal.description}))
}
