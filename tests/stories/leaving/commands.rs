//! Commands that are stopped while an answer is on its way.

use std::time::Duration;

use super::bench::{Bench, LATER, is_stopped};
use crate::support::program::eventually;

#[tokio::test]
async fn what_comes_with_the_first_signal_does_not_end_the_wait() {
    for signals in
        [["TERM", "HUP"], ["TERM", "CONT"], ["HUP", "HUP"], ["HUP", "CONT"], ["INT", "INT"], ["TERM", "TERM"]]
    {
        let bench = Bench::new().await;
        let mut refresh = bench.refreshing(Duration::from_secs(3));
        for signal in signals {
            refresh.signal(signal);
        }
        refresh.until_stderr("stopping; waiting");
        let ended = refresh.end().expect(0);
        assert_eq!(ended.stdout, "factory: refreshed, generation 42\n", "{signals:?}");
        bench.assert_newest_is_stored().await;
    }
}

#[tokio::test]
async fn neither_a_later_hang_up_nor_a_resize_ends_the_wait() {
    let bench = Bench::new().await;
    let mut refresh = bench.refreshing(Duration::from_secs(4));
    refresh.signal("HUP");
    refresh.until_stderr("stopping; waiting");
    tokio::time::sleep(LATER).await;
    for signal in ["HUP", "WINCH", "CONT"] {
        refresh.signal(signal);
    }
    assert_eq!(refresh.end().expect(0).stdout, "factory: refreshed, generation 42\n");
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn a_second_signal_that_is_meant_ends_a_command_and_says_what_that_endangers() {
    for (first, second) in [("TERM", "TERM"), ("HUP", "TERM"), ("TERM", "INT")] {
        let bench = Bench::new().await;
        let mut refresh = bench.refreshing(Duration::from_secs(30));
        refresh.signal(first);
        refresh.until_stderr("stopping; waiting");
        tokio::time::sleep(LATER).await;
        refresh.signal(second);
        let said = refresh.end().expect(7).stderr;
        assert!(said.contains("left although factory's answer is on its way; a new refresh token in it"), "{said}");
        assert_eq!(bench.journal_state(), "spending", "the next start shows it");
    }
}

#[tokio::test]
async fn ctrl_z_waits_until_the_answer_is_saved() {
    let bench = Bench::new().await;
    let mut refresh = bench.refreshing(Duration::from_secs(2));
    refresh.signal("TSTP");
    refresh.until_stderr("suspending once saved: factory's answer is on its way; Ctrl-Z again suspends now");
    eventually("it stops, or has ended", || is_stopped(refresh.id()) || bench.journal_state() == "settled");
    assert_eq!(bench.journal_state(), "settled");
    refresh.signal("CONT");
    assert_eq!(refresh.end().expect(0).stdout, "factory: refreshed, generation 42\n");
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn a_second_ctrl_z_that_is_meant_stops_at_once() {
    let bench = Bench::new().await;
    let mut refresh = bench.refreshing(Duration::from_secs(6));
    refresh.signal("TSTP");
    refresh.until_stderr("suspending once saved");
    refresh.signal("TSTP");
    tokio::time::sleep(LATER).await;
    assert!(!is_stopped(refresh.id()), "two at once are one");
    refresh.signal("TSTP");
    eventually("it stops", || is_stopped(refresh.id()));
    assert_eq!(bench.journal_state(), "spending");
    refresh.signal("CONT");
    assert_eq!(refresh.end().expect(0).stdout, "factory: refreshed, generation 42\n");
    bench.assert_newest_is_stored().await;
}
