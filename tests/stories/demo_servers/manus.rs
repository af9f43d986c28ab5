//! Manus: minting, its documented errors, its rate limit, its users API.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use reqwest::{Response, header};
use serde_json::{Value, json};

use super::bench::{Bench, Params, body, field, head};

const MINT: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("client_id", "tm_app"), ("client_secret", "c0ffee")];

async fn mint(bench: &Bench, params: &Params<'_>) -> Response {
    bench.post_form(bench.servers.manus().token_url(), params).await.unwrap()
}

async fn assert_error(response: Response, status: u16, code: &str) {
    assert_eq!(response.status(), status);
    assert!(!head(&response, "x-ratelimit-remaining").is_empty());
    let body = body(response).await;
    assert_eq!(field(&body, "code"), code);
    assert!(!field(&body, "message").is_empty());
}

#[tokio::test]
async fn minting_gives_a_token_without_a_refresh_token_that_lists_users() {
    let bench = Bench::new();
    let answer = mint(&bench, &MINT).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(head(&answer, "x-ratelimit-limit"), "5");
    assert_eq!(head(&answer, "x-ratelimit-remaining"), "4");
    let minted = body(answer).await;
    assert_eq!((minted["token_type"].as_str(), minted["expires_in"].as_i64()), (Some("Bearer"), Some(150)));
    assert!(minted.get("refresh_token").is_none());

    let users_url = bench.servers.manus().test_url();
    let token = field(&minted, "access_token");
    let users = body(bench.http.get(users_url).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert_eq!((&users["total"], &users["limit"], &users["offset"]), (&json!(3), &json!(1), &json!(0)));
    assert_eq!(bench.servers.manus().stats().mints, 1);
}

#[tokio::test]
async fn an_access_token_is_shaped_like_a_jwt_whose_claims_say_when_it_ends() {
    let bench = Bench::new();
    let token = field(&body(mint(&bench, &MINT).await).await, "access_token");
    let parts: Vec<_> = token.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&parts[1]).unwrap();
    assert_eq!(claims["exp"].as_i64(), Some(1_800_000_150));
    assert_eq!(claims["sub"], "tm_app");
}

#[tokio::test]
async fn bad_requests_get_the_documented_errors_and_mint_nothing() {
    let bench = Bench::new();
    let [grant, id, secret] = MINT;
    for (params, status, code) in [
        (vec![id, secret], 400, "INVALID_GRANT_TYPE"),
        (vec![("grant_type", "refresh_token"), id, secret], 400, "INVALID_GRANT_TYPE"),
        (vec![grant, id], 400, "INVALID_REQUEST"),
        (vec![grant, secret], 400, "INVALID_REQUEST"),
        (vec![grant, id, secret, secret], 400, "INVALID_REQUEST"),
        (vec![grant, id, ("client_secret", "wrong")], 401, "INVALID_CLIENT"),
        (vec![grant, ("client_id", "tm_nobody"), secret], 401, "INVALID_CLIENT"),
    ] {
        assert_error(mint(&bench, &params).await, status, code).await;
    }
    let json = bench.http.post(bench.servers.manus().token_url());
    let json = json.header(header::CONTENT_TYPE, "application/json").body(json!(HashMap::from(MINT)).to_string());
    assert_error(json.send().await.unwrap(), 400, "INVALID_REQUEST").await;
    bench.servers.manus().delete_client("tm_app");
    assert_error(mint(&bench, &MINT).await, 401, "INVALID_CLIENT").await;
    assert_eq!(bench.servers.manus().stats().mints, 0);
}

#[tokio::test]
async fn minting_too_often_is_refused_until_the_announced_time() {
    let bench = Bench::new();
    for _ in 0..5 {
        assert_eq!(mint(&bench, &MINT).await.status(), 200);
        bench.clock.forward(TimeDelta::seconds(2));
    }
    let answer = mint(&bench, &MINT).await;
    assert_eq!(head(&answer, "retry-after"), "50");
    assert_error(answer, 429, "RATE_LIMIT_EXCEEDED").await;
    bench.clock.forward(TimeDelta::seconds(50));
    assert_eq!(mint(&bench, &MINT).await.status(), 200);
    let stats = bench.servers.manus().stats();
    assert_eq!((stats.mints, stats.rate_limited, stats.token_posts.client_credentials), (6, 1, 7));
}

#[tokio::test]
async fn the_users_api_refuses_tokens_that_ended_or_were_revoked_and_there_is_nothing_else() {
    let bench = Bench::new();
    let manus = bench.servers.manus();
    let (ends, revoked) = (manus.issue("tm_app"), manus.issue("tm_app"));
    manus.revoke(&revoked.access_token);
    assert_eq!(bench.call(manus.test_url(), revoked.access_token.expose()).await, 401);
    assert_eq!(bench.call(manus.test_url(), ends.access_token.expose()).await, 200);
    bench.clock.forward(ends.expires_in());
    assert_eq!(bench.call(manus.test_url(), ends.access_token.expose()).await, 401);
    let elsewhere = manus.test_url().join("teams").unwrap();
    assert_eq!(bench.call(elsewhere, ends.access_token.expose()).await, 404);
}
