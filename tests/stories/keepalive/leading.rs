//! Of several keepalive services on one data directory one leads; when it is killed, another takes over.

use std::time::Duration;

use manutop::demo::DemoFault;

use super::bench::{Bench, get, stop};

const SHORT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn one_of_three_leads_and_each_death_makes_another_the_leader() {
    let bench = Bench::with_factory(SHORT).await;
    let (mut first, _) = bench.keepalive_on_a_port(&[]);
    let mut others: Vec<_> = (0..2).map(|_| bench.keepalive(&["--listen", "127.0.0.1:0"])).collect();
    for other in &mut others {
        other.until_stderr(&format!("standby: keepalive, process {}, leads", first.id()));
    }
    first.until_stderr("factory: refreshed, generation 3");
    for other in &mut others {
        let took = format!("factory: keepalive, process {}, refreshed it, generation", first.id());
        other.until_stderr(&took);
        let said = other.until_stderr("health and metrics on ");
        let address = said.split("health and metrics on ").nth(1).unwrap().lines().next().unwrap();
        let health = get(address, "/healthz");
        assert_eq!((health.status, &health.json()["role"]), (200, &"standby".into()));
        assert_eq!(health.json()["leader_pid"], first.id());
        assert!(get(address, "/metrics").body.contains("manutop_leader 0\n"));
        assert!(!said.contains("factory: refreshed"), "only the leader refreshes: {said}");
    }
    // Nothing is out right after a refresh was reported.
    let generation = bench.servers.manu().stats().rotations + 1;
    first.until_stderr(&format!("factory: refreshed, generation {}", generation + 1));
    first.signal("KILL");
    assert_eq!(first.end().code, None, "killed");
    let rotations = bench.servers.manu().stats().rotations;
    bench.until_rotations(rotations + 1);
    let said: Vec<_> = others.into_iter().map(stop).collect();
    let leaders = said.iter().filter(|said| said.contains("leader: refreshing from now on")).count();
    assert!(leaders >= 1, "{said:?}");
    bench.assert_nothing_was_lost().await;
}

/// What the dead leader had sent is uncertain, and the next says so: nothing is repeated.
#[tokio::test]
async fn killed_with_an_answer_out_the_leader_leaves_a_lost_answer_that_its_follower_reports() {
    let bench = Bench::with_factory(SHORT).await;
    bench.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(30)));
    let (first, _) = bench.keepalive_on_a_port(&[]);
    let mut second = bench.keepalive(&["--log", "json"]);
    second.until_stderr("\"role\":\"standby\"");
    bench.until_rotations(1);
    first.signal("KILL");
    assert_eq!(first.end().code, None, "killed");
    second.until_stderr("\"role\":\"leader\"");
    let said = second.until_stderr("\"event\":\"refresh_failed\"");
    assert!(said.contains("answer lost: no readable answer came to the refresh at "), "{said}");
    stop(second);
    let stats = bench.servers.manu().stats();
    assert_eq!((stats.token_posts.refresh_token, stats.reuses_detected), (1, 0), "nothing is sent again at once");
}

/// A leader that is stopped hands over only after its save.
#[tokio::test]
async fn the_lock_is_released_after_unsaved_tokens_are_saved() {
    let bench = Bench::with_factory(SHORT).await;
    bench.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(1)));
    let (first, _) = bench.keepalive_on_a_port(&[]);
    let mut second = bench.keepalive(&[]);
    second.until_stderr("standby");
    bench.until_rotations(1);
    let said = stop(first);
    assert!(said.contains("factory: refreshed, generation 2"), "{said}");
    second.until_stderr("leader: refreshing");
    second.until_stderr("factory: refreshed, generation 3");
    stop(second);
    bench.assert_nothing_was_lost().await;
}
