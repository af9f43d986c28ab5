//! The authorization request: the URL a person opens, with `state` and PKCE S256.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use url::Url;

use crate::domain::Secret;

/// One authorization request under way. Its `state` and verifier belong to it alone.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// What the person opens.
    pub url: Url,
    /// The answer must repeat it unchanged (RFC 6749 §10.12).
    pub state: Secret,
    /// The PKCE code verifier (RFC 7636 §4.1), where PKCE is on.
    pub verifier: Option<Secret>,
    /// The redirect URI sent; the token request must repeat it exactly (§4.1.3).
    pub redirect_uri: String,
}

/// Makes an authorization request (RFC 6749 §4.1.1) with a fresh random `state` and, where `pkce`
/// is set, a fresh S256 challenge (RFC 7636 §4.3).
///
/// # Errors
/// The redirect URI is not absolute; the configuration refuses such URIs earlier.
pub fn request(
    authorize_url: &Url,
    client_id: &str,
    redirect_uri: &str,
    scope: &str,
    pkce: bool,
) -> Result<Authorization, url::ParseError> {
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_uri(AuthUrl::from_url(authorize_url.clone()))
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned())?);
    let mut request = client.authorize_url(CsrfToken::new_random);
    for word in scope.split_whitespace() {
        request = request.add_scope(Scope::new(word.to_owned()));
    }
    let mut verifier = None;
    if pkce {
        let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
        request = request.set_pkce_challenge(challenge);
        verifier = Some(Secret::new(secret.secret().as_str()));
    }
    let (url, state) = request.url();
    Ok(Authorization {
        url,
        state: Secret::new(state.secret().as_str()),
        verifier,
        redirect_uri: redirect_uri.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::request;

    #[test]
    fn the_url_carries_all_that_the_grant_asks_for() {
        let endpoint = "https://auth.example/authorize?tenant=7".parse().unwrap();
        let made = request(&endpoint, "app", "http://127.0.0.1:8400/callback", "A B", true).unwrap();
        let query: HashMap<_, _> = made.url.query_pairs().into_owned().collect();
        let expected = [
            ("tenant", "7"),
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", "http://127.0.0.1:8400/callback"),
            ("scope", "A B"),
            ("code_challenge_method", "S256"),
        ];
        for (key, value) in expected {
            assert_eq!(query.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert_eq!(query["state"], made.state.expose());
        assert!(query["code_challenge"].len() >= 43 && made.verifier.is_some());
    }

    #[test]
    fn without_pkce_no_challenge_is_sent_and_states_never_repeat() {
        let endpoint = "https://auth.example/authorize".parse().unwrap();
        let make = || request(&endpoint, "app", "http://127.0.0.1/cb", "A", false).unwrap();
        let (one, two) = (make(), make());
        assert!(!one.url.as_str().contains("code_challenge") && one.verifier.is_none());
        assert_ne!(one.state, two.state);
    }
}
