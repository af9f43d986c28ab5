//! The whole program in a pseudo-terminal: what it keeps of its view, and how it follows the terminal's colours.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use portable_pty::CommandBuilder;

use crate::support::file_home::{BINARY, FileHome};
use crate::support::pty::Terminal;

const CONFIGURATION: &str = r#"
store = "file"
columns = ["name", "status", "why"]

[[connections]]
name = "factory"
provider = "manu"
client_id = "id"
redirect_uri = "http://127.0.0.1:8400/callback"

[[connections]]
name = "hr-sync"
provider = "manus"
client_id = "tm_1"

[colors]
selection = 237
"#;

fn open(home: &FileHome) -> Terminal {
    let mut terminal = Terminal::start(home.command_in_terminal(&[]), (120, 32));
    terminal.until_text("hr-sync");
    terminal
}

fn close(mut terminal: Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0, "{}", terminal.picture());
    terminal.assert_given_back();
}

#[test]
fn the_next_run_shows_the_view_of_the_last_and_a_damaged_file_only_costs_a_note() {
    let mut home = FileHome::new(CONFIGURATION);
    // Asks the terminal nothing, so that no early key is lost to the question.
    home.env.insert("MANUTOP_THEME", "dark".into());
    let mut terminal = open(&home);
    terminal.until_text("WHY");
    terminal.keys("Gb");
    terminal.until_text("★");
    terminal.keys("p");
    terminal.until_text("▾ Manus");
    close(terminal);
    let file = home.data_dir().join("view.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();

    let mut terminal = open(&home);
    terminal.until_text("▾ Manus");
    terminal.until_text("★");
    close(terminal);
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing was changed");

    fs::write(&file, &text[..text.len() / 2]).unwrap();
    let mut terminal = open(&home);
    terminal.until_text("view.json in the data directory is damaged");
    assert!(!terminal.shows("▾ Manus") && !terminal.shows("★"));
    close(terminal);
}

#[cfg(target_os = "linux")]
#[test]
fn the_colours_follow_the_terminal_and_the_mode_is_off_at_the_end() {
    use vt100::Color;

    let mut command = CommandBuilder::new(BINARY);
    command.env_clear();
    for (name, value) in [("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("MANUTOP_THEME", "auto")] {
        command.env(name, value);
    }
    command.arg("demo");
    let mut terminal = Terminal::start(command, (120, 32));
    terminal.until_text("misconfigured");
    let has = |screen: &vt100::Screen, color: Color| {
        (0..120).any(|column| (0..32).any(|row| screen.cell(row, column).is_some_and(|cell| cell.fgcolor() == color)))
    };
    // The accents of light and dark.
    terminal.keys("\x1b[?997;2n");
    terminal.until("light", |screen| has(screen, Color::Idx(25)));
    terminal.keys("\x1b[?997;1n");
    terminal.until("dark", |screen| has(screen, Color::Idx(81)) && !has(screen, Color::Idx(25)));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    let all = String::from_utf8_lossy(&terminal.everything()).into_owned();
    let (_, after) = all.rsplit_once("\x1b[?2031h").expect("it was switched on");
    assert!(after.contains("\x1b[?2031l"));
}
