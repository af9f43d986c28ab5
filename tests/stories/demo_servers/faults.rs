//! Faults do what they say, once, and change tokens exactly when they say so.

use std::time::{Duration, Instant};

use manutop::demo::{DemoFault, Reply};
use serde_json::json;

use super::bench::{Bench, body, field, head};

#[tokio::test]
async fn a_lost_answer_has_replaced_the_refresh_token() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::lost_answer());
    let error = bench.try_refresh(&refresh).await.unwrap_err();
    assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(bench.servers.manu().stats().rotations, 1);
    assert_ne!(bench.newest(), Some(refresh));
}

#[tokio::test]
async fn a_request_that_was_not_processed_has_changed_nothing() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    let busy = Reply::Status { code: 503, body: "{}".into(), retry_after: Some("7".into()) };
    for reply in [busy, Reply::Html { code: 502 }, Reply::Redirect("http://127.0.0.1:1/".into()), Reply::Nothing] {
        bench.servers.manu().push_fault(DemoFault::Instead(reply));
    }
    let answer = bench.refresh(&refresh).await;
    assert_eq!((answer.status().as_u16(), head(&answer, "retry-after").as_str()), (503, "7"));
    let answer = bench.refresh(&refresh).await;
    assert_eq!((answer.status().as_u16(), head(&answer, "content-type").as_str()), (502, "text/html; charset=utf-8"));
    let answer = bench.refresh(&refresh).await;
    assert_eq!((answer.status().as_u16(), head(&answer, "location").as_str()), (307, "http://127.0.0.1:1/"));
    bench.try_refresh(&refresh).await.unwrap_err();
    assert_eq!(bench.newest().as_ref(), Some(&refresh));
    assert_eq!(bench.refresh(&refresh).await.status(), 200, "each fault is met once");
    assert_eq!(bench.servers.manu().stats().token_posts.total(), 5);
}

#[tokio::test]
async fn a_body_can_be_rewritten() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::Rewrite(|mut body| {
        body["refresh_token"] = json!("");
        body.to_string()
    }));
    assert_eq!(field(&body(bench.refresh(&refresh).await).await, "refresh_token"), "");
    assert_eq!(bench.servers.manu().stats().rotations, 1);
}

#[tokio::test]
async fn a_dripping_body_arrives_slowly_and_whole() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::Drip { bytes: 50, every: Duration::from_millis(20) });
    let started = Instant::now();
    let dripped = body(bench.refresh(&refresh).await).await;
    assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());
    assert_eq!(Some(field(&dripped, "refresh_token")), bench.newest());
}

#[tokio::test]
async fn a_truncated_body_begins_and_breaks_off() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::Truncated);
    let mut truncated = bench.refresh(&refresh).await;
    assert_eq!(truncated.status(), 200);
    assert!(!truncated.chunk().await.unwrap().unwrap().is_empty());
    truncated.chunk().await.unwrap_err();
    assert_eq!(bench.servers.manu().stats().rotations, 1);
}

#[tokio::test]
async fn an_oversized_body_has_the_given_length_and_does_not_announce_it() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::Afterwards(Reply::Oversized(3_000_000)));
    let answer = bench.refresh(&refresh).await;
    assert_eq!(answer.content_length(), None);
    assert_eq!(answer.bytes().await.unwrap().len(), 3_000_000);
    assert_eq!(bench.servers.manu().stats().rotations, 1);
}

#[tokio::test]
async fn delays_fall_before_or_after_the_processing_and_requests_out_together_are_counted() {
    let bench = Bench::new();
    let manu = bench.servers.manu();
    let (_, first) = bench.issue();
    let (_, second) = bench.issue();
    manu.push_fault(DemoFault::DelayBefore(Duration::from_millis(600)));
    manu.push_fault(DemoFault::DelayAfter(Duration::from_millis(600)));
    let look = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        manu.stats().rotations
    };
    let (one, two, meanwhile) = tokio::join!(bench.refresh(&first), bench.refresh(&second), look);
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
    assert_eq!(meanwhile, 1, "one was processed while both were out");
    assert_eq!((manu.stats().rotations, manu.stats().peak_in_flight), (2, 2));
}

#[tokio::test]
async fn forgotten_faults_have_no_effect() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    bench.servers.manu().push_fault(DemoFault::status(500, "{}"));
    bench.servers.manu().clear_faults();
    assert_eq!(bench.refresh(&refresh).await.status(), 200);
}
