//! Parameters of a request, read as strictly as RFC 6749 asks (§3.1, §3.2): none twice, an empty
//! one counts as left out, token requests as a form body without query or `Authorization` header.

use std::collections::HashMap;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use url::form_urlencoded;

/// The parameters of one request. Holds secrets, hence has no `Debug`.
pub(super) struct Params {
    values: HashMap<String, String>,
    repeated: Option<String>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut params = Self { values: HashMap::new(), repeated: None };
        for (name, value) in form_urlencoded::parse(text) {
            if params.values.contains_key(name.as_ref()) {
                params.repeated.get_or_insert_with(|| name.clone().into_owned());
            }
            params.values.insert(name.into_owned(), value.into_owned());
        }
        params
    }

    /// Reads a token request's form body.
    ///
    /// Errors: why this is no token request that RFC 6749 and the providers allow.
    pub(super) fn from_form(headers: &HeaderMap, uri: &Uri, body: &[u8]) -> Result<Self, &'static str> {
        if headers.contains_key(AUTHORIZATION) {
            return Err("client credentials belong in the form body, not in an Authorization header");
        }
        if !is_form(headers) {
            return Err("the body must be application/x-www-form-urlencoded");
        }
        if uri.query().is_some() {
            return Err("parameters must not be sent in the URL");
        }
        let params = Self::parse(body);
        if params.repeated.is_some() {
            return Err("a parameter was sent more than once");
        }
        Ok(params)
    }

    /// A parameter's value; `None` when it was left out or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The name of a parameter that was sent more than once.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
