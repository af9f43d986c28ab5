//! The sweep that ends every story does find what it looks for.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::machine::Machine;
use super::writings;

/// A machine in which one secret is known.
fn machine() -> (Machine, String) {
    let mut machine = Machine::new(Duration::from_secs(600));
    let secret = machine.add_manus("hr-sync");
    (machine, secret)
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
#[should_panic(expected = "a secret is readable in /")]
fn a_part_of_a_secret_in_a_file_is_found() {
    let (mut machine, secret) = machine();
    std::fs::write(machine.keyring.home().join("notes"), format!("it begins with {}", &secret[..20])).unwrap();
    machine.sweep(&mut [], 1);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_part_of_a_secret_is_found_however_it_is_written() {
    let (mut machine, secret) = machine();
    let notes = machine.keyring.home().join("notes");
    for written in writings::of(&secret[..30]) {
        std::fs::write(&notes, format!("it begins with {written}")).unwrap();
        let sweep = panic::catch_unwind(AssertUnwindSafe(|| machine.sweep(&mut [], 1)));
        assert!(sweep.is_err(), "{written} was not found");
    }
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
#[should_panic(expected = "a secret is readable in a screen")]
fn a_secret_that_was_on_a_screen_in_two_pieces_and_is_gone_is_found() {
    let (mut machine, secret) = machine();
    let (head, tail) = secret.split_at(30);
    let script = format!("printf '{head}\\033[1m{tail}'; printf '\\033[2J\\033[Hgone'; sleep 30");
    let mut terminal = machine.in_terminal("sh", &["-c", &script], (120, 32));
    terminal.until_text("gone");
    machine.sweep(&mut [&mut terminal], 1);
}
