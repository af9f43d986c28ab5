//! A person who has never seen the program: nothing is configured, and the first screen leads
//! through everything, on a small window that changes its size, with keys, pasted text and the mouse.

use std::time::Duration;

use manutop::demo::DemoFault;

use super::machine::{LOOPBACK, Machine};
use super::screen::{click, form_row, row_says};
use crate::support::chromium::Chromium;
use crate::support::pty::{Terminal, shows};

const TAB: &str = "\t";
const CTRL_S: &str = "\x13";
const CTRL_U: &str = "\x15";

/// Goes to a row of the form and fills it in.
fn fill_in(terminal: &mut Terminal, label: &str, text: &str) {
    for _ in 0..20 {
        let here = form_row(terminal.screen());
        if here.as_deref() == Some(label) {
            // A likely redirect URI is there already.
            terminal.keys(CTRL_U);
            terminal.paste(text);
            return;
        }
        let is_folded = here.as_deref() == Some("Advanced") && shows(terminal.screen(), "Advanced ▸");
        terminal.keys(if is_folded { "\r" } else { TAB });
        // Not any change of the screen will do: the clock changes it too.
        terminal.until("the next row", |screen| form_row(screen).is_some_and(|now| Some(now) != here));
    }
    panic!("there is no row {label}:\n{}", terminal.picture());
}

#[test]
#[ignore = "needs gnome-keyring and chromium; scripts/test runs it"]
fn from_the_first_screen_alone_to_a_copied_token_and_the_request_that_failed() {
    let mut machine = Machine::new(Duration::from_secs(600));
    machine.configure("");
    let rows = machine.register_manu("factory", LOOPBACK);
    let mut terminal = machine.dashboard_of((80, 24));
    terminal.until_text("add a connection");
    terminal.keys("n");
    terminal.until_text("New connection");
    for (label, text) in &rows {
        fill_in(&mut terminal, label, text);
        if *label == "Client ID" {
            terminal.resize(60, 15);
            terminal.until("the form on a small screen", |screen| form_row(screen).as_deref() == Some(*label));
        }
    }
    terminal.resize(120, 32);
    terminal.keys(CTRL_S);
    terminal.until("the new connection", |screen| row_says(screen, "factory", "never logged in"));

    let browser = Chromium::start();
    click(&mut terminal, "l login");
    terminal.until_text("Log in: factory");
    let page = machine.browser_page();
    let url = super::web::target(&page);
    terminal.until("the login's whole URL", |screen| shows(screen, &url));
    browser.open(&page);
    browser.click("#allow");
    browser.until_text("factory is connected to Manu Online");
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));

    terminal.keys("R");
    terminal.until_text("refreshed, generation 2");
    terminal.keys("c");
    terminal.until_text("access token sent to the terminal");

    machine.servers.manu().push_fault(DemoFault::status(503, r#"{"error":"server_error"}"#));
    terminal.keys("R");
    terminal.until("the failure in its row", |screen| row_says(screen, "factory", "503"));
    find_the_failure(&mut terminal);

    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    assert_eq!(machine.servers.manu().stats().reuses_detected, 0);
    machine.sweep(&mut [&mut terminal], 7);
}

/// To the log, the errors alone, the one there is, and back.
fn find_the_failure(terminal: &mut Terminal) {
    terminal.keys(TAB);
    terminal.keys(TAB);
    terminal.until_text("E errors");
    terminal.keys("E");
    terminal.until_text("errors only");
    terminal.until_text("1 shown");
    terminal.keys("\r");
    terminal.until_text("Request 1 of 1");
    terminal.until("what happened", |screen| shows(screen, "result ▲ 503") && shows(screen, "connection factory"));
    terminal.keys("\x1b");
    terminal.until("the dashboard again", |screen| row_says(screen, "factory", "● live"));
}
