//! Odd answers of the token endpoint, through the real engine: the server has replaced the refresh
//! token, so the one in the answer must be kept, whatever the answer looks like.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

mod support;

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::{Fault, Reply};
use manutop::domain::{Problem, TokenRecord};
use manutop::engine::Refreshed;
use serde_json::Value;
use support::rig::Rig;

const REDIRECT: &str = "http://127.0.0.1/callback";
/// What makes an answer odd.
type Rewrite = fn(Value) -> String;

/// What the demo server grants.
const LIFETIME: TimeDelta = TimeDelta::seconds(90);
/// What is assumed where the answer does not say.
const ASSUMED: TimeDelta = TimeDelta::seconds(1799);

/// Refreshes once, the answer made odd by `fault`; gives the record, held against the server's truth.
async fn refreshed_through(oddity: &str, fault: Fault) -> TokenRecord {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(fault);
    let running = rig.start(false);
    running.engine.views().await;
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "{oddity}");
    let standing = rig.vault().read(&factory).await.unwrap();
    assert!(standing.saved && standing.hazard.is_none(), "{oddity}");
    let record = standing.record.unwrap();
    let newest = rig.servers.manu().newest_refresh_token("app-factory");
    assert_eq!(record.refresh_token.as_ref().map(|refresh| refresh.token.clone()), newest, "{oddity}");
    assert_ne!(record.access_token, first.access_token, "{oddity}");
    // And it is good for the next rotation.
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)), "{oddity}");
    assert_eq!(rig.servers.manu().stats().reuses_detected, 0, "{oddity}");
    record
}

fn lifetime(record: &TokenRecord) -> TimeDelta {
    record.expires_at - record.obtained_at
}

#[tokio::test]
async fn a_rotation_survives_every_odd_spelling_of_its_answer() {
    let oddities: [(&str, Rewrite, TimeDelta); 12] = [
        ("expires_in as a string", |value| with(value, "expires_in", "90".into()), LIFETIME),
        ("expires_in as a fraction", |value| with(value, "expires_in", 90.0.into()), LIFETIME),
        ("expires_in as a word", |value| with(value, "expires_in", "soon".into()), ASSUMED),
        ("no expires_in", |value| without(value, "expires_in"), ASSUMED),
        ("no token_type", |value| without(value, "token_type"), LIFETIME),
        ("a byte order mark", |value| format!("\u{feff}{value}"), LIFETIME),
        (
            "duplicate keys",
            |value| format!(r#"{{"refresh_token":"","scope":null,{}"#, &value.to_string()[1..]),
            LIFETIME,
        ),
        ("duplicate keys, the empty ones last", |value| format!(r#"{},"refresh_token":""}}"#, cut(&value)), LIFETIME),
        ("trailing garbage", |value| format!("{value}\n<!-- cached by a proxy -->{{"), LIFETIME),
        ("leading garbage", |value| format!("<!-- a proxy -->{value}"), LIFETIME),
        ("wrapped", |value| format!(r#"{{"ok":true,"access_token":"not this","data":[{value}]}}"#), LIFETIME),
        ("its last brace missing", |value| cut(&value), LIFETIME),
    ];
    for (oddity, rewrite, expected) in oddities {
        let record = refreshed_through(oddity, Fault::Rewrite(rewrite)).await;
        assert_eq!(lifetime(&record), expected, "{oddity}");
    }
}

fn with(mut answer: Value, key: &str, value: Value) -> String {
    answer[key] = value;
    answer.to_string()
}

fn without(mut answer: Value, key: &str) -> String {
    answer.as_object_mut().unwrap().remove(key);
    answer.to_string()
}

/// The answer without its last brace.
fn cut(answer: &Value) -> String {
    let mut text = answer.to_string();
    text.pop();
    text
}

#[tokio::test]
async fn a_rotation_survives_an_answer_that_drips() {
    refreshed_through("drip", Fault::Drip { bytes: 16, every: Duration::from_millis(5) }).await;
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_or_with_an_empty_one_keeps_the_old_one() {
    let oddities: [Rewrite; 3] = [
        |answer| without(answer, "refresh_token"),
        |answer| with(answer, "refresh_token", "".into()),
        |answer| with(answer, "refresh_token", Value::Null),
    ];
    for rewrite in oddities {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        let first = rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.servers.manu().push_fault(Fault::Rewrite(rewrite));
        let running = rig.start(false);
        running.engine.views().await;
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
        let standing = rig.vault().read(&factory).await.unwrap();
        let record = standing.record.unwrap();
        assert!(standing.saved && standing.hazard.is_none());
        assert_eq!(record.refresh_token, first.refresh_token);
        assert_ne!(record.access_token, first.access_token);
    }
}

#[tokio::test]
async fn an_answer_cut_off_within_its_tokens_is_lost_and_the_old_record_stays() {
    let unreadable = [
        Fault::Truncated,
        Fault::Rewrite(|answer| {
            let text = answer.to_string();
            let half = answer["refresh_token"].as_str().unwrap();
            text[..text.find(half).unwrap() + half.len() / 2].to_owned()
        }),
        Fault::Afterwards(Reply::Body(String::new())),
        Fault::Afterwards(Reply::Html { code: 200 }),
    ];
    for fault in unreadable {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        let first = rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.servers.manu().push_fault(fault.clone());
        let running = rig.start(false);
        running.engine.views().await;
        let problem = running.engine.refresh(&factory, true).await.unwrap_err();
        assert!(matches!(problem, Problem::AnswerLost { .. }), "{fault:?}: {problem:?}");
        let standing = rig.vault().lock(&factory, |_| {}).await.unwrap().recover().await.unwrap();
        assert_eq!(standing.record, Some(first), "{fault:?}");
        assert!(standing.hazard.is_some(), "{fault:?}");
    }
}
