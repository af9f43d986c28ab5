//! A dashboard, `list --watch` and `refresh` beside a keepalive service: they see it, take over what it
//! refreshes, and say who did it.

use std::time::Duration;

use manutop::demo::DemoFault;

use super::bench::{Bench, stop};
use crate::support::program::{Program, eventually};
use crate::support::pty::Terminal;

fn dashboard(bench: &Bench, size: (u16, u16)) -> Terminal {
    Terminal::start(bench.command_in_terminal(&[]), size)
}

#[tokio::test]
async fn a_dashboard_sees_the_keepalive_lets_it_refresh_and_says_who_did() {
    // Half of it is the lead, and a quarter how much later a dashboard begins what was left undone:
    // longer than it takes to notice what another process did.
    let bench = Bench::with_factory(Duration::from_secs(30)).await;
    let (mut keepalive, _) = bench.keepalive_on_a_port(&[]);
    let pid = keepalive.id();
    let mut wide = dashboard(&bench, (120, 32));
    let mut small = dashboard(&bench, (60, 15));
    wide.until_text(&format!("keepalive {pid}, auto on"));
    small.until_text("keepalive");
    keepalive.until_stderr("factory: refreshed, generation 2");
    let reported = format!("keepalive, process {pid}, refreshed it, generation 2 taken over");
    wide.until_text(&reported);
    // Where there is less room, the end is cut.
    small.until_text(&reported[..40]);
    let rotations = bench.servers.manu().stats().rotations;
    assert_eq!(rotations, 1, "the dashboards let the keepalive service do it");
    stop(keepalive);
    wide.until_text("keepalive has ended; this dashboard refreshes alone");
    wide.until("its place in the header is given back", |screen| {
        !screen.rows(0, 120).next().unwrap().contains("keepalive")
    });
    bench.until_rotations(2);
    for terminal in [&mut wide, &mut small] {
        terminal.keys("q");
        assert_eq!(terminal.ended(), 0);
    }
    bench.assert_nothing_was_lost().await;
    let seen = String::from_utf8_lossy(&wide.everything()).into_owned();
    bench.sweep(&[&seen], 5);
}

#[tokio::test]
async fn commands_name_the_keepalive_whose_tokens_they_take_over() {
    let bench = Bench::with_factory(Duration::from_secs(20)).await;
    let watch = Program::start(&mut bench.command(&["list", "--watch"]));
    eventually("it watches", || watch.stdout().contains("factory: live"));
    let watch_json = Program::start(&mut bench.command(&["list", "--watch", "--json"]));
    eventually("it watches", || watch_json.stdout().contains("\"name\":\"factory\""));
    bench.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_secs(3)));
    let mut keepalive = bench.keepalive(&[]);
    let pid = keepalive.id();
    eventually("the refresh is out", || bench.servers.manu().stats().token_posts.refresh_token == 1);
    // It waits for the keepalive service's answer, and shares it.
    let mut refresh = Program::start(&mut bench.command(&["refresh", "factory", "--force"]));
    refresh.until_stderr(&format!("factory: waiting for process {pid}"));
    let said = refresh.end().expect(0).stdout;
    assert_eq!(said, format!("factory: keepalive, process {pid}, refreshed it, generation 2\n"));
    keepalive.until_stderr("factory: refreshed, generation 2");
    eventually("the watcher names it", || {
        watch.stdout().contains(&format!("new tokens, generation 2 by keepalive, process {pid}, "))
    });
    let by = format!("\"by\":{{\"program\":\"keepalive\",\"pid\":{pid}}}");
    eventually("in JSON too", || watch_json.stdout().contains(&by));
    for watch in [watch, watch_json] {
        watch.signal("TERM");
        watch.end().expect(0);
    }
    stop(keepalive);
}
