//! A keepalive service that is stopped while an answer is on its way.

use std::time::Duration;

use super::bench::{Bench, LATER, is_stopped};
use crate::support::program::{Program, eventually};

/// A keepalive service whose schedule has begun a refresh, the answer held back.
async fn keepalive_refreshing(time: Duration) -> (Bench, Program) {
    let bench = Bench::expired().await;
    bench.hold_back(time);
    let keepalive = Program::start(&mut bench.command(&["keepalive"]));
    bench.until_rotations(1);
    (bench, keepalive)
}

#[tokio::test]
async fn what_comes_with_sigterm_does_not_end_the_wait() {
    for second in ["HUP", "CONT", "TERM"] {
        let (bench, mut keepalive) = keepalive_refreshing(Duration::from_secs(3)).await;
        keepalive.signal("TERM");
        keepalive.signal(second);
        keepalive.until_stderr("stopping once pending answers are saved");
        assert!(keepalive.end().expect(0).stderr.contains("stopped; all tokens saved"), "{second}");
        bench.assert_newest_is_stored().await;
    }
}

#[tokio::test]
async fn a_second_sigterm_that_is_meant_ends_it() {
    let (bench, mut keepalive) = keepalive_refreshing(Duration::from_secs(30)).await;
    keepalive.signal("TERM");
    keepalive.until_stderr("stopping once pending answers are saved");
    tokio::time::sleep(LATER).await;
    keepalive.signal("TERM");
    let said = keepalive.end().expect(7).stderr;
    assert!(said.contains("left although factory's answer is on its way"), "{said}");
    assert_eq!(bench.journal_state(), "spending");
}

#[tokio::test]
async fn sigtstp_waits_until_the_answer_is_saved() {
    let (bench, mut keepalive) = keepalive_refreshing(Duration::from_secs(2)).await;
    keepalive.signal("TSTP");
    keepalive.until_stderr("suspending once saved: factory's answer is on its way");
    eventually("it stops", || is_stopped(keepalive.id()));
    assert_eq!(bench.journal_state(), "settled");
    keepalive.signal("CONT");
    keepalive.signal("TERM");
    keepalive.end().expect(0);
    bench.assert_newest_is_stored().await;
}
