//! Odd answers of the token endpoint, through the real engine: the server has replaced the refresh
//! token, so the one in the answer must be kept, whatever the answer looks like.

use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{AfterLostAnswer, ConnectionName, Event, LogEntry, Problem, SecretSource, TokenRecord};
use manutop::engine::Refreshed;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use serde_json::Value;

use crate::support::rig::{Rig, Running};

const REDIRECT: &str = "http://127.0.0.1/callback";
/// What makes an answer odd.
type Rewrite = fn(Value) -> String;

/// What the demo server grants.
const LIFETIME: TimeDelta = TimeDelta::seconds(90);
/// What is assumed where the answer does not say.
const ASSUMED: TimeDelta = TimeDelta::seconds(1799);

/// A connection with the tokens of its login, and an engine; the server's next answer has the fault.
async fn facing(fault: DemoFault) -> (Rig, Running, ConnectionName, TokenRecord) {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(fault);
    let running = rig.start(false);
    running.engine.views().await;
    (rig, running, factory, first)
}

/// Refreshes once, the answer made odd by `fault`; gives the record, held against the server's truth.
async fn refreshed_through(oddity: &str, fault: DemoFault) -> TokenRecord {
    let (rig, running, factory, first) = facing(fault).await;
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
        let record = refreshed_through(oddity, DemoFault::Rewrite(rewrite)).await;
        assert_eq!(lifetime(&record), expected, "{oddity}");
    }
}

/// What puts an answer on the wire: other headers, and what makes its body.
type Recoded = (&'static [(&'static str, &'static str)], fn(Value) -> Vec<u8>);

#[tokio::test]
async fn a_rotation_survives_every_coding_and_shape_of_its_answer() {
    const GZIP: &[(&str, &str)] = &[("content-encoding", "gzip")];
    const DEFLATE: &[(&str, &str)] = &[("content-encoding", "deflate")];
    const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
    const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
    let oddities: [(&str, Recoded); 18] = [
        ("gzip", (GZIP, |answer| gzip(answer.to_string().as_bytes()))),
        ("x-gzip", (&[("content-encoding", "x-gzip")], |answer| gzip(answer.to_string().as_bytes()))),
        ("gzip, unnamed", (&[], |answer| gzip(answer.to_string().as_bytes()))),
        ("gzip in gzip", (&[("content-encoding", "gzip, gzip")], |answer| gzip(&gzip(answer.to_string().as_bytes())))),
        ("gzip in gzip, named once", (GZIP, |answer| gzip(&gzip(answer.to_string().as_bytes())))),
        (
            "gzip without its end",
            (GZIP, |answer| {
                // What follows the refresh token is lost.
                let mut answer = answer.clone();
                answer["note"] = "the members of an object have no order".into();
                let mut body = gzip(answer.to_string().as_bytes());
                body.truncate(body.len() - 12);
                body
            }),
        ),
        ("named gzip, but plain", (GZIP, |answer| answer.to_string().into_bytes())),
        ("zlib", (DEFLATE, |answer| compress_to_vec_zlib(answer.to_string().as_bytes(), 6))),
        ("raw deflate", (DEFLATE, |answer| compress_to_vec(answer.to_string().as_bytes(), 6))),
        ("a form", (FORM, |answer| form(&answer).into_bytes())),
        ("a form named JSON", (&[], |answer| form(&answer).into_bytes())),
        (
            "a form named HTML, compressed",
            (&[("content-type", "text/html"), ("content-encoding", "gzip")], |answer| gzip(form(&answer).as_bytes())),
        ),
        ("UTF-16", (&[], |answer| utf16(&format!("\u{feff}{answer}"), u16::to_le_bytes))),
        ("UTF-16 without a mark", (HTML, |answer| utf16(&answer.to_string(), u16::to_be_bytes))),
        ("Latin-1", (&[], |answer| [b"{\"x\":\"\xe9\",".as_slice(), &answer.to_string().as_bytes()[1..]].concat())),
        ("JSON in a string", (&[], |answer| Value::from(answer.to_string()).to_string().into_bytes())),
        ("JSONP", (HTML, |answer| format!("/**/callback({answer});").into_bytes())),
        ("an array", (&[], |answer| format!("[{answer}]").into_bytes())),
    ];
    for (oddity, (headers, body)) in oddities {
        let record = refreshed_through(oddity, DemoFault::Recode { headers, body }).await;
        assert_eq!(lifetime(&record), LIFETIME, "{oddity}");
    }
}

/// A gzip file (RFC 1952) without a right checksum, which is not compared.
fn gzip(body: &[u8]) -> Vec<u8> {
    [b"\x1f\x8b\x08\0\0\0\0\0\0\xff".as_slice(), &compress_to_vec(body, 6), &[0; 8]].concat()
}

fn form(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = answer.as_object().unwrap().iter().map(|(key, value)| (key, text(value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[tokio::test]
async fn an_implausible_lifetime_is_bounded_and_the_log_says_so() {
    let oddities: [(&str, Rewrite, TimeDelta); 4] = [
        ("taken as milliseconds", |value| with(value, "expires_in", 1_799_000.into()), ASSUMED),
        ("taken as milliseconds", |value| with(value, "expires_in", "1799000".into()), ASSUMED),
        ("not believed", |value| with(value, "expires_in", 315_360_000.into()), ASSUMED),
        ("not believed", |value| with(value, "expires_in", 1e18.into()), ASSUMED),
    ];
    for (reading, rewrite, expected) in oddities {
        let (rig, mut running, factory, _) = facing(DemoFault::Rewrite(rewrite)).await;
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
        let entry = logged(&mut running).await;
        assert!(entry.is_ok() && entry.oauth_error_description.as_ref().unwrap().contains(reading), "{entry:?}");
        let record = rig.vault().read(&factory).await.unwrap().record.unwrap();
        assert_eq!(lifetime(&record), expected, "{entry:?}");
    }
    let moment: Rewrite = |value| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        with(value, "expires_in", (now + 900).into())
    };
    let record = refreshed_through("an epoch time", DemoFault::Rewrite(moment)).await;
    assert!((895..=905).contains(&lifetime(&record).num_seconds()), "{}", lifetime(&record));
}

/// The next exchange in the request log.
async fn logged(running: &mut Running) -> LogEntry {
    running.until(|event| if let Event::RequestLogged(entry) = event { Some((**entry).clone()) } else { None }).await
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_used_is_a_lost_answer_and_not_a_missing_one() {
    let oddities: [Rewrite; 6] = [
        |answer| with(answer, "refresh_token", 12345.into()),
        |answer| with(answer, "refresh_token", true.into()),
        |answer| with(answer, "refresh_token", serde_json::json!([])),
        |answer| with(answer, "refresh_token", serde_json::json!({"value": "R"})),
        |answer| with(answer, "refresh_token", "R\u{7}".into()),
        |answer| format!(r#"{{"data":{},"old":{{"refresh_token":"spent"}}}}"#, with(answer, "refresh_token", 0.into())),
    ];
    for rewrite in oddities {
        assert_is_lost(DemoFault::Rewrite(rewrite)).await;
    }
}

#[tokio::test]
async fn a_failure_of_the_server_after_the_request_was_sent_is_a_lost_answer() {
    for code in [500, 502, 503, 504] {
        for reply in [Reply::Html { code }, Reply::Status { code, body: "{}".into(), retry_after: None }] {
            assert_is_lost(DemoFault::Afterwards(reply)).await;
        }
    }
}

/// Refreshes a connection that asks after a lost answer: the answer with this fault is one.
async fn assert_is_lost(fault: DemoFault) {
    let what = format!("{fault:?}");
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.connections[0].after_lost_answer = AfterLostAnswer::Ask;
    let first = rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.servers.manu().push_fault(fault);
    let running = rig.start(false);
    running.engine.views().await;
    let problem = running.engine.refresh(&factory, true).await.unwrap_err();
    assert!(matches!(problem, Problem::Uncertain { .. }), "{what}: {problem:?}");
    let standing = rig.vault().lock(&factory, |_| {}).await.unwrap().recover().await.unwrap();
    assert_eq!(standing.record, Some(first), "{what}");
    assert!(standing.hazard.is_some(), "{what}");
    assert_eq!(rig.refresh_posts(), 1, "{what}");
}

#[tokio::test]
async fn a_page_of_something_in_between_is_passing_and_the_next_refresh_succeeds() {
    let page = |code| DemoFault::Instead(Reply::Html { code });
    let faults = [
        page(401),
        page(403),
        page(404),
        page(405),
        page(410),
        DemoFault::status(404, "404 page not found"),
        DemoFault::status(404, r#"{"status":404,"error":"Not Found","path":"/oauth/token"}"#),
        page(302),
        DemoFault::Instead(Reply::Redirect("http://127.0.0.1:1/login".into())),
        DemoFault::unavailable(0),
        DemoFault::status(500, r#"{"error":"server_error"}"#),
        DemoFault::status(502, r#"{"error":{"code":"TEMPORARILY_UNAVAILABLE"}}"#),
    ];
    for fault in faults {
        let (rig, running, factory, first) = facing(fault.clone()).await;
        let problem = running.engine.refresh(&factory, true).await.unwrap_err();
        assert!(matches!(problem, Problem::Retrying { .. }), "{fault:?}: {problem:?}");
        let standing = rig.vault().read(&factory).await.unwrap();
        assert_eq!((standing.record, standing.hazard), (Some(first), None), "{fault:?}");
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_understood_wherever_it_stands() {
    let dead = [
        r#"{"error":"invalid_grant","error_description":"it is dead"}"#,
        r#"{"Error":"InvalidGrant","Message":"it is dead"}"#,
        r#"{"errors":[{"code":"INVALID-GRANT","detail":"it is dead"}]}"#,
        r#"{"error":{"status":"INVALID_GRANT","code":400,"message":"it is dead"}}"#,
        r#"{"error":{"type":"invalid grant","message":"it is dead"}}"#,
        "error=invalid_grant&error_description=it+is+dead",
        r#""{\"error\":\"invalid_grant\",\"error_description\":\"it is dead\"}""#,
    ];
    for body in dead {
        for code in [200, 400, 401, 404] {
            let (rig, running, factory, first) = facing(DemoFault::status(code, body)).await;
            let problem = running.engine.refresh(&factory, true).await.unwrap_err();
            let Problem::NeedsLogin { why } = &problem else { panic!("{code} {body}: {problem:?}") };
            assert!(why.to_string().contains("invalid_grant: it is dead"), "{why}");
            let standing = rig.vault().read(&factory).await.unwrap();
            assert_eq!((standing.record, standing.hazard), (Some(first), None), "{code} {body}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_alone_is_saved_and_good_for_the_next_refresh() {
    let oddities: [Rewrite; 3] = [
        |answer| without(answer, "access_token"),
        |answer| with(answer, "access_token", "".into()),
        |answer| with(answer, "access_token", Value::Null),
    ];
    for rewrite in oddities {
        let (rig, running, factory, first) = facing(DemoFault::Rewrite(rewrite)).await;
        running.engine.refresh(&factory, true).await.unwrap();
        assert_eq!(running.engine.refresh(&factory, true).await.map(|_| ()), Ok(()));
        let record = rig.vault().read(&factory).await.unwrap().record.unwrap();
        assert_ne!(record.access_token, first.access_token);
        assert!(!record.lacks_access_token() && !record.access_token.is_empty());
        let newest = rig.servers.manu().newest_refresh_token("app-factory");
        assert_eq!(record.refresh_token.map(|refresh| refresh.token), newest);
        assert_eq!(rig.servers.manu().stats().reuses_detected, 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_secret_command_that_fails_is_asked_again() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let vault = rig.dir.path().join("vault");
    let words = ["cat", vault.to_str().unwrap()].map(str::to_owned).to_vec();
    rig.connections[0].client_secret = SecretSource::Command(words);
    let running = rig.start(false);
    running.engine.views().await;
    for content in [None, Some("")] {
        if let Some(content) = content {
            std::fs::write(&vault, content).unwrap();
        }
        let problem = running.engine.refresh(&factory, true).await.unwrap_err();
        assert!(
            matches!(&problem, Problem::Retrying { why, .. } if why.to_string().contains("client_secret_command")),
            "{problem:?}"
        );
    }
    assert_eq!(rig.refresh_posts(), 0, "nothing goes out without a secret");
    std::fs::write(&vault, crate::support::rig::SECRET).unwrap();
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
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
    refreshed_through("drip", DemoFault::Drip { bytes: 16, every: Duration::from_millis(5) }).await;
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_or_with_an_empty_one_keeps_the_old_one() {
    let oddities: [Rewrite; 3] = [
        |answer| without(answer, "refresh_token"),
        |answer| with(answer, "refresh_token", "".into()),
        |answer| with(answer, "refresh_token", Value::Null),
    ];
    for rewrite in oddities {
        let (rig, running, factory, first) = facing(DemoFault::Rewrite(rewrite)).await;
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
        DemoFault::Truncated,
        DemoFault::Rewrite(|answer| {
            let text = answer.to_string();
            let half = answer["refresh_token"].as_str().unwrap();
            text[..text.find(half).unwrap() + half.len() / 2].to_owned()
        }),
        DemoFault::Afterwards(Reply::Body(String::new())),
        DemoFault::Afterwards(Reply::Html { code: 200 }),
    ];
    for fault in unreadable {
        assert_is_lost(fault).await;
    }
}
