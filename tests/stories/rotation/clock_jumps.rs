//! The clock jumps an hour either way: one request a jump and no storm; that our clock and the
//! server's differ is seen from the `Date` header.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{Command, CopyWhat, Problem, Secret, SystemClock};
use manutop::engine::Refreshed;

use super::REDIRECT;
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

/// Set back after a refresh: how long the token still lives is not known, so it is not handed out.
#[tokio::test]
async fn a_record_from_the_future_is_not_handed_out() {
    for set_back in [TimeDelta::minutes(2), TimeDelta::hours(2), TimeDelta::days(400)] {
        let mut rig = Rig::with(|options| options.clock = Arc::new(SystemClock));
        let factory = rig.manu("factory", REDIRECT).await;
        rig.logged_in(&factory, TimeDelta::zero()).await;
        rig.clock.advance(-set_back);
        rig.servers.manu().break_down(None, DemoFault::status(500, r#"{"error":"server_error"}"#));
        let running = rig.start(false);
        running.engine.views().await;
        let before = running.engine.present_token(&factory).await;
        assert!(matches!(before, Err(Problem::Retrying { .. })), "{before:?}");
        for what in [CopyWhat::AccessToken, CopyWhat::AuthorizationHeader, CopyWhat::CurlLine] {
            let why = running.engine.reveal(&factory, what).await.unwrap_err();
            assert!(why.contains("clock was set back"), "{why}");
        }
        let other = Secret::new("refused by the API");
        let given = running.engine.access_token_other_than(&factory, &other, Duration::ZERO).await;
        assert!(given.is_err(), "{given:?}");
        assert_eq!(rig.refresh_posts(), 1, "it is refreshed instead");
        // Where something else is wrong already, it is given out no more than before.
        assert!(running.engine.access_token(&factory, Duration::ZERO).await.is_err());
        assert!(running.engine.present_token(&factory).await.is_err());
        assert!(running.engine.reveal(&factory, CopyWhat::AccessToken).await.is_err());
        rig.servers.manu().clear_faults();
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
        assert!(running.engine.access_token(&factory, Duration::from_secs(30)).await.is_ok());
    }
}

/// The clock of a machine that runs is corrected by seconds again and again.
#[tokio::test]
async fn a_clock_corrected_by_seconds_costs_no_request() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", REDIRECT).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig.clock.advance(TimeDelta::seconds(-20));
    let running = rig.start(false);
    assert!(running.engine.access_token(&factory, Duration::from_secs(30)).await.is_ok());
    assert_eq!(rig.refresh_posts(), 0);
}
