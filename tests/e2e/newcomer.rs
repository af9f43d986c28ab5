//! Somebody who has never seen the program: nothing is configured, and the first screen leads
//! through everything, on a small window that changes its size, with keys, pasted text and the mouse.

use std::time::Duration;

use manutop::demo::Fault;

use crate::chromium::Chromium;
use crate::house::{House, LOOPBACK};
use crate::pty::{Terminal, shows};
use crate::screen::row_says;

const TAB: &str = "\t";
const CTRL_S: &str = "\x13";

/// The row of the form that is typed into.
fn is_in(screen: &vt100::Screen, label: &str) -> bool {
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).any(|row| row.contains(&format!("▸ {label}")))
}

/// Goes to a row of the form and fills it in.
fn fill_in(terminal: &mut Terminal, label: &str, text: &str) {
    for _ in 0..20 {
        if is_in(terminal.screen(), label) {
            terminal.paste(text);
            return;
        }
        let before = terminal.picture();
        terminal.keys(TAB);
        terminal.until("the next row", |screen| screen.contents() != before);
    }
    panic!("there is no row {label}:\n{}", terminal.picture());
}

/// Clicks on a word of the screen.
fn click(terminal: &mut Terminal, word: &str) {
    terminal.until_text(word);
    let screen = terminal.screen();
    let (_, columns) = screen.size();
    let found = screen.rows(0, columns.get()).enumerate().find_map(|(y, row)| {
        let at = row.find(word)?;
        Some((row[..at].chars().count() + 1, y + 1))
    });
    let (x, y) = found.unwrap();
    terminal.keys(&format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"));
}

#[test]
#[ignore = "needs gnome-keyring and chromium; scripts/test runs it"]
fn from_the_first_screen_alone_to_a_copied_token_and_the_request_that_failed() {
    let mut house = House::new(Duration::from_secs(600));
    house.configure("");
    let rows = house.register_manu("factory", LOOPBACK);
    let mut terminal = house.dashboard_of((80, 24));
    terminal.until_text("New connection");
    for (label, text) in &rows {
        fill_in(&mut terminal, label, text);
        if *label == "Client ID" {
            terminal.resize(60, 15);
            terminal.until("the form on a small screen", |screen| is_in(screen, label));
        }
    }
    terminal.resize(120, 32);
    terminal.keys(CTRL_S);
    terminal.until("the new connection", |screen| row_says(screen, "factory", "never logged in"));

    let browser = Chromium::start();
    click(&mut terminal, "l login");
    let url = house.browser_url();
    terminal.until("the login's whole URL", |screen| shows(screen, &url));
    browser.open(&url);
    browser.click("#allow");
    browser.until_text("factory is connected to Manu Online");
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));

    terminal.keys("R");
    terminal.until_text("new tokens, generation 2 saved");
    terminal.keys("c");
    terminal.until_text("access token sent to the terminal");

    house.servers.manu().push_fault(Fault::status(503, "{}"));
    terminal.keys("R");
    terminal.until("the failure in its row", |screen| row_says(screen, "factory", "503"));
    terminal.keys("E");
    terminal.until_text("error");
    house.sweep(&mut [&mut terminal], 5);
}
