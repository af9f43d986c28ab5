//! Logins that end otherwise than in a browser on this machine: pasted, denied, impossible, given up.

use std::net::TcpListener;
use std::time::Duration;

use super::machine::{FOREIGN, LOOPBACK, Machine, url_in};
use super::screen::row_says;
use super::web;
use crate::support::program::Program;
use crate::support::pty::shows;

/// A machine with one connection that has its client secret.
fn machine(name: &str, redirect_uri: &str) -> Machine {
    let mut machine = Machine::new(Duration::from_secs(600));
    let secret = machine.add_manu(name, redirect_uri);
    machine.set_secret(name, &secret);
    machine
}

/// The same answer under another `state`.
fn forged(answer: &str) -> String {
    let mut url = url::Url::parse(answer).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != "state").collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("state", "forged");
    url.into()
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_pasted_url_finishes_a_login_and_one_with_a_forged_state_is_refused() {
    let mut machine = machine("partner", FOREIGN);
    let mut terminal = machine.dashboard();
    terminal.until("it read", |screen| row_says(screen, "partner", "never logged in"));
    terminal.keys("l");
    let url = machine.browser_url();
    terminal.until("the login's whole URL", |screen| shows(screen, &url));
    let answer = machine.decide(&url, "allow");
    terminal.paste(&forged(&answer));
    terminal.keys("\r");
    terminal.until_text("`state` is not the one sent with this login");
    assert_eq!(machine.servers.manu().stats().token_posts.total(), 0);
    assert!(terminal.shows("Log in: partner"), "the login ended:\n{}", terminal.picture());
    terminal.paste(&answer);
    terminal.keys("\r");
    terminal.until_text("logged in, generation 1");
    terminal.until("it live", |screen| row_says(screen, "partner", "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    machine.sweep(&mut [&mut terminal], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_denied_login_is_explained_on_the_screen_and_in_the_browser() {
    let mut machine = machine("factory", LOOPBACK);
    let mut terminal = machine.dashboard();
    terminal.until("it read", |screen| row_says(screen, "factory", "never logged in"));
    terminal.keys("l");
    let url = machine.browser_url();
    let answer = machine.decide(&url, "deny");
    let page = web::get(&answer);
    assert!(page.contains("Not logged in") && page.contains("access_denied"), "{page}");
    terminal.until_text("Login failed: factory");
    terminal.until_text("access_denied");
    terminal.keys("\x1b");
    terminal.until("it as before", |screen| row_says(screen, "factory", "never logged in"));
    assert_eq!(machine.servers.manu().stats().token_posts.total(), 0);
    machine.sweep(&mut [&mut terminal], 1);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_taken_port_is_explained_and_the_login_works_once_it_is_free() {
    let other_program = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other_program.local_addr().unwrap().port();
    let mut machine = machine("factory", &format!("http://127.0.0.1:{port}/callback"));
    let mut terminal = machine.dashboard();
    terminal.until("it read", |screen| row_says(screen, "factory", "never logged in"));
    terminal.keys("l");
    terminal.until_text(&format!("port {port} of the redirect URI is taken"));
    drop(other_program);
    terminal.keys("l");
    let url = machine.browser_url();
    let answer = machine.decide(&url, "allow");
    assert!(web::get(&answer).contains("factory is connected to Manu Online"));
    terminal.until_text("logged in, generation 1");
    machine.sweep(&mut [&mut terminal], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn escape_gives_a_login_up_and_closes_its_port() {
    let mut machine = machine("factory", LOOPBACK);
    machine.env.insert("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22".into());
    let mut terminal = machine.dashboard();
    terminal.until("it read", |screen| row_says(screen, "factory", "never logged in"));
    terminal.keys("l");
    terminal.until_text("over SSH no browser is started");
    terminal.until_text("Waiting");
    let painted = terminal.screen().contents();
    let (_, rest) = painted.split_once("http://127.0.0.1:").and_then(|_| painted.split_once("at http://")).unwrap();
    let address = rest.split('/').next().unwrap();
    terminal.keys("\x1b");
    terminal.until_text("login cancelled");
    terminal.until("it as before", |screen| row_says(screen, "factory", "never logged in"));
    std::net::TcpStream::connect(address).expect_err("the port is closed");
    machine.sweep(&mut [&mut terminal], 1);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn without_a_dashboard_a_login_takes_the_redirect_or_a_pasted_url() {
    let mut machine = machine("partner", FOREIGN);
    // On the redirect.
    machine.add_logged_in("factory");
    // Pasted, the wrong one first.
    let mut login = Program::start(&mut machine.command(&["login", "partner", "--no-browser"]));
    let url = url_in(&login.until_stderr("Ctrl-C cancels"));
    let answer = machine.decide(&url, "allow");
    login.send(&format!("{}\n", forged(&answer)));
    login.until_stderr("`state` is not the one sent with this login");
    login.send(&format!("{answer}\n"));
    let ended = login.end().expect(0);
    assert_eq!(ended.stdout, "partner: logged in, generation 1\n");
    machine.keep(&ended);
    let listed = machine.run(&["list", "--json"]).expect(0).stdout;
    assert_eq!(listed.matches("\"status\": \"live\"").count(), 2, "{listed}");
    machine.sweep(&mut [], 9);
}
