//! Servers and proxies that repeat secrets, break off and paint: nothing secret gets anywhere, and
//! no escape sequence of theirs reaches the terminal.

use std::time::Duration;

use manutop::demo::{DemoFault, Reply};
use serde_json::json;

use super::machine::Machine;
use super::screen::row_says;
use super::writings;
use crate::support::pty::shows;

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn what_servers_repeat_or_paint_reaches_neither_screen_nor_log() {
    let mut machine = Machine::new(Duration::from_secs(3600));
    let client_secret = machine.add_manu("factory", super::machine::LOOPBACK);
    machine.set_secret("factory", &client_secret);
    machine.log_in("factory");
    let manu = machine.servers.manu().clone();
    let refresh_token = manu.newest_refresh_token("app-factory").unwrap();
    let repeated = json!({
        "error": "temporarily_unavailable",
        "error_description":
            format!("\u{1b}[2J\u{1b}]0;gotcha\u{7}no: client_secret={client_secret} refresh_token={}", refresh_token.expose()),
    });
    let mut terminal = machine.dashboard();
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));
    let forms = |secret: &str| writings::of(secret).join(" | ");
    for (generation, body) in [
        (2, repeated.to_string()),
        (3, format!("<html>you sent {} and {client_secret}</html>", refresh_token.expose())),
        (4, json!({ "error": "temporarily_unavailable", "error_description": forms(&client_secret) }).to_string()),
        (
            5,
            json!({ "error": client_secret.to_uppercase(), "error_description": forms(refresh_token.expose()) })
                .to_string(),
        ),
    ] {
        let posts = manu.stats().token_posts.total();
        manu.push_fault(DemoFault::Instead(Reply::Status { code: 503, body, retry_after: Some("0".into()) }));
        terminal.keys("R");
        // A key while an exchange is still being wound up would share that one's result.
        terminal.until("the refusal", |screen| {
            row_says(screen, "factory", "503") && !row_says(screen, "factory", "refreshing")
        });
        assert!(manu.stats().token_posts.total() > posts);
        terminal.keys("\t\t\r");
        terminal.until_text("Response headers");
        terminal.keys("\x1b");
        terminal.until("the table", |screen| !shows(screen, "Response headers"));
        terminal.keys("\tR");
        terminal.until_text(&format!("generation {generation} · saved and read back"));
    }
    for key in ["\r", "C", "?"] {
        terminal.keys(key);
        terminal.until("something opened", |screen| shows(screen, "close"));
        terminal.keys("\x1b");
        terminal.until("the table", |screen| shows(screen, "REFRESH TOKEN") && !shows(screen, "close"));
    }
    // The new refresh token is in an answer that breaks off: rescued or lost, but never shown.
    manu.push_fault(DemoFault::Truncated);
    terminal.keys("R");
    terminal.until("how it ended", |screen| {
        row_says(screen, "factory", "answer lost") || shows(screen, "generation 6 · saved")
    });
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let painted = terminal.everything();
    assert!(!painted.windows(4).any(|bytes| bytes == b"\x1b]0;"), "a server's escape sequence reached the terminal");
    machine.sweep(&mut [&mut terminal], 8);
}
