//! What makes the dashboard comfortable: keys of one's own, themes, frames without flicker.

use std::path::Path;
use std::process::{Command, Output};

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::config;
use manutop::dashboard::keymap::Keymap;
use manutop::dashboard_loop::appearance::keymap;
use manutop::oauth::providers;
use portable_pty::CommandBuilder;

use crate::support::pty::Terminal;
use crate::support::rig::Rig;
use crate::support::stage::{Person, Stage};

const PROGRAM: &str = env!("CARGO_BIN_EXE_manutop");

const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// The keymap of a configuration.
fn keymap_of(text: &str) -> Result<Keymap, String> {
    let file = Path::new("c.toml");
    let config = config::parse(text, file, providers::ALL).map_err(|error| error.to_string())?;
    keymap(&config.keys, &config.commands, file).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_rebound_key_refreshes_and_the_footer_says_so() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut stage = Stage::new();
    stage.options.keymap =
        keymap_of("[keys.connection]\nforce_refresh = [\"F5\"]\nrefresh = []\n").expect("it is right");
    let act = async |person: Person| {
        let press = |code| person.press_code(code, KeyModifiers::NONE);
        person.sees("● live").await;
        let footer = person.screen.text().lines().last().unwrap_or_default().to_owned();
        assert!(footer.contains("F5 force") && !footer.contains("refresh"), "{footer}");
        // The keys it had before do nothing; the help shows that they were taken in.
        person.press("Rr?");
        person.sees("F5 *").await;
        assert_eq!(rig.refresh_posts(), 0);
        press(KeyCode::Esc);
        press(KeyCode::F(5));
        person.sees("generation 2").await;
        assert_eq!(rig.refresh_posts(), 1);
        person.press("q");
    };
    stage.play_with(&rig, rig.start(false), act).await;
}

#[test]
fn what_is_wrong_with_keys_is_reported_all_at_once_in_the_order_of_the_file() {
    let reported = keymap_of(
        "[keys.main]\nfilter = [\"Ctrl-C\"]\nquit = [\"j\"]\n\n[keys.conection]\nrefresh = [\"x\"]\n\n\
         [keys.confirm]\naccept = []\ncancel = [\"Entr\"]\n",
    );
    assert_eq!(
        reported.expect_err("it is wrong"),
        "c.toml:2:11: keys.main.filter: Ctrl-C is keys.always.quit already, which works at the same time; give one of them another key\n\
         c.toml:3:9: keys.main.quit: j is keys.main.down already, which works at the same time; give one of them another key\n\
         c.toml:5:7: keys: this is no place where keys work; did you mean connection?\n\
         c.toml:9:1: keys.confirm.accept: needs a key: there would be no way to answer\n\
         c.toml:10:11: keys.confirm.cancel: is no key; did you mean enter?"
    );
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("HOME", home).env("LANG", "C.UTF-8");
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    command.arg("--config").arg(home.join("config.toml")).arg("--data-dir").arg(home.join("data")).args(arguments);
    command.output().expect("the binary runs")
}

#[test]
fn start_and_doctor_report_a_faulty_key_and_other_commands_continue() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("config.toml"), "[keys.main]\nfilter = [\"Ctrl-M\"]\n").expect("written");
    let wanted = "config.toml:2:11: keys.main.filter: is Enter to a terminal; write Enter";
    for (arguments, code) in [(&[][..], 2), (&["doctor"], 1)] {
        let output = run(home.path(), arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    }
    assert!(run(home.path(), &["list", "--json"]).status.success());
}

/// The demo in a terminal of 256 colours.
fn demo(theme: &str, size: (u16, u16)) -> Terminal {
    let mut command = CommandBuilder::new(PROGRAM);
    command.env_clear();
    for (name, value) in [("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("MANUTOP_THEME", theme)] {
        command.env(name, value);
    }
    command.arg("demo");
    Terminal::start(command, size)
}

/// What the program wrote while the dashboard was up.
fn written(terminal: &mut Terminal) -> String {
    let all = String::from_utf8_lossy(&terminal.everything()).into_owned();
    let (_, after) = all.split_once("\x1b[?1049h").expect("the terminal was taken over");
    let (within, _) = after.rsplit_once("\x1b[?1049l").expect("the terminal was given back");
    within.to_owned()
}

#[test]
fn every_frame_is_bracketed_and_fifty_new_sizes_lead_to_a_right_screen() {
    let mut terminal = demo("16", (120, 32));
    terminal.until_text("misconfigured");
    for step in 0..50 {
        terminal.resize(60 + step * 2, 15 + step / 2);
    }
    terminal.resize(80, 24);
    terminal.until("a whole screen of the last size", |screen| {
        let rows: Vec<String> = screen.rows(0, 80).collect();
        let wide = |row: &&String| row.chars().count() == 80;
        let framed = |row: &&String| row.starts_with(['│', '┌', '└']) && row.ends_with(['│', '┐', '┘']);
        rows.len() == 24
            && rows[0].starts_with(" manutop demo")
            && rows[1..22].iter().filter(framed).filter(wide).count() == 21
            && rows[23].contains("q quit")
    });
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let written = written(&mut terminal);
    let mut frames = 0;
    for part in written.split(BEGIN).skip(1) {
        let (frame, after) = part.split_once(END).expect("what was begun is ended");
        frames += usize::from(frame.contains('│'));
        assert!(!after.contains(['│', '─', '●']), "drawn outside a frame: {after:?}");
    }
    assert!(frames > 1, "{frames}");
}

#[test]
fn auto_asks_the_terminal_and_looks_as_it_answers() {
    // The answer counts only if it comes within a moment, which a busy machine may need itself.
    let looks_light = || {
        let mut terminal = demo("auto", (80, 24));
        terminal.until("the first frame", |screen| screen.contents().contains("manutop demo"));
        terminal.keys("\x1b]10;rgb:0000/0000/0000\x07\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62c");
        terminal.until_text("misconfigured");
        let color = terminal.screen().cell(0, 1).expect("a cell").fgcolor();
        terminal.keys("q");
        assert_eq!(terminal.ended(), 0);
        color == vt100::Color::Idx(25)
    };
    assert!((0..20).any(|_| looks_light()));
}

#[test]
fn an_answer_that_comes_late_presses_no_key() {
    let mut terminal = demo("auto", (120, 32));
    // By now it does not wait for an answer any more.
    terminal.until_text("misconfigured");
    assert_eq!(terminal.screen().cell(0, 1).expect("a cell").fgcolor(), vt100::Color::Idx(6));
    terminal.keys("\x1b]10;rgb:cccc/cccc/cccc\x07\x1b]11;rgb:ffff/ffff/aaaa\x1b\\\x1b[?62c?");
    terminal.until_text("Selected connection");
    terminal.keys("q");
    terminal.until_text("q quit");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let all = String::from_utf8_lossy(&terminal.everything()).into_owned();
    for sign in ["copied", "sent to the terminal", "automatic refresh off", "generation 42"] {
        assert!(!all.contains(sign), "{sign}");
    }
}

#[test]
fn no_colour_is_written_where_none_is_wanted() {
    for (theme, no_color) in [("none", ""), ("dark", "1")] {
        let mut command = CommandBuilder::new(PROGRAM);
        command.env_clear();
        for (name, value) in [("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("NO_COLOR", no_color)] {
            command.env(name, value);
        }
        command.args(["--theme", theme, "demo"]);
        let mut terminal = Terminal::start(command, (80, 24));
        terminal.until_text("misconfigured");
        terminal.keys("q");
        assert_eq!(terminal.ended(), 0);
        let written = written(&mut terminal);
        assert!(!written.contains("38;5;") && !written.contains("48;5;"), "{theme} {no_color}");
    }
}

#[tokio::test]
async fn keys_of_a_configuration_that_is_edited_take_effect_and_faulty_ones_do_not() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let file = rig.dir.path().join("config.toml");
    let connections = rig.configuration();
    let stage = Stage { config_file: Some(file.clone()), ..Stage::new() };
    std::fs::write(&file, &connections).expect("written");
    let act = async |person: Person| {
        person.sees("● live").await;
        std::fs::write(&file, format!("{connections}\n[keys.connection]\nrefresh = [\"X\"]\n")).expect("written");
        person.sees("X refresh").await;
        std::fs::write(&file, format!("{connections}\n[keys.connection]\nrefresh = [\"R\"]\n")).expect("written");
        person.sees("keys.connection.refresh: R is keys.connection.force_refresh already").await;
        person.sees("X refresh").await;
        person.press("q");
    };
    stage.play(&rig, act).await;
}
