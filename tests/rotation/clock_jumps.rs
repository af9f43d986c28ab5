//! The clock jumps an hour either way: one request a jump and no storm; that our clock and the
//! server's differ is seen from the `Date` header.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use manutop::domain::{Command, SystemClock};

use crate::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn a_jump_either_way_costs_one_request_and_no_storm() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.views().await;
    for (jump, generation) in [(1, 2), (-1, 3)] {
        rig.clock.advance(TimeDelta::hours(jump));
        running.engine.views().await;
        running.until_view(&factory, |view| view.token().is_some_and(|token| token.generation == generation)).await;
    }
    // The schedule is asked again and again, and has nothing to do.
    for _ in 0..50 {
        running.engine.views().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(rig.refresh_posts(), 2);
}

#[tokio::test]
async fn a_clock_that_agrees_with_the_servers_shows_no_skew() {
    assert!(skew_after(TimeDelta::zero()).await.num_seconds().abs() <= 2);
}

#[tokio::test]
async fn a_clock_that_is_wrong_either_way_shows_by_how_much() {
    for hours in [1, -1] {
        let skew = skew_after(TimeDelta::hours(hours)).await;
        assert!((skew + TimeDelta::hours(hours)).num_seconds().abs() <= 2, "the server is behind by {skew}");
    }
}

/// The skew shown after a refresh, where our clock alone has jumped.
async fn skew_after(jump: TimeDelta) -> TimeDelta {
    let mut rig = Rig::with(|options| options.clock = Arc::new(SystemClock));
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.clock.advance(jump);
    let mut running = rig.start(false);
    running.engine.send(Command::Refresh { connection: factory.clone(), force: true });
    running.until_view(&factory, |view| view.clock_skew.is_some()).await.clock_skew.unwrap()
}
