//! Both servers with a client each, a clock moved by hand, and a client for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use manutop::demo::{DemoOptions, Servers};
use manutop::domain::{Clock, Secret};
use reqwest::{Client, Response, StatusCode, header};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// The example of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Registered without a port, so that any port will do.
pub const REGISTERED: &str = "http://127.0.0.1/callback";
pub const CALLBACK: &str = "http://127.0.0.1:49152/callback";
pub const FOREIGN: &str = "https://www.getpostman.com/oauth2/callback";

pub type Params<'a> = [(&'a str, &'a str)];

/// A clock moved by hand.
pub struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    pub fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub struct Bench {
    pub servers: Servers,
    pub clock: Arc<HandClock>,
    pub http: Client,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With options changed from the usual ones.
    pub fn with(change: fn(&mut DemoOptions)) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap())));
        let mut options = DemoOptions { clock: clock.clone(), ..DemoOptions::default() };
        change(&mut options);
        let servers = Servers::start(options).unwrap();
        servers.manu().register_client("app", &Secret::new("app secret"), &[REGISTERED, FOREIGN]);
        servers.manu().register_client("other", &Secret::new("other secret"), &[REGISTERED]);
        servers.manus().register_client("tm_app", &Secret::new("c0ffee"));
        Self { servers, clock, http: http() }
    }

    pub async fn get(&self, url: Url) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    /// Calls an API; the status.
    pub async fn call(&self, url: Url, token: &str) -> StatusCode {
        self.http.get(url).bearer_auth(token).send().await.unwrap().status()
    }

    pub async fn post_form(&self, url: Url, params: &Params<'_>) -> reqwest::Result<Response> {
        let kind = "application/x-www-form-urlencoded";
        self.http.post(url).header(header::CONTENT_TYPE, kind).body(encode(params)).send().await
    }

    /// POSTs a form to Manu Online's token endpoint.
    pub async fn manu_token(&self, params: &Params<'_>) -> Response {
        self.post_form(self.servers.manu().token_url(), params).await.unwrap()
    }

    pub async fn refresh(&self, refresh_token: &str) -> Response {
        self.manu_token(&refresh_form(refresh_token)).await
    }

    pub async fn try_refresh(&self, refresh_token: &str) -> reqwest::Result<Response> {
        self.post_form(self.servers.manu().token_url(), &refresh_form(refresh_token)).await
    }

    /// An access and a refresh token of a new family of `app`.
    pub fn issue(&self) -> (String, String) {
        let issued = self.servers.manu().issue("app", "API_ALL");
        (issued.access_token.expose().to_owned(), issued.refresh_token.unwrap().expose().to_owned())
    }

    /// The refresh token that `app` should be holding.
    pub fn newest(&self) -> Option<String> {
        self.servers.manu().newest_refresh_token("app").map(|token| token.expose().to_owned())
    }
}

fn http() -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let no_redirects = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().redirect(no_redirects).timeout(Duration::from_secs(20)).build().unwrap()
}

/// A refresh by the client `app`.
pub fn refresh_form(refresh_token: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("client_id", "app"),
        ("client_secret", "app secret"),
    ]
}

/// `usual` with `changed` put over it; an empty value counts as left out.
pub fn changed<'a>(usual: &Params<'a>, changed: &Params<'a>) -> Vec<(&'a str, &'a str)> {
    let mut params: HashMap<_, _> = usual.iter().copied().collect();
    params.extend(changed.iter().copied());
    params.into_iter().collect()
}

pub fn encode(params: &Params<'_>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

pub async fn body(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub fn field(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}

/// A header's value; empty when there is none.
pub fn head(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

pub async fn assert_oauth_error(response: Response, status: u16, error: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(head(&response, "cache-control"), "no-store");
    assert_eq!(field(&body(response).await, "error"), error);
}
