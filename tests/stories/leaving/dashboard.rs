//! The dashboard, left or stopped while an answer is on its way.

use std::time::Duration;

use portable_pty::CommandBuilder;

use super::bench::{Bench, LATER, is_stopped};
use crate::support::file_home::BINARY;
use crate::support::program::eventually;
use crate::support::pty::Terminal;

#[tokio::test]
async fn a_terminal_that_is_closed_costs_no_answer() {
    let bench = Bench::new().await;
    let mut command = CommandBuilder::new("sh");
    command.env_clear();
    for (name, value) in &bench.env {
        command.env(name, value);
    }
    // The shell goes with its window; the dashboard is its child.
    command.args(["-c", "\"$0\"; true", BINARY]);
    let mut shell = Terminal::start(command, (120, 32));
    shell.until_text("● live");
    bench.hold_back(Duration::from_secs(3));
    shell.keys("R");
    bench.until_rotations(1);
    drop(shell);
    eventually("the answer is saved", || bench.journal_state() == "settled");
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn after_q_a_resize_does_not_end_the_wait() {
    let bench = Bench::new().await;
    let mut terminal = bench.dashboard_refreshing(Duration::from_secs(4));
    terminal.keys("q");
    terminal.resize(100, 30);
    terminal.until_text("saving first: factory's answer is on its way; q again quits without saving");
    tokio::time::sleep(LATER).await;
    terminal.resize(120, 32);
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    bench.assert_newest_is_stored().await;
}

#[tokio::test]
async fn what_comes_with_a_signal_does_not_end_the_wait() {
    for signals in [["TERM", "HUP"], ["TERM", "CONT"], ["HUP", "HUP"], ["HUP", "CONT"], ["TERM", "WINCH"]] {
        let bench = Bench::new().await;
        let mut terminal = bench.dashboard_refreshing(Duration::from_secs(3));
        for signal in signals {
            terminal.signal(signal);
        }
        terminal.until_text("saving first: factory's answer is on its way; Ctrl-C again quits without saving");
        assert_eq!(terminal.ended(), 0, "{signals:?}");
        terminal.assert_given_back();
        bench.assert_newest_is_stored().await;
    }
}

#[tokio::test]
async fn a_key_that_repeats_itself_is_one_request_and_a_second_press_quits() {
    let bench = Bench::new().await;
    let mut terminal = bench.dashboard_refreshing(Duration::from_secs(30));
    terminal.keys("qqq");
    terminal.until_text("saving first: factory's answer");
    tokio::time::sleep(LATER).await;
    assert!(terminal.screen().alternate_screen(), "it still waits");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 7);
    terminal.assert_given_back();
    assert!(terminal.picture().contains("left although factory's answer is on its way"), "{}", terminal.picture());
    assert_eq!(bench.journal_state(), "spending");
}

#[tokio::test]
async fn a_second_signal_that_is_meant_leaves() {
    let bench = Bench::new().await;
    let mut terminal = bench.dashboard_refreshing(Duration::from_secs(30));
    terminal.signal("TERM");
    terminal.until_text("saving first");
    tokio::time::sleep(LATER).await;
    terminal.signal("TERM");
    assert_eq!(terminal.ended(), 7);
    assert!(terminal.picture().contains("left although factory's answer is on its way"), "{}", terminal.picture());
}

#[tokio::test]
async fn ctrl_z_stops_once_the_answer_is_saved() {
    for by_key in [true, false] {
        let bench = Bench::new().await;
        let mut terminal = bench.dashboard_refreshing(Duration::from_secs(3));
        if by_key {
            terminal.keys("\x1a");
        } else {
            terminal.signal("TSTP");
        }
        terminal.until_text("suspending once saved: factory's answer is on its way; Ctrl-Z again suspends now");
        assert!(!is_stopped(terminal.id()));
        eventually("it stops", || is_stopped(terminal.id()));
        assert_eq!(bench.journal_state(), "settled");
        bench.assert_newest_is_stored().await;
        terminal.signal("CONT");
        terminal.until_text("● live");
        terminal.keys("q");
        assert_eq!(terminal.ended(), 0);
    }
}

#[tokio::test]
async fn a_second_ctrl_z_that_is_meant_stops_at_once() {
    let bench = Bench::new().await;
    let mut terminal = bench.dashboard_refreshing(Duration::from_secs(6));
    terminal.keys("\x1a");
    terminal.until_text("suspending once saved");
    tokio::time::sleep(LATER).await;
    terminal.keys("\x1a");
    eventually("it stops", || is_stopped(terminal.id()));
    assert_eq!(bench.journal_state(), "spending");
    terminal.signal("CONT");
    eventually("the answer is saved", || bench.journal_state() == "settled");
    terminal.until_text("● live");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    bench.assert_newest_is_stored().await;
}
