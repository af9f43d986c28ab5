//! Manus: a token is minted, kept over a restart, and never minted while one is fresh.

use std::time::Duration;

use manutop::domain::Secret;

use super::machine::Machine;
use super::screen::row_says;

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_minted_token_is_kept_over_a_restart_and_a_wrong_secret_is_named() {
    let mut machine = Machine::new(Duration::from_secs(600));
    let secret = machine.add_manus("hr-sync");
    machine.configure("# A comment that must stay.");
    let mut terminal = machine.dashboard();
    terminal.until("no secret yet", |screen| row_says(screen, "hr-sync", "no client secret"));
    terminal.until_text("secret set hr-sync");
    machine.set_secret("hr-sync", &secret);
    terminal.keys("l");
    terminal.until("it live", |screen| row_says(screen, "hr-sync", "● live"));
    terminal.keys("t");
    terminal.until_text("the token works: 200");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);

    let wrong = machine.add_manus("payroll");
    machine.servers.manus().register_client("tm_payroll", &Secret::new("another secret altogether"));
    machine.set_secret("payroll", &wrong);
    let mut again = machine.dashboard();
    again.until("it live at once", |screen| row_says(screen, "hr-sync", "● live"));
    // First, or this news takes the place of the answer.
    again.until("the wrong secret named", |screen| row_says(screen, "payroll", "misconfigured"));
    again.keys("r");
    again.until_text("R forces");
    again.keys("q");
    assert_eq!(again.ended(), 0);
    assert_eq!(machine.servers.manus().stats().mints, 1);
    let written = std::fs::read_to_string(machine.config_file()).unwrap();
    assert!(written.starts_with("# A comment that must stay."), "the program changed the configuration");
    machine.sweep(&mut [&mut terminal, &mut again], 3);
}
