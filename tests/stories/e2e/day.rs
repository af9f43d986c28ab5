//! A person's first day with the dashboard, and the next morning.

use std::time::Duration;

use super::machine::{LOOPBACK, Machine};
use super::screen::{row_says, seconds_left};
use crate::support::chromium::Chromium;
use crate::support::pty::{Terminal, shows};

/// Logs the selected connection in, in the browser.
fn log_in(machine: &Machine, terminal: &mut Terminal, browser: &Chromium, name: &str) {
    terminal.keys("l");
    let url = machine.browser_url();
    terminal.until("the login's whole URL", |screen| shows(screen, &url));
    browser.open(&url);
    assert!(browser.until_text("Allow").contains(&format!("app-{name}")));
    browser.click("#allow");
    browser.until_text(&format!("{name} is connected to Manu Online"));
    terminal.until_text("logged in, generation 1");
}

#[test]
#[ignore = "needs gnome-keyring and chromium; scripts/test runs it"]
fn a_person_logs_in_watches_refreshes_quits_and_finds_every_token_the_next_day() {
    let mut machine = Machine::new(Duration::from_secs(600));
    let secret = machine.add_manu("factory", LOOPBACK);
    let mut terminal = machine.dashboard();
    terminal.until("what it lacks", |screen| row_says(screen, "factory", "no client secret"));
    terminal.until_text("secret set factory");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    machine.set_secret("factory", &secret);

    let browser = Chromium::start();
    let mut terminal = machine.dashboard();
    terminal.until("a connection without tokens", |screen| row_says(screen, "factory", "never logged in"));
    terminal.assert_taken();
    log_in(&machine, &mut terminal, &browser, "factory");
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));

    let before = seconds_left(terminal.screen(), "factory").unwrap();
    assert!((500..=600).contains(&before), "{before}");
    terminal
        .until("the countdown fall", |screen| seconds_left(screen, "factory").is_some_and(|left| left < before - 1));
    let posts = |machine: &Machine| machine.servers.manu().stats().token_posts;
    terminal.keys("r");
    terminal.until_text("R forces");
    assert_eq!((posts(&machine).authorization_code, posts(&machine).refresh_token), (1, 0));
    terminal.keys("R");
    terminal.until_text("refreshed, generation 2");
    assert_eq!((posts(&machine).refresh_token, machine.servers.manu().stats().rotations), (1, 1));
    terminal.keys("t");
    terminal.until_text("the token works: 200");
    assert_eq!(machine.servers.manu().stats().api_calls, 1);

    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();

    let kept = machine.keyring.lookup("factory/token").expect("an item that secret-tool finds");
    let newest = machine.servers.manu().newest_refresh_token("app-factory").unwrap();
    assert!(kept.contains(newest.expose()), "the keyring holds another refresh token");
    let mut morning = machine.dashboard();
    morning.until("the tokens of the day before", |screen| row_says(screen, "factory", "● live"));
    morning.until_text("generation 2 · saved and read back");
    assert!(morning.shows("POST"), "the request log is gone:\n{}", morning.picture());
    morning.keys("q");
    assert_eq!(morning.ended(), 0);
    assert_eq!((posts(&machine).total(), machine.servers.manu().stats().consents_shown), (2, 1));
    machine.sweep(&mut [&mut terminal, &mut morning], 7);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn five_rotations_pass_by_themselves_and_no_old_refresh_token_is_ever_sent() {
    let mut machine = Machine::new(Duration::from_secs(6));
    machine.add_logged_in("factory");
    let mut terminal = machine.dashboard();
    for generation in 2..=6 {
        let saved = format!("generation {generation} · saved and read back");
        terminal.until(&saved, |screen| shows(screen, &saved));
    }
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let stats = machine.servers.manu().stats();
    assert!(stats.rotations >= 5, "{stats:?}");
    assert_eq!((stats.reuses_detected, stats.families_revoked), (0, 0));
    let newest = machine.servers.manu().newest_refresh_token("app-factory").unwrap();
    assert!(machine.keyring.lookup("factory/token").unwrap().contains(newest.expose()));
    machine.sweep(&mut [&mut terminal], 14);
}
