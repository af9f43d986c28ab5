//! Manus's server: client ID and secret are exchanged for a token that looks like a JWT; minting
//! is rate-limited. Errors are `{"code", "message"}`.
//!
//! Endpoints: `/api/user/manage/v1/oauth/token` and `/api/user/manage/v1/users`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use url::Url;

use crate::demo::fault::DemoFault;
use crate::demo::issued::{Issued, random_text};
use crate::demo::limit::{Limiter, MintingState, RateLimit};
use crate::demo::options::{DemoOptions, lifetime};
use crate::demo::params;
use crate::demo::params::Params;
use crate::demo::shared::{DemoForm, DemoState, Inner, with_common_layers};
use crate::demo::stats::Stats;
use crate::demo::wire::{DemoAnswer, Scissors};
use crate::domain::Secret;

const TOKEN_PATH: &str = "/api/user/manage/v1/oauth/token";
const USERS_PATH: &str = "/api/user/manage/v1/users";
/// Calls of the users API allowed each client.
const API_LIMIT: RateLimit = RateLimit::per_minute(120);
/// Who is in the demo's team.
const USERS: [(&str, &str); 3] = [("ada", "Ada Fabrik"), ("bo", "Bo Lager"), ("cleo", "Cleo Versand")];

/// The handle of Manus's server. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Manus(Arc<DemoState<Mints>>);

/// What the server knows.
struct Mints {
    base: String,
    lifetime: TimeDelta,
    clients: HashMap<String, Secret>,
    /// Access tokens: the client each was minted for, and when it ends.
    tokens: HashMap<String, (String, DateTime<Utc>)>,
    mint_limiter: Limiter,
    api_limiter: Limiter,
}

impl Manus {
    pub(super) fn new(base: String, options: &DemoOptions) -> Self {
        let state = Mints {
            base: base.clone(),
            lifetime: lifetime(options.manus_lifetime),
            clients: HashMap::new(),
            tokens: HashMap::new(),
            mint_limiter: Limiter::new(options.manus_limit),
            api_limiter: Limiter::new(Some(API_LIMIT)),
        };
        Self(Arc::new(DemoState::new(base, options, state)))
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base
    }

    /// The token endpoint (RFC 6749 §3.2).
    #[must_use]
    pub fn token_url(&self) -> Url {
        self.url(TOKEN_PATH)
    }

    /// The call that proves an access token works.
    #[must_use]
    pub fn test_url(&self) -> Url {
        self.url(&format!("{USERS_PATH}?limit=1"))
    }

    /// How long an access token lives.
    #[must_use]
    pub fn access_lifetime(&self) -> TimeDelta {
        self.0.lock().state.lifetime
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.0.base)).expect("an address of loopback and a fixed path make a URL")
    }

    /// Registers a client, or replaces its secret.
    pub fn register_client(&self, client_id: &str, client_secret: &Secret) {
        self.0.lock().state.clients.insert(client_id.to_owned(), client_secret.clone());
    }

    /// Deletes a client: from now on its client ID is unknown.
    pub fn delete_client(&self, client_id: &str) {
        self.0.lock().state.clients.remove(client_id);
    }

    /// Issues an access token as though it had just been minted. It is not counted as a mint.
    #[must_use]
    pub fn issue(&self, client_id: &str) -> Issued {
        self.issue_aged(client_id, TimeDelta::zero())
    }

    /// Issues an access token as though it had been minted `age` ago. It is not counted as a mint.
    #[must_use]
    pub fn issue_aged(&self, client_id: &str, age: TimeDelta) -> Issued {
        let issued_at = self.0.now() - age;
        self.0.lock().state.issue(client_id, issued_at)
    }

    /// Revokes an access token: the API refuses it from now on.
    pub fn revoke(&self, access_token: &Secret) {
        self.0.lock().state.tokens.remove(access_token.expose());
    }

    /// Queues a fault. Each token request takes one from the queue.
    pub fn push_fault(&self, fault: DemoFault) {
        self.0.push_fault(fault);
    }

    /// Lets the next token request of this client run into a fault, no matter which client asks first.
    pub fn push_fault_for(&self, client_id: &str, fault: DemoFault) {
        self.0.aim_fault(Some(client_id), fault, true);
    }

    /// Lets every token request run into a fault from now on: this client's, or everybody's.
    pub fn break_down(&self, client_id: Option<&str>, fault: DemoFault) {
        self.0.aim_fault(client_id, fault, false);
    }

    /// Forgets the faults that no request has met yet, and those that last.
    pub fn clear_faults(&self) {
        self.0.clear_faults();
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.lock().stats
    }

    pub(super) fn routes(&self) -> Router {
        let (minting, listing) = (self.clone(), self.clone());
        let routes = Router::new()
            .route(
                TOKEN_PATH,
                post(async move |ConnectInfo(scissors): ConnectInfo<Scissors>, headers, uri, body: Bytes| {
                    minting.0.token_endpoint(&scissors, (headers, uri, body), mint).await
                }),
            )
            .route(
                USERS_PATH,
                get(async move |headers: HeaderMap, uri: Uri| listing.users(&headers, &uri).into_response()),
            )
            .fallback(async || {
                error(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this address").into_response()
            });
        with_common_layers(routes, &self.0)
    }

    /// The users API.
    fn users(&self, headers: &HeaderMap, uri: &Uri) -> DemoAnswer {
        let now = self.0.now();
        let inner = &mut *self.0.lock();
        inner.stats.api_calls += 1;
        let token = params::bearer(headers);
        let Some(client_id) = token.and_then(|token| inner.state.client_of(token, now)) else {
            inner.stats.api_calls_refused += 1;
            // RFC 6750 §3.1: a client that sent no token is given the scheme and nothing else.
            let challenge = if token.is_some() { r#"Bearer error="invalid_token""# } else { "Bearer" };
            let answer =
                error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "the access token is missing, unknown or expired");
            return answer
                .header(WWW_AUTHENTICATE, challenge)
                .headers(limit_headers(inner.state.api_limiter.look(None, now).as_ref()));
        };
        let standing = inner.state.api_limiter.count(&client_id, now);
        let answer = if standing.as_ref().is_some_and(|standing| standing.refused) {
            error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", "too many calls")
        } else {
            list_users(&Params::parse(uri.query().unwrap_or_default().as_bytes()))
        };
        answer.headers(limit_headers(standing.as_ref()))
    }
}

impl Mints {
    fn issue(&mut self, client_id: &str, issued_at: DateTime<Utc>) -> Issued {
        let expires_at = issued_at + self.lifetime;
        let token = jwt(&self.base, client_id, issued_at, expires_at);
        self.tokens.retain(|_, (_, expires_at)| *expires_at > issued_at);
        self.tokens.insert(token.clone(), (client_id.to_owned(), expires_at));
        Issued {
            client_id: client_id.to_owned(),
            access_token: Secret::new(token),
            refresh_token: None,
            issued_at,
            expires_at,
            scope: None,
        }
    }

    fn client_of(&self, token: &str, now: DateTime<Utc>) -> Option<String> {
        let (client_id, expires_at) = self.tokens.get(token)?;
        (now < *expires_at).then(|| client_id.clone())
    }
}

/// Answers a token request.
fn mint(inner: &mut Inner<Mints>, form: &DemoForm, now: DateTime<Utc>) -> DemoAnswer {
    let client_id = match check(&inner.state, form) {
        Ok(client_id) => client_id,
        Err(refusal) => return refusal.headers(limit_headers(inner.state.mint_limiter.look(None, now).as_ref())),
    };
    let standing = inner.state.mint_limiter.count(client_id, now);
    if standing.as_ref().is_some_and(|standing| standing.refused) {
        inner.stats.rate_limited += 1;
        let refusal = error(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMIT_EXCEEDED",
            "too many token requests; keep the token for its whole lifetime",
        );
        return refusal.headers(limit_headers(standing.as_ref()));
    }
    inner.stats.mints += 1;
    let issued = inner.state.issue(client_id, now);
    let body = json!({
        "access_token": issued.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": issued.expires_in().num_seconds(),
    });
    DemoAnswer::new(StatusCode::OK, body).headers(limit_headers(standing.as_ref()))
}

/// The client of a token request that is in order; otherwise the documented refusal.
fn check<'a>(mints: &Mints, form: &'a DemoForm) -> Result<&'a str, DemoAnswer> {
    let form = form.as_ref().map_err(|reason| error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", reason))?;
    if form.get("grant_type") != Some("client_credentials") {
        return Err(error(StatusCode::BAD_REQUEST, "INVALID_GRANT_TYPE", "grant_type must be client_credentials"));
    }
    let (Some(client_id), Some(secret)) = (form.get("client_id"), form.get("client_secret")) else {
        return Err(error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "client_id and client_secret are required"));
    };
    if mints.clients.get(client_id).is_none_or(|known| known.expose() != secret) {
        return Err(error(StatusCode::UNAUTHORIZED, "INVALID_CLIENT", "the client credentials are unknown or deleted"));
    }
    Ok(client_id)
}

fn list_users(params: &Params) -> DemoAnswer {
    let number = |name, default| match params.get(name) {
        None => Some(default),
        Some(text) => text.parse::<usize>().ok(),
    };
    let (Some(limit @ 1..=100), Some(offset)) = (number("limit", 20), number("offset", 0)) else {
        return error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "limit must be 1 to 100, offset not negative");
    };
    let users: Vec<Value> = USERS
        .iter()
        .skip(offset)
        .take(limit)
        .map(|(id, name)| json!({"id": id, "name": name, "email": format!("{id}@example.com")}))
        .collect();
    DemoAnswer::new(StatusCode::OK, json!({"users": users, "total": USERS.len(), "limit": limit, "offset": offset}))
}

fn error(status: StatusCode, code: &str, message: &str) -> DemoAnswer {
    DemoAnswer::new(status, json!({"code": code, "message": message}))
}

fn limit_headers(standing: Option<&MintingState>) -> impl Iterator<Item = (axum::http::HeaderName, String)> {
    standing.into_iter().flat_map(MintingState::headers)
}

/// Text in the shape of a JWT (RFC 7519 §3). Its signature is random: to a client it is opaque,
/// and the server knows its tokens by heart.
fn jwt(issuer: &str, client_id: &str, issued_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": issuer,
        "sub": client_id,
        "aud": format!("{issuer}/api/user/manage"),
        "iat": issued_at.timestamp(),
        "exp": expires_at.timestamp(),
        "jti": random_text(12),
    });
    format!("{}.{}.{}", part(json!({"alg": "HS256", "typ": "JWT"})), part(claims), random_text(32))
}
