//! Manu Online's refresh tokens and its strictness towards token requests; its API.

use std::collections::HashMap;

use chrono::TimeDelta;
use manutop::demo::RateLimit;
use manutop::domain::Secret;
use reqwest::{RequestBuilder, header};
use serde_json::json;
use url::Url;

use super::bench::{Bench, assert_oauth_error, body, changed, encode, field, head, refresh_form};

#[tokio::test]
async fn every_refresh_replaces_the_refresh_token() {
    let bench = Bench::new();
    let (_, mut current) = bench.issue();
    for _ in 0..5 {
        let next = field(&body(bench.refresh(&current).await).await, "refresh_token");
        assert_ne!(next, current);
        current = next;
    }
    let stats = bench.servers.manu().stats();
    assert_eq!((stats.rotations, stats.reuses_detected, stats.token_posts.refresh_token), (5, 0, 5));
    assert_eq!(bench.newest(), Some(current));
}

#[tokio::test]
async fn sending_a_replaced_refresh_token_revokes_the_whole_family_and_no_other() {
    let bench = Bench::new();
    let (_, bystander) = bench.issue();
    let (_, old) = bench.issue();
    let new = body(bench.refresh(&old).await).await;
    assert_oauth_error(bench.refresh(&old).await, 400, "invalid_grant").await;
    assert_oauth_error(bench.refresh(&field(&new, "refresh_token")).await, 400, "invalid_grant").await;
    assert_eq!(bench.call(bench.servers.manu().test_url(), &field(&new, "access_token")).await, 401);
    let stats = bench.servers.manu().stats();
    assert_eq!((stats.reuses_detected, stats.families_revoked), (1, 1));
    assert_eq!(bench.newest(), None);
    assert_eq!(bench.refresh(&bystander).await.status(), 200);
}

#[tokio::test]
async fn a_revoked_family_is_refused_and_that_is_no_reuse() {
    let bench = Bench::new();
    let (access, refresh) = bench.issue();
    bench.servers.manu().revoke(&Secret::new(refresh.as_str()));
    assert_oauth_error(bench.refresh(&refresh).await, 400, "invalid_grant").await;
    assert_eq!(bench.call(bench.servers.manu().test_url(), &access).await, 401);
    assert_eq!(bench.servers.manu().stats().reuses_detected, 0);
}

#[tokio::test]
async fn a_refresh_token_ends_after_two_years() {
    let bench = Bench::new();
    let (_, early) = bench.issue();
    let (_, late) = bench.issue();
    bench.clock.forward(TimeDelta::days(729));
    assert_eq!(bench.refresh(&early).await.status(), 200);
    bench.clock.forward(TimeDelta::days(1));
    assert_oauth_error(bench.refresh(&late).await, 400, "invalid_grant").await;
}

#[tokio::test]
async fn another_clients_refresh_token_is_refused_and_stays_good() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    let other = [("client_id", "other"), ("client_secret", "other secret")];
    let answer = bench.manu_token(&changed(&refresh_form(&refresh), &other)).await;
    assert_oauth_error(answer, 400, "invalid_grant").await;
    assert_eq!(bench.refresh(&refresh).await.status(), 200);
}

#[tokio::test]
async fn token_requests_that_are_not_in_order_get_the_error_of_the_rfc_and_cost_no_token() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    for (change, error) in [
        (("refresh_token", "made-up"), "invalid_grant"),
        (("refresh_token", ""), "invalid_request"),
        (("grant_type", "authorization_code"), "invalid_request"),
        (("grant_type", "client_credentials"), "unsupported_grant_type"),
        (("grant_type", ""), "invalid_request"),
        (("scope", "API_ALL ROOT"), "invalid_scope"),
    ] {
        let answer = bench.manu_token(&changed(&refresh_form(&refresh), &[change])).await;
        assert_oauth_error(answer, 400, error).await;
    }
    let twice = [&refresh_form(&refresh)[..], &[("refresh_token", "again")]].concat();
    assert_oauth_error(bench.manu_token(&twice).await, 400, "invalid_request").await;
    assert_eq!(bench.newest(), Some(refresh));
}

#[tokio::test]
async fn a_wrong_client_is_invalid_client_and_costs_no_token() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    for change in [("client_secret", "wrong"), ("client_id", "unknown"), ("client_secret", ""), ("client_id", "")] {
        let answer = bench.manu_token(&changed(&refresh_form(&refresh), &[change])).await;
        assert_oauth_error(answer, 401, "invalid_client").await;
    }
    bench.servers.manu().delete_client("app");
    assert_oauth_error(bench.refresh(&refresh).await, 401, "invalid_client").await;
    assert_eq!(bench.newest(), Some(refresh));
}

#[tokio::test]
async fn a_secret_anywhere_but_in_the_form_body_is_refused() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    let (url, form) = (bench.servers.manu().token_url(), refresh_form(&refresh));
    let post = |url: &Url, kind: &str, body: String| -> RequestBuilder {
        bench.http.post(url.clone()).header(header::CONTENT_TYPE, kind).body(body)
    };
    let kind = "application/x-www-form-urlencoded; charset=UTF-8";
    let mut with_query = url.clone();
    with_query.set_query(Some("client_secret=app+secret"));
    for request in [
        post(&url, kind, encode(&form)).basic_auth("app", Some("app secret")),
        post(&url, "application/json", json!(HashMap::from(form)).to_string()),
        post(&with_query, kind, encode(&form)),
    ] {
        assert_oauth_error(request.send().await.unwrap(), 400, "invalid_request").await;
    }
    assert_eq!(bench.newest().as_ref(), Some(&refresh));
    assert_eq!(post(&url, kind, encode(&form)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn over_the_limit_the_answer_is_429_and_the_refresh_token_stays() {
    let bench = Bench::with(|options| options.manu_limit = Some(RateLimit::per_minute(1)));
    let (_, first) = bench.issue();
    let second = field(&body(bench.refresh(&first).await).await, "refresh_token");
    let answer = bench.refresh(&second).await;
    assert_eq!((answer.status().as_u16(), head(&answer, "retry-after").as_str()), (429, "60"));
    assert_eq!(bench.newest().as_ref(), Some(&second));
    bench.clock.forward(TimeDelta::seconds(60));
    assert_eq!(bench.refresh(&second).await.status(), 200);
    assert_eq!(bench.servers.manu().stats().rate_limited, 1);
}

#[tokio::test]
async fn the_api_refuses_requests_without_a_token_or_with_an_expired_one() {
    let bench = Bench::new();
    let url = bench.servers.manu().test_url();
    let without = bench.get(url.clone()).await;
    assert_eq!(without.status(), 401);
    assert_eq!(head(&without, "www-authenticate"), r#"Bearer realm="manu""#);
    let (access, _) = bench.issue();
    bench.clock.forward(TimeDelta::seconds(89));
    assert_eq!(bench.call(url.clone(), &access).await, 200);
    bench.clock.forward(TimeDelta::seconds(1));
    let ended = bench.http.get(url).bearer_auth(&access).send().await.unwrap();
    assert_eq!(ended.status(), 401);
    assert!(head(&ended, "www-authenticate").contains(r#"error="invalid_token""#));
    let stats = bench.servers.manu().stats();
    assert_eq!((stats.api_calls, stats.api_calls_refused), (3, 2));
}
