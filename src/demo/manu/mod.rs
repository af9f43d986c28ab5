//! Manu Online's server: authorization code with a consent page, refresh tokens that rotate, and
//! an API that wants a bearer token.
//!
//! Endpoints: `/oauth/authorize`, `/oauth/token`, `/oauth/revoke`, and `/` for the API.

mod authorize;
mod grants;
mod page;
mod redirect;
mod request;
mod revoke;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde_json::json;
use url::Url;

use crate::demo::fault::DemoFault;
use crate::demo::issued::Issued;
use crate::demo::manu::grants::{DemoClient, Grants};
use crate::demo::options::{DemoOptions, lifetime};
use crate::demo::params;
use crate::demo::params::Params;
use crate::demo::shared::{DemoState, with_common_layers};
use crate::demo::stats::Stats;
use crate::demo::wire::{DemoAnswer, Scissors, html_response};
use crate::domain::Secret;

/// The scopes there are. Asking for another is `invalid_scope`.
pub const SCOPES: &[&str] = &["API_ALL", "API_READ", "API_WRITE"];

/// The handle of Manu Online's server. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Manu(Arc<DemoState<Grants>>);

impl Manu {
    pub(super) fn new(base: String, options: &DemoOptions) -> Self {
        let grace = TimeDelta::from_std(options.manu_grace).unwrap_or(TimeDelta::zero());
        let lifetime = lifetime(options.manu_lifetime);
        Self(Arc::new(DemoState::new(base, options, Grants::new(lifetime, grace, options.manu_limit))))
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base
    }

    /// The authorization endpoint (RFC 6749 §3.1).
    #[must_use]
    pub fn authorize_url(&self) -> Url {
        self.url("/oauth/authorize")
    }

    /// The token endpoint (RFC 6749 §3.2).
    #[must_use]
    pub fn token_url(&self) -> Url {
        self.url("/oauth/token")
    }

    /// The revocation endpoint (RFC 7009 §2).
    #[must_use]
    pub fn revoke_url(&self) -> Url {
        self.url("/oauth/revoke")
    }

    /// The call that proves an access token works.
    #[must_use]
    pub fn test_url(&self) -> Url {
        self.url("/")
    }

    /// How long an access token lives.
    #[must_use]
    pub fn access_lifetime(&self) -> TimeDelta {
        self.0.lock().state.access_lifetime
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.0.base)).expect("an address of loopback and a fixed path make a URL")
    }

    /// Registers a Private App, or replaces what was registered of it. Redirect URIs are compared
    /// exactly, but for the port of a loopback one registered without (RFC 8252 §7.3).
    pub fn register_client(&self, client_id: &str, client_secret: &Secret, redirect_uris: &[&str]) {
        let redirect_uris = redirect_uris.iter().map(|&uri| uri.to_owned()).collect();
        let client = DemoClient { secret: client_secret.clone(), redirect_uris };
        self.0.lock().state.clients.insert(client_id.to_owned(), client);
    }

    /// Deletes a Private App: from now on its client ID is unknown.
    pub fn delete_client(&self, client_id: &str) {
        self.0.lock().state.clients.remove(client_id);
    }

    /// Issues tokens as though a login had just finished.
    #[must_use]
    pub fn issue(&self, client_id: &str, scope: &str) -> Issued {
        self.issue_aged(client_id, scope, TimeDelta::zero())
    }

    /// Issues tokens as though a login had finished `age` ago.
    #[must_use]
    pub fn issue_aged(&self, client_id: &str, scope: &str, age: TimeDelta) -> Issued {
        let issued_at = self.0.now() - age;
        let mut inner = self.0.lock();
        let family = inner.state.open_family(client_id, scope);
        inner.state.issue(family, issued_at)
    }

    /// Revokes the family of a refresh token, old or new: none of its tokens works any more.
    pub fn revoke(&self, refresh_token: &Secret) {
        let inner = &mut *self.0.lock();
        if let Some(family) = inner.state.family_of(refresh_token.expose()) {
            inner.stats.families_revoked += u64::from(inner.state.revoke(family));
        }
    }

    /// The one refresh token of a client that works, of its latest login: what a client must hold
    /// who lost nothing. `None`: no login yet, or its family was revoked.
    #[must_use]
    pub fn newest_refresh_token(&self, client_id: &str) -> Option<Secret> {
        self.0.lock().state.newest_refresh_token(client_id)
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
        let (shown, decided, exchanged, called) = (self.clone(), self.clone(), self.clone(), self.clone());
        let revoked = self.clone();
        let routes = Router::new()
            .route(
                "/oauth/authorize",
                get(async move |uri: Uri| shown.show_consent(&uri))
                    .post(async move |body: Bytes| decided.decide(&body)),
            )
            .route(
                "/oauth/token",
                post(async move |ConnectInfo(scissors): ConnectInfo<Scissors>, headers, uri, body: Bytes| {
                    exchanged.0.token_endpoint(&scissors, (headers, uri, body), token::answer).await
                }),
            )
            .route(
                "/oauth/revoke",
                post(async move |headers, uri: Uri, body: Bytes| {
                    let form = Params::from_form(&headers, &uri, &body);
                    revoke::answer(&mut revoked.0.lock(), &form).into_response()
                }),
            )
            .route("/", get(async move |headers: HeaderMap| called.api(&headers).into_response()))
            .fallback(async || html_response(StatusCode::NOT_FOUND, page::not_found()));
        with_common_layers(routes, &self.0)
    }

    fn show_consent(&self, uri: &Uri) -> Response<Body> {
        let params = Params::parse(uri.query().unwrap_or_default().as_bytes());
        authorize::show(&mut self.0.lock(), &params, self.0.now())
    }

    fn decide(&self, body: &[u8]) -> Response<Body> {
        authorize::decide(&mut self.0.lock(), &Params::parse(body), self.0.now())
    }

    /// The API: says whose token it was given.
    fn api(&self, headers: &HeaderMap) -> DemoAnswer {
        let now = self.0.now();
        let inner = &mut *self.0.lock();
        inner.stats.api_calls += 1;
        let token = params::bearer(headers);
        if let Some((family, expires_at)) = token.and_then(|token| inner.state.access(token, now)) {
            let left = (expires_at - now).num_seconds();
            let body = json!({"api": "Manu Online (demo)", "client_id": family.client_id, "scope": family.scope, "token_expires_in": left});
            return DemoAnswer::new(StatusCode::OK, body);
        }
        inner.stats.api_calls_refused += 1;
        // RFC 6750 §3.1: a client that sent no token is given the scheme and nothing else.
        let challenge = match token {
            None => r#"Bearer realm="manu""#,
            Some(_) => {
                r#"Bearer realm="manu", error="invalid_token", error_description="The access token is unknown, expired or revoked""#
            }
        };
        DemoAnswer::new(StatusCode::UNAUTHORIZED, json!({"error": "invalid_token"})).header(WWW_AUTHENTICATE, challenge)
    }
}
