//! Logging in to Manu Online: the authorization endpoint, the consent page, codes and PKCE.

use std::collections::HashMap;

use chrono::TimeDelta;
use manutop::domain::Secret;
use reqwest::{Response, StatusCode};
use url::Url;

use super::bench::{
    Bench, CALLBACK, CHALLENGE, FOREIGN, Params, REGISTERED, VERIFIER, assert_oauth_error, body, changed, encode,
    field, head,
};

const WITHOUT_PKCE: [(&str, &str); 2] = [("code_challenge", ""), ("code_challenge_method", "")];

/// An authorization request of `app`, with changes.
async fn authorize(bench: &Bench, changes: &Params<'_>) -> Response {
    let usual = [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("scope", "API_ALL"),
        ("state", "s t&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut url = bench.servers.manu().authorize_url();
    url.set_query(Some(&encode(&changed(&usual, changes))));
    bench.get(url).await
}

async fn consent(bench: &Bench, changes: &Params<'_>) -> String {
    let page = authorize(bench, changes).await.text().await.unwrap();
    let (_, rest) = page.split_once(r#"name="consent" value=""#).expect("a consent page");
    rest.split_once('"').unwrap().0.to_owned()
}

async fn decide(bench: &Bench, consent: &str, decision: &str) -> Response {
    let params = [("consent", consent), ("decision", decision)];
    bench.post_form(bench.servers.manu().authorize_url(), &params).await.unwrap()
}

/// Allows access on the consent page; gives the code.
async fn allowed(bench: &Bench, changes: &Params<'_>) -> String {
    let consent = consent(bench, changes).await;
    redirected(&decide(bench, &consent, "allow").await)["code"].clone()
}

/// The parameters of the redirect to [`CALLBACK`].
fn redirected(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let to = Url::parse(&head(response, "location")).unwrap();
    assert!(to.as_str().starts_with(&format!("{CALLBACK}?")), "{to}");
    to.query_pairs().into_owned().collect()
}

/// Exchanges a code as `app` would, with changes.
async fn redeem(bench: &Bench, code: &str, changes: &Params<'_>) -> Response {
    let usual = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", "app"),
        ("client_secret", "app secret"),
    ];
    bench.manu_token(&changed(&usual, changes)).await
}

#[tokio::test]
async fn a_login_with_pkce_gives_tokens_that_open_the_api() {
    let bench = Bench::new();
    let code = allowed(&bench, &[]).await;
    let answer = redeem(&bench, &code, &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(head(&answer, "cache-control"), "no-store");
    let body = body(answer).await;
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 90);
    assert_eq!(Some(field(&body, "refresh_token")), bench.newest());
    assert_eq!(bench.call(bench.servers.manu().test_url(), &field(&body, "access_token")).await, 200);
}

#[tokio::test]
async fn a_login_without_pkce_works_and_a_verifier_out_of_nowhere_does_not() {
    let bench = Bench::new();
    let code = allowed(&bench, &WITHOUT_PKCE).await;
    assert_oauth_error(redeem(&bench, &code, &[]).await, 400, "invalid_grant").await;
    let code = allowed(&bench, &WITHOUT_PKCE).await;
    assert_eq!(redeem(&bench, &code, &[("code_verifier", "")]).await.status(), 200);
}

#[tokio::test]
async fn the_consent_page_says_who_asks_for_what_and_carries_the_state_back() {
    let bench = Bench::new();
    let response = authorize(&bench, &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(head(&response, "x-frame-options"), "DENY");
    let page = response.text().await.unwrap();
    for part in ["<strong>app</strong>", "API_ALL", r#"id="allow""#, r#"id="deny""#, "demo", CALLBACK] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(bench.servers.manu().stats().consents_shown, 1);
    let consent = consent(&bench, &[]).await;
    assert_eq!(redirected(&decide(&bench, &consent, "allow").await)["state"], "s t&te");
}

#[tokio::test]
async fn denying_sends_access_denied_and_the_state_back() {
    let bench = Bench::new();
    let consent = consent(&bench, &[]).await;
    let answer = redirected(&decide(&bench, &consent, "deny").await);
    assert_eq!(answer["error"], "access_denied");
    assert_eq!(answer["state"], "s t&te");
    assert!(!answer.contains_key("code"));
}

#[tokio::test]
async fn a_consent_form_works_once_and_cannot_be_made_up() {
    let bench = Bench::new();
    let consent = consent(&bench, &[]).await;
    assert_eq!(decide(&bench, "made-up", "allow").await.status(), 403);
    assert_eq!(decide(&bench, &consent, "allow").await.status(), 303);
    assert_eq!(decide(&bench, &consent, "allow").await.status(), 403);
}

#[tokio::test]
async fn nothing_is_redirected_before_client_and_redirect_uri_are_certain() {
    let bench = Bench::new();
    for change in [
        ("client_id", "unknown"),
        ("client_id", ""),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://127.0.0.1:49152/callback/"),
        ("redirect_uri", "http://localhost:49152/callback"),
    ] {
        let response = authorize(&bench, &[change]).await;
        assert_eq!(response.status(), 400, "{change:?}");
        assert_eq!(head(&response, "location"), "", "{change:?}");
        assert!(response.text().await.unwrap().contains("Request refused"), "{change:?}");
    }
}

#[tokio::test]
async fn other_faults_of_an_authorization_request_go_back_to_the_client() {
    let bench = Bench::new();
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("scope", "EVERYTHING"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
    ] {
        let answer = redirected(&authorize(&bench, &[change]).await);
        assert_eq!(answer["error"], error, "{change:?}");
        assert_eq!(answer["state"], "s t&te", "{change:?}");
    }
}

#[tokio::test]
async fn a_foreign_redirect_uri_shows_the_final_url_to_copy() {
    let bench = Bench::new();
    let consent = consent(&bench, &[("redirect_uri", FOREIGN)]).await;
    let answer = decide(&bench, &consent, "allow").await;
    assert_eq!(answer.status(), 200);
    let page = answer.text().await.unwrap();
    let (_, rest) = page.split_once(&format!("{FOREIGN}?code=")).expect("the final URL");
    let (code, _) = rest.split_once("&amp;state=s+t%26te<").expect("the state after the code");
    assert_eq!(redeem(&bench, code, &[("redirect_uri", FOREIGN)]).await.status(), 200);
}

#[tokio::test]
async fn what_a_page_shows_is_escaped() {
    let bench = Bench::new();
    let evil = r#"<script>"&'"#;
    bench.servers.manu().register_client(evil, &Secret::new("x"), &[REGISTERED]);
    let page = authorize(&bench, &[("client_id", evil)]).await.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;&quot;&amp;&#x27;"));
    assert!(!page.contains("<script>"));
}

#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_verifier() {
    let bench = Bench::new();
    let code = allowed(&bench, &[]).await;
    for changes in [
        vec![("client_id", "other"), ("client_secret", "other secret")],
        vec![("redirect_uri", "http://127.0.0.1:49153/callback")],
        vec![("redirect_uri", "")],
        vec![("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX")],
        vec![("code_verifier", "")],
        vec![("code", "made-up")],
    ] {
        assert_oauth_error(redeem(&bench, &code, &changes).await, 400, "invalid_grant").await;
    }
    assert_eq!(redeem(&bench, &code, &[]).await.status(), 200);
}

#[tokio::test]
async fn a_code_used_twice_revokes_the_tokens_it_gave() {
    let bench = Bench::new();
    let code = allowed(&bench, &[]).await;
    let first = body(redeem(&bench, &code, &[]).await).await;
    assert_oauth_error(redeem(&bench, &code, &[]).await, 400, "invalid_grant").await;
    assert_eq!(bench.call(bench.servers.manu().test_url(), &field(&first, "access_token")).await, 401);
    assert_oauth_error(bench.refresh(&field(&first, "refresh_token")).await, 400, "invalid_grant").await;
    assert_eq!(bench.servers.manu().stats().families_revoked, 1);
}

#[tokio::test]
async fn a_code_works_for_a_minute() {
    let bench = Bench::new();
    let (early, late) = (allowed(&bench, &[]).await, allowed(&bench, &[]).await);
    bench.clock.forward(TimeDelta::seconds(59));
    assert_eq!(redeem(&bench, &early, &[]).await.status(), 200);
    bench.clock.forward(TimeDelta::seconds(1));
    assert_oauth_error(redeem(&bench, &late, &[]).await, 400, "invalid_grant").await;
}
