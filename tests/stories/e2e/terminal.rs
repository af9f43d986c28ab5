//! The terminal belongs to the person: whatever ends or stops the dashboard gives it back.

use std::process::Command;
use std::time::{Duration, Instant};

use manutop::demo::DemoFault;

use super::machine::{Machine, PROGRAM};
use super::screen::{click, form_row, row_says};
use crate::support::pty::{Terminal, shows};

fn machine() -> Machine {
    let mut machine = Machine::new(Duration::from_secs(600));
    machine.add_logged_in("factory");
    machine
}

fn open(machine: &Machine) -> Terminal {
    let mut terminal = machine.dashboard();
    terminal.until("it live", |screen| row_says(screen, "factory", "● live"));
    terminal.assert_taken();
    terminal
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn the_terminal_is_restored_after_every_way_to_quit() {
    let mut machine = machine();
    for way in ["q", "\x03"] {
        let mut terminal = open(&machine);
        terminal.keys(way);
        assert_eq!(terminal.ended(), 0);
        terminal.assert_given_back();
        machine.sweep(&mut [&mut terminal], 5);
    }
    for signal in ["TERM", "HUP", "INT"] {
        let mut terminal = open(&machine);
        terminal.signal(signal);
        assert_eq!(terminal.ended(), 0, "SIG{signal}");
        terminal.assert_given_back();
        machine.sweep(&mut [&mut terminal], 5);
    }
}

/// Whether the shell has the terminal and waits for a command: what is typed before, it drops.
fn waits_in_shell(screen: &vt100::Screen) -> bool {
    let (line, _) = screen.cursor_position();
    let (_, columns) = screen.size();
    let prompt = screen.rows(0, columns.get()).nth(line.into());
    !screen.alternate_screen() && prompt.is_some_and(|prompt| prompt.trim_end() == "shell>")
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_shell_gets_the_terminal_on_suspending_and_fg_redraws_the_dashboard() {
    let mut machine = machine();
    machine.env.insert("PS1", "shell> ".into());
    let mut shell = machine.in_terminal("bash", &["--noprofile", "--norc", "-i"], (120, 32));
    shell.until_text("shell>");
    shell.keys(&format!("'{PROGRAM}'\r"));
    shell.until("it live", |screen| row_says(screen, "factory", "● live"));
    shell.assert_taken();
    shell.keys("\x1a");
    shell.until("the shell", |screen| waits_in_shell(screen) && shows(screen, "Stopped"));
    assert!(!shell.screen().hide_cursor());
    shell.keys("echo the shell $((40+2)) answers\r");
    shell.until("an answer", |screen| waits_in_shell(screen) && shows(screen, "the shell 42 answers"));
    shell.keys("fg\r");
    shell.until("the dashboard again", |screen| {
        screen.alternate_screen() && shows(screen, "Connections") && row_says(screen, "factory", "● live")
    });
    shell.assert_taken();
    shell.keys("q");
    shell.until("the shell again", |screen| waits_in_shell(screen) && !screen.hide_cursor());
    shell.keys("echo ended with $?\r");
    shell.until_text("ended with 0");
    machine.sweep(&mut [&mut shell], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_dashboard_whose_window_is_closed_ends_also_while_it_is_stopped() {
    let mut machine = machine();
    machine.env.insert("PS1", "shell> ".into());
    for stop_first in [false, true] {
        let mut shell = machine.in_terminal("bash", &["--noprofile", "--norc", "-i"], (120, 32));
        shell.until_text("shell>");
        shell.keys(&format!("'{PROGRAM}' & echo $! > pid; fg\r"));
        shell.until("it live", |screen| row_says(screen, "factory", "● live"));
        if stop_first {
            shell.keys("\x1a");
            shell.until("the shell", |screen| waits_in_shell(screen) && shows(screen, "Stopped"));
        }
        let pid = std::fs::read_to_string(machine.dir().join("pid")).unwrap();
        machine.sweep(&mut [&mut shell], 5);
        drop(shell);
        let deadline = Instant::now() + Duration::from_secs(20);
        let runs = || Command::new("sh").args(["-c", "kill -0 $0 2>/dev/null", pid.trim()]).status().unwrap().success();
        while runs() && !is_zombie(pid.trim()) {
            assert!(Instant::now() < deadline, "it continues without a terminal (stopped first: {stop_first})");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_window_closed_while_an_answer_is_on_its_way_costs_no_token() {
    let mut machine = machine();
    let mut shell =
        machine.in_terminal("bash", &["--noprofile", "--norc", "-c", &format!("'{PROGRAM}'; true")], (120, 32));
    shell.until("it live", |screen| row_says(screen, "factory", "● live"));
    let manu = machine.servers.manu().clone();
    manu.push_fault(DemoFault::DelayAfter(Duration::from_secs(2)));
    shell.keys("R");
    let deadline = Instant::now() + Duration::from_secs(20);
    while manu.stats().rotations == 0 {
        assert!(Instant::now() < deadline, "nothing was sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(shell);
    // Another process waits for the lock, and finds the new tokens saved.
    let listed = machine.run(&["refresh", "factory"]);
    assert_eq!((listed.code, manu.stats().token_posts.refresh_token), (Some(0), 1), "{}", listed.stderr);
    let newest = manu.newest_refresh_token("app-factory").unwrap();
    assert!(machine.keyring.lookup("factory/token").unwrap().contains(newest.expose()));
}

/// Whether a process has ended and only waits for its parent to notice.
fn is_zombie(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn every_size_down_to_60x15_shows_name_status_and_time_left_and_below_that_it_says_so() {
    let mut machine = machine();
    let mut terminal = open(&machine);
    for (columns, rows) in [(60, 15), (200, 60), (80, 24), (60, 15)] {
        terminal.resize(columns, rows);
        terminal.until(&format!("it whole at {columns}x{rows}"), |screen| {
            let lines: Vec<String> = screen.rows(0, columns).collect();
            let keys_below = lines.last().is_some_and(|line| line.contains("q quit"));
            let left = super::screen::seconds_left(screen, "factory");
            keys_below && left.is_some() && row_says(screen, "factory", "● live")
        });
    }
    terminal.resize(59, 14);
    terminal.until_text("manutop needs 60x15");
    terminal.resize(120, 32);
    terminal.until("it whole again", |screen| row_says(screen, "factory", "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    machine.sweep(&mut [&mut terminal], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn of_a_key_and_a_new_size_that_come_at_once_neither_is_lost() {
    let machine = machine();
    let mut terminal = open(&machine);
    for _ in 0..20 {
        terminal.resize(60, 15);
        terminal.keys("n");
        terminal.until("the form", |screen| form_row(screen).as_deref() == Some("Provider"));
        terminal.resize(120, 32);
        terminal.keys("\t");
        terminal.until("the next row", |screen| form_row(screen).as_deref() == Some("Name"));
        // Where the footer is depends on the size.
        terminal.until("the footer at the new size", |screen| {
            screen.rows(0, 120).last().is_some_and(|row| row.contains("Esc cancel"))
        });
        click(&mut terminal, "Esc cancel");
        terminal.until("the dashboard", |screen| row_says(screen, "factory", "● live"));
    }
}
