//! The authorization endpoint (RFC 6749 §3.1, §4.1.1–4.1.2): checks the request, shows the
//! consent page, and sends the browser back with a code or an error.
//!
//! Invariant: no redirect goes to a URI that is not registered for the client; whatever is wrong
//! before that is certain is reported on a page.

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Response, StatusCode};
use chrono::{DateTime, Utc};
use url::Url;

use crate::demo::manu::grants::Grants;
use crate::demo::manu::request::AuthorizationRequest;
use crate::demo::manu::{SCOPES, page, redirect};
use crate::demo::params::Params;
use crate::demo::shared::Inner;
use crate::demo::wire::html_response;

/// What is wrong with an authorization request.
enum Wrong {
    /// No one can be redirected: a page says so.
    Untrusted(&'static str),
    /// The client is informed by redirect (RFC 6749 §4.1.2.1).
    Redirected { back: Back, error: &'static str, description: String },
}

/// Where the browser is sent at the end.
#[derive(Clone)]
struct Back {
    redirect_uri: String,
    state: Option<String>,
}

/// Answers `GET /oauth/authorize`.
pub(super) fn show(inner: &mut Inner<Grants>, params: &Params, now: DateTime<Utc>) -> Response<Body> {
    match check(&inner.state, params) {
        Ok(asked) => {
            inner.stats.consents_shown += 1;
            let consent = inner.state.open_consent(asked.clone(), now);
            html_response(StatusCode::OK, page::consent(&asked, &consent))
        }
        Err(Wrong::Untrusted(reason)) => html_response(StatusCode::BAD_REQUEST, page::refused(reason)),
        Err(Wrong::Redirected { back, error, description }) => {
            back.send(&[("error", error), ("error_description", &description)])
        }
    }
}

/// Answers `POST /oauth/authorize`: the consent page's form.
pub(super) fn decide(inner: &mut Inner<Grants>, params: &Params, now: DateTime<Utc>) -> Response<Body> {
    let grants = &mut inner.state;
    let Some(asked) = params.get("consent").and_then(|id| grants.take_consent(id, now)) else {
        let reason = "This form was answered before, is too old, or was not made by this server.";
        return html_response(StatusCode::FORBIDDEN, page::refused(reason));
    };
    let back = Back { redirect_uri: asked.redirect_uri.clone(), state: asked.state.clone() };
    if params.get("decision") == Some("allow") {
        let code = grants.open_code(asked, now);
        back.send(&[("code", &code)])
    } else {
        back.send(&[("error", "access_denied"), ("error_description", "The person denied access")])
    }
}

fn check(grants: &Grants, params: &Params) -> Result<AuthorizationRequest, Wrong> {
    let (client_id, redirect_uri) = check_client(grants, params)?;
    let state = params.get("state").map(str::to_owned);
    let back = Back { redirect_uri: redirect_uri.clone(), state: state.clone() };
    let wrong =
        |error, description: &str| Wrong::Redirected { back: back.clone(), error, description: description.into() };
    if let Some(name) = params.repeated() {
        return Err(wrong("invalid_request", &format!("{name} was sent more than once")));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(wrong("unsupported_response_type", "only response_type=code is supported")),
        None => return Err(wrong("invalid_request", "response_type is missing")),
    }
    let scope = params.get("scope").unwrap_or(SCOPES[0]);
    if !scope.split(' ').all(|word| SCOPES.contains(&word)) {
        return Err(wrong("invalid_scope", &format!("known scopes are {}", SCOPES.join(", "))));
    }
    let challenge = check_challenge(params).map_err(|reason| wrong("invalid_request", reason))?;
    Ok(AuthorizationRequest { client_id, redirect_uri, scope: scope.to_owned(), state, challenge })
}

/// The client and its redirect URI: until both are certain, no one is redirected.
fn check_client(grants: &Grants, params: &Params) -> Result<(String, String), Wrong> {
    if matches!(params.repeated(), Some("client_id" | "redirect_uri")) {
        return Err(Wrong::Untrusted("client_id or redirect_uri was sent more than once."));
    }
    let client_id = params.get("client_id").ok_or(Wrong::Untrusted("client_id is missing."))?;
    let client = grants.clients.get(client_id).ok_or(Wrong::Untrusted("No Private App has this client_id."))?;
    let redirect_uri = params.get("redirect_uri").ok_or(Wrong::Untrusted("redirect_uri is missing."))?;
    if !client.redirect_uris.iter().any(|registered| redirect::matches(registered, redirect_uri)) {
        return Err(Wrong::Untrusted("This redirect_uri is not the one registered with the Private App."));
    }
    Ok((client_id.to_owned(), redirect_uri.to_owned()))
}

/// PKCE: S256 or none at all; `plain` protects nothing (RFC 9700 §2.1.1).
fn check_challenge(params: &Params) -> Result<Option<String>, &'static str> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("code_challenge is missing"),
        (Some(challenge), Some("S256")) if is_sha_256(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err("code_challenge is no base64url SHA-256"),
        (Some(_), _) => Err("only code_challenge_method=S256 is supported"),
    }
}

fn is_sha_256(challenge: &str) -> bool {
    challenge.len() == 43 && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Back {
    /// Sends the browser to the redirect URI. One that does not lead to this machine belongs to
    /// a site that knows nothing of a demo: the final URL is shown, to be copied, instead.
    fn send(&self, params: &[(&str, &str)]) -> Response<Body> {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else {
            return html_response(StatusCode::BAD_REQUEST, page::refused("The registered redirect_uri is no URL."));
        };
        url.query_pairs_mut().extend_pairs(params).extend_pairs(self.state.iter().map(|state| ("state", state)));
        if !redirect::is_loopback(&self.redirect_uri) {
            return html_response(StatusCode::OK, page::copy(url.as_str()));
        }
        let mut response = html_response(StatusCode::SEE_OTHER, Body::empty());
        let location = HeaderValue::from_str(url.as_str()).expect("a parsed URL is ASCII without control characters");
        response.headers_mut().insert(LOCATION, location);
        response
    }
}
