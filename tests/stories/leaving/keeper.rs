//! A keeper that is stopped while an answer is on its way.

use std::time::Duration;

use super::bench::{Bench, LATER, is_stopped};
use crate::support::program::{Program, eventually};

/// A keeper whose schedule has begun a refresh, the answer held back.
async fn keeper_refreshing(time: Duration) -> (Bench, Program) {
    let bench = Bench::expired().await;
    bench.hold_back(time);
    let keeper = Program::start(&mut bench.command(&["keepalive"]));
    bench.until_rotations(1);
    (bench, keeper)
}

#[tokio::test]
async fn what_comes_with_sigterm_does_not_end_the_wait() {
    for second in ["HUP", "CONT", "TERM"] {
        let (bench, mut keeper) = keeper_refreshing(Duration::from_secs(3)).await;
        keeper.signal("TERM");
        keeper.signal(second);
        keeper.until_stderr("stopping once pending answers are saved");
        assert!(keeper.end().expect(0).stderr.contains("stopped; all tokens saved"), "{second}");
        bench.assert_newest_is_stored().await;
    }
}

#[tokio::test]
async fn a_second_sigterm_that_is_meant_ends_it() {
    let (bench, mut keeper) = keeper_refreshing(Duration::from_secs(30)).await;
    keeper.signal("TERM");
    keeper.until_stderr("stopping once pending answers are saved");
    tokio::time::sleep(LATER).await;
    keeper.signal("TERM");
    let said = keeper.end().expect(7).stderr;
    assert!(said.contains("left although factory's answer is on its way"), "{said}");
    assert_eq!(bench.journal_state(), "spending");
}

#[tokio::test]
async fn sigtstp_waits_until_the_answer_is_saved() {
    let (bench, mut keeper) = keeper_refreshing(Duration::from_secs(2)).await;
    keeper.signal("TSTP");
    keeper.until_stderr("suspending once saved: factory's answer is on its way");
    eventually("it stops", || is_stopped(keeper.id()));
    assert_eq!(bench.journal_state(), "settled");
    keeper.signal("CONT");
    keeper.signal("TERM");
    keeper.end().expect(0);
    bench.assert_newest_is_stored().await;
}
