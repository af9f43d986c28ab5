//! What every kind of answer means, for each kind of request.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::domain::{
    AfterLostAnswer, Connection, ConnectionGrant, ConnectionName, Exchange, LogEntry, Problem, Secret, SecretSource,
    TokenRecord,
};
use crate::engine::work::exchange::{Came, ExchangeOutcome, MOST_KEPT, TokenRequest, describe, judge, problem, record};
use crate::oauth::providers::MANU;
use crate::oauth::{Class, answer};

const SENT: &str = "Rt-sent-0123456789";
const PAIR: &str = r#"{"access_token":"A","refresh_token":"R"}"#;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn connection() -> Connection {
    let url: Url = "http://127.0.0.1/".parse().unwrap();
    Connection {
        name: ConnectionName::new("factory").unwrap(),
        title: None,
        provider: &MANU,
        client_id: "app".into(),
        client_secret: SecretSource::Store,
        grant: ConnectionGrant::AuthorizationCode {
            authorize_url: url.clone(),
            redirect_uri: "http://127.0.0.1/cb".into(),
            scope: "API_ALL".into(),
            pkce: true,
        },
        token_url: url.clone(),
        test_url: url,
        auto_refresh: true,
        after_lost_answer: AfterLostAnswer::default(),
        revoke_url: None,
    }
}

fn came(status: u16, body: &str) -> Came<'_> {
    let body = body.as_bytes();
    Came { status: Some(status), body, is_whole: true, broke: None, challenge: None, retry_after: None }
}

fn judged(exchange: Exchange, came: &Came<'_>) -> ExchangeOutcome {
    let (connection, sent) = (connection(), Secret::new(SENT));
    let secrets = [&sent];
    let request = TokenRequest { connection: &connection, exchange, form: &sent, secrets: &secrets, attempt: 1 };
    judge(&request, came, now())
}

fn verdict(status: u16, body: &str) -> ExchangeOutcome {
    judged(Exchange::Refresh, &came(status, body))
}

fn is_lost(verdict: &ExchangeOutcome, kept: &str) -> bool {
    matches!(verdict, ExchangeOutcome::Lost { body, .. } if body.as_ref().map_or("".as_bytes(), |body| &body.0) == kept.as_bytes())
}

#[test]
fn a_token_pair_is_taken_whatever_the_status() {
    for status in [200, 201, 302, 400, 404, 500, 502] {
        assert!(matches!(verdict(status, PAIR), ExchangeOutcome::Tokens(..)), "{status}");
    }
    assert!(matches!(verdict(404, r#"{"access_token":"A"}"#), ExchangeOutcome::Refused(..)));
    let half = r#"{"access_token":"A"}"#;
    assert!(is_lost(&verdict(500, half), half));
}

#[test]
fn an_answer_cut_off_before_its_refresh_token_does_not_count_as_one_without() {
    let whole = r#"{"access_token":"A"}"#;
    assert!(matches!(verdict(200, whole), ExchangeOutcome::Tokens(..)), "RFC 6749 §6: the old one stays");
    for cut in [r#"{"access_token":"A""#, r#"{"access_token":"A","refresh_token":"R-is-cu"#] {
        assert!(is_lost(&verdict(200, cut), cut), "{cut}");
        let minted = judged(Exchange::Mint, &came(200, cut));
        assert!(matches!(minted, ExchangeOutcome::Tokens(..)), "nothing else is expected of a mint: {cut}");
        assert!(is_lost(&judged(Exchange::Code, &came(200, cut)), cut), "{cut}");
    }
    let form = "access_token=A&refresh_token=R-is-cu";
    assert!(is_lost(&judged(Exchange::Refresh, &Came { is_whole: false, ..came(200, form) }), form));
}

#[test]
fn a_refresh_token_that_cannot_be_used_is_a_lost_answer_whose_body_is_kept() {
    for odd in ["12345", "true", "[]", r#"{"value":"R"}"#, r#""R\u0007""#] {
        let body = format!(r#"{{"access_token":"A","refresh_token":{odd}}}"#);
        assert!(is_lost(&verdict(200, &body), &body), "{body}");
        assert!(matches!(judged(Exchange::Mint, &came(200, &body)), ExchangeOutcome::Tokens(..)), "{body}");
    }
    for none in ["null", r#""""#] {
        let body = format!(r#"{{"access_token":"A","refresh_token":{none}}}"#);
        assert!(matches!(verdict(200, &body), ExchangeOutcome::Tokens(..)), "{body}");
    }
}

#[test]
fn a_success_that_cannot_be_read_is_lost_and_its_words_and_debug_output_hold_nothing_of_it() {
    for body in ["token=abc", "<html>hunter2</html>", "\u{0}hunter2", "{}", "null", r#"{"ok":true,"code":17}"#] {
        let verdict = verdict(200, body);
        assert!(is_lost(&verdict, body), "{body}");
        assert!(!format!("{verdict:?}").contains("hunter2"));
        let ExchangeOutcome::Lost { why, .. } = verdict else { unreachable!("just looked") };
        assert_eq!(why.to_string(), "the server answered 200 with nothing that could be read");
    }
    for nothing in ["", " \r\n"] {
        assert!(matches!(verdict(200, nothing), ExchangeOutcome::Lost { body: None, .. }));
    }
}

#[test]
fn what_is_kept_of_a_long_answer_is_bounded_and_holds_its_tokens() {
    let body = format!("{}\"refresh_token\": x{}", "x".repeat(500_000), "y".repeat(500_000));
    let ExchangeOutcome::Lost { body: Some(kept), .. } = verdict(200, &body) else { panic!("it cannot be read") };
    assert_eq!(kept.0.len(), MOST_KEPT);
    assert!(String::from_utf8(kept.0).unwrap().contains("\"refresh_token\": x"));
}

#[test]
fn a_success_with_an_oauth_error_and_no_tokens_is_a_refusal_with_its_words() {
    for body in [
        r#"{"error":"invalid_grant","error_description":"dead"}"#,
        r#"{"Error":"InvalidGrant","message":"dead"}"#,
        r#"{"ok":false,"errors":[{"code":"INVALID-GRANT","detail":"dead"}]}"#,
        "error=invalid_grant&error_description=dead",
    ] {
        let ExchangeOutcome::Refused(refusal, _) = verdict(200, body) else { panic!("{body}") };
        assert_eq!(
            (refusal.class(), refusal.words()),
            (Class::InvalidGrant, "200 invalid_grant: dead".into()),
            "{body}"
        );
    }
    let echo = format!(r#"{{"error":"invalid_grant","refresh_token":"{SENT}"}}"#);
    assert!(matches!(verdict(200, &echo), ExchangeOutcome::Refused(..)), "what was sent is no new token");
    let both = r#"{"error":"none","access_token":"A","refresh_token":"R"}"#;
    assert!(matches!(verdict(200, both), ExchangeOutcome::Tokens(..)));
    assert!(matches!(verdict(200, r#"{"error":"slow_down_please"}"#), ExchangeOutcome::Refused(..)));
}

#[test]
fn a_failure_of_the_server_without_an_oauth_error_is_lost_where_something_was_spent() {
    for status in [500, 501, 502, 503, 504, 507, 520, 599] {
        for page in ["", "<h1>Bad gateway</h1>", r#"{"status":500,"error":"Internal Server Error"}"#] {
            for exchange in [Exchange::Refresh, Exchange::Code] {
                assert!(is_lost(&judged(exchange, &came(status, page)), ""), "{status} {page}");
            }
            let minted = judged(Exchange::Mint, &came(status, page));
            assert!(
                matches!(&minted, ExchangeOutcome::Refused(refusal, _) if refusal.class() == Class::Transient),
                "{status}"
            );
        }
        let said = verdict(status, r#"{"error":"server_error"}"#);
        assert!(
            matches!(&said, ExchangeOutcome::Refused(refusal, _) if refusal.class() == Class::Transient),
            "{status}"
        );
    }
    let ExchangeOutcome::Lost { why, .. } = verdict(502, "<h1>Bad gateway</h1>") else { panic!() };
    assert_eq!((why.to_string().as_str(), why.public()), ("502: Bad gateway", "502 Bad Gateway"));
}

#[test]
fn a_server_that_says_when_to_come_back_has_not_taken_the_request() {
    let later = Some(now() + TimeDelta::seconds(30));
    for status in [429, 503] {
        let verdict = judged(Exchange::Refresh, &Came { retry_after: later, ..came(status, "<h1>busy</h1>") });
        let ExchangeOutcome::Refused(refusal, at) = verdict else { panic!("{status}") };
        assert_eq!(at, later);
        assert!(problem(&refusal, at, now()).is_passing());
    }
    for status in [500, 502, 504] {
        let gateway = judged(Exchange::Refresh, &Came { retry_after: later, ..came(status, "") });
        assert!(
            matches!(gateway, ExchangeOutcome::Lost { .. }),
            "{status}: a gateway knows nothing of the server's work"
        );
    }
    assert!(matches!(verdict(429, ""), ExchangeOutcome::Refused(..)));
}

#[test]
fn an_answer_that_breaks_off_is_read_as_far_as_it_came() {
    let reset = "connection reset".into();
    let broken = |status, body| {
        let came = Came { is_whole: false, broke: Some(&reset), ..came(status, body) };
        judged(Exchange::Refresh, &came)
    };
    assert!(matches!(broken(200, &PAIR[..PAIR.len() - 1]), ExchangeOutcome::Tokens(..)));
    assert!(matches!(broken(200, r#"{"refresh_token":"R","acc"#), ExchangeOutcome::Tokens(..)));
    let cut = &PAIR[..PAIR.len() - 3];
    assert!(is_lost(&broken(200, cut), cut));
    assert!(is_lost(&broken(200, ""), ""));
    assert!(is_lost(&broken(502, "<h1>Bad"), ""));
    let refused = broken(400, r#"{"error":"invalid_grant","error_descr"#);
    assert!(matches!(refused, ExchangeOutcome::Refused(..)), "the status alone says that nothing was replaced");
    let minted = Came { is_whole: false, broke: Some(&reset), ..came(200, r#"{"access_token":"A","expi"#) };
    assert!(matches!(judged(Exchange::Mint, &minted), ExchangeOutcome::Tokens(..)));
}

#[test]
fn an_invalid_request_mentions_a_login_at_a_refresh_alone() {
    let body = r#"{"error":"invalid_request"}"#;
    for (exchange, mentions) in [(Exchange::Refresh, true), (Exchange::Code, false), (Exchange::Mint, false)] {
        let ExchangeOutcome::Refused(refusal, _) = judged(exchange, &came(400, body)) else { panic!() };
        let problem = problem(&refusal, None, now());
        assert!(
            matches!(&problem, Problem::Misconfigured { why, refused: true } if why.to_string().contains("log in") == mentions),
            "{problem:?}"
        );
    }
}

fn made(body: &str, previous: Option<&TokenRecord>, asked_at: DateTime<Utc>) -> TokenRecord {
    record(&connection(), answer::read(body.as_bytes()).unwrap(), &[], asked_at, previous, 2)
}

#[test]
fn a_refresh_token_alone_is_kept_beside_an_access_token_that_lives_with_its_own_times() {
    let old = made(r#"{"access_token":"A1","refresh_token":"R1","expires_in":1799}"#, None, now());
    assert!(!old.lacks_access_token());
    let soon = now() + TimeDelta::seconds(1000);
    let half = made(r#"{"refresh_token":"R2"}"#, Some(&old), soon);
    assert_eq!(
        (&half.access_token, half.obtained_at, half.expires_at),
        (&old.access_token, old.obtained_at, old.expires_at)
    );
    assert_eq!(half.refresh_token.as_ref().unwrap().token, Secret::new("R2"));
    assert!(half.lacks_access_token());
    let late = now() + TimeDelta::seconds(1800);
    for (previous, at) in [(Some(&old), late), (None, now()), (Some(&half), late)] {
        let record = made(r#"{"refresh_token":"R3"}"#, previous, at);
        assert!(record.access_token.is_empty() && record.lacks_access_token());
        assert_eq!((record.obtained_at, record.expires_at), (at, at));
    }
    let whole = made(r#"{"access_token":"A3"}"#, Some(&half), late);
    assert!(!whole.lacks_access_token());
    assert_eq!(whole.refresh_token, half.refresh_token);
}

#[test]
fn an_implausible_lifetime_is_bounded_and_logged() {
    let line = r#"{"at":"2026-03-01T12:00:00Z","connection":"factory","exchange":"refresh","method":"POST","host":"h","path":"/","outcome":{"status":200},"duration_ms":182,"attempt":1,"size":77}"#;
    for (said, lifetime, report) in [
        ("1799000", 1799, Some("expires_in 1799000 taken as milliseconds")),
        ("1772368199", 1799, Some("expires_in 1772368199 taken as the moment of the end")),
        ("\"315360000\"", 1799, Some("expires_in 315360000 not believed, 1799 s assumed")),
        ("3600", 3600, None),
    ] {
        let body = format!(r#"{{"access_token":"A","refresh_token":"R","expires_in":{said}}}"#);
        let record = made(&body, None, now());
        assert_eq!(record.expires_at - record.obtained_at, TimeDelta::seconds(lifetime), "{said}");
        let mut entry: LogEntry = serde_json::from_str(line).unwrap();
        describe(&mut entry, &verdict(200, &body), &MANU);
        assert_eq!(entry.oauth_error_description.as_deref(), report);
        assert!(entry.is_ok());
    }
}
