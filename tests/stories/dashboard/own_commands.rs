//! Commands of the configuration on keys: real programs, run by the real loop for the selected connection.

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::config;
use manutop::dashboard_loop::appearance::keymap;
use manutop::oauth::providers::ALL;

use portable_pty::CommandBuilder;

use crate::support::pty::{Terminal, shows};
use crate::support::rig::Rig;
use crate::support::stage::{FakeHost, Person, Stage};

async fn rig_with_factory() -> Rig {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig
}

/// A command on `F5` that runs a shell script; `$1` is the connection.
fn command(script: &str, lines: &str) -> String {
    let script = script.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "[[commands]]\nkey = \"F5\"\nname = \"mine\"\nargv = [\"sh\", \"-c\", \"{script}\", \"sh\", \"{{connection}}\"]\n{lines}\n"
    )
}

fn stage_with(commands: &str, host: FakeHost) -> Stage {
    let config = config::parse(commands, Path::new("c.toml"), ALL).expect("a good configuration");
    let mut stage = Stage::with_host(host);
    stage.options.keymap = keymap(&[], &config.commands, Path::new("c.toml")).expect("a free key");
    stage
}

fn press_f5(person: &Person) {
    person.press_code(KeyCode::F(5), KeyModifiers::NONE);
}

#[tokio::test]
async fn a_command_runs_beside_the_dashboard_and_its_last_line_is_shown_without_escapes() {
    let rig = rig_with_factory().await;
    let commands = command("echo started; printf 'orders of \\033[2J%s\\n' \"$1\"", "");
    stage_with(&commands, FakeHost::default())
        .play(&rig, async |person| {
            person.sees("● live").await;
            person.sees("F5 mine").await;
            press_f5(&person);
            person.sees("mine: orders of \u{fffd}[2Jfactory").await;
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn one_that_fails_or_takes_too_long_says_so_and_the_keys_still_work() {
    let rig = rig_with_factory().await;
    let commands = command("echo no such order >&2; exit 3", "")
        + &command("sleep 1000", "timeout_seconds = 1").replace("F5", "F6").replace("mine", "slow");
    stage_with(&commands, FakeHost::default())
        .play(&rig, async |person| {
            person.sees("● live").await;
            press_f5(&person);
            person.sees("mine: failed (exit status: 3) no such order").await;
            person.press_code(KeyCode::F(6), KeyModifiers::NONE);
            person.press("?");
            person.sees("slow: runs sh").await;
            person.press("?");
            person.sees("slow: took longer than 1 s and was ended").await;
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn only_a_command_that_may_see_it_has_the_token_and_it_is_in_its_environment_alone() {
    let rig = rig_with_factory().await;
    let seen = rig.dir.path().join("seen");
    let script = format!(
        "{{ echo \"[$MANUTOP_ACCESS_TOKEN]\"; tr '\\\\0' ' ' < /proc/$$/cmdline; }} > {0}; echo \"it is $MANUTOP_ACCESS_TOKEN\"",
        seen.display()
    );
    let commands = command(&script, "secrets = [\"access_token\"]")
        + &command(&script, "").replace("F5", "F6").replace("mine", "other");
    let token =
        rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record").access_token;
    let data = tempfile::tempdir().expect("a directory");
    let stage = Stage { data_dir: Some(data.path().to_owned()), ..stage_with(&commands, FakeHost::default()) };
    stage
        .play(&rig, async |person| {
            person.sees("● live").await;
            press_f5(&person);
            person.sees("mine: it is ***").await;
            let written = std::fs::read_to_string(&seen).expect("it ran");
            let (environment, command_line) = written.split_once('\n').expect("two lines");
            assert_eq!(environment, format!("[{}]", token.expose()));
            assert!(command_line.contains("factory") && !command_line.contains(token.expose()), "{command_line}");
            assert!(!person.screen.text().contains(token.expose()));
            person.press_code(KeyCode::F(6), KeyModifiers::NONE);
            person.sees("other: it is").await;
            assert!(std::fs::read_to_string(&seen).expect("it ran").starts_with("[]\n"), "it gets none");
            person.press("q");
        })
        .await;
    for entry in std::fs::read_dir(data.path()).expect("a directory").flatten() {
        let text = std::fs::read(entry.path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains(token.expose()), "{:?} has the token", entry.path());
    }
}

#[tokio::test]
async fn one_that_needs_a_token_is_refused_where_there_is_none() {
    let mut rig = Rig::new();
    rig.manu("factory", "http://127.0.0.1/callback").await;
    let flag = rig.dir.path().join("ran");
    let commands = command(&format!("touch {}", flag.display()), "secrets = [\"access_token\"]");
    stage_with(&commands, FakeHost::default())
        .play(&rig, async |person| {
            person.sees("never logged in").await;
            assert!(!person.screen.text().contains("F5 mine"), "what does nothing is not offered");
            press_f5(&person);
            person.sees("there are no tokens; l logs in").await;
            person.press("q");
        })
        .await;
    assert!(!flag.exists());
}

#[tokio::test]
async fn a_foreground_command_has_the_terminal_while_the_engine_works_on_and_gives_it_back() {
    let rig = rig_with_factory().await;
    let host = FakeHost::default();
    let go = rig.dir.path().join("go");
    let started = rig.dir.path().join("started");
    let script = format!("touch {}; until [ -e {} ]; do sleep 0.02; done; exit 4", started.display(), go.display());
    let commands = command(&script, "terminal = \"foreground\"");
    stage_with(&commands, host.clone())
        .play(&rig, async |person| {
            person.sees("● live").await;
            press_f5(&person);
            while !started.exists() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(*host.lent.lock().expect("not poisoned"), ["lent"]);
            // Keys are the program's meanwhile: this one is read after its end, and ends the reading of its words.
            person.press("R");
            std::fs::write(&go, "").expect("written");
            person.sees("mine: failed (exit status: 4)").await;
            let lent = host.lent.lock().expect("not poisoned").clone();
            assert_eq!(lent, ["lent", "[mine failed (exit status: 4); press Enter to return to manutop]", "back"]);
            assert_eq!(rig.refresh_posts(), 0, "the key did nothing here");
            person.press("R");
            person.sees("generation 2").await;
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn the_editor_edits_the_configuration_in_the_dashboard_s_place_and_what_it_wrote_takes_effect() {
    let rig = rig_with_factory().await;
    let host = FakeHost::default();
    let file = rig.dir.path().join("config.toml");
    let script = format!("printf '\\n[keys.connection]\\nrefresh = [\"F9\"]\\n' >> {}", file.display());
    let mut stage = Stage::with_host(host.clone());
    stage.editor = ["sh", "-c", &script].map(Into::into).to_vec();
    stage
        .play(&rig, async |person| {
            person.sees("r refresh").await;
            person.press_code(KeyCode::Char('e'), KeyModifiers::CONTROL);
            person.sees("F9 refresh").await;
            assert_eq!(*host.lent.lock().expect("not poisoned"), ["lent", "back"], "an editor's end needs no key");
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn commands_of_a_configuration_that_is_edited_take_effect() {
    let rig = rig_with_factory().await;
    let file = rig.dir.path().join("config.toml");
    let connections = rig.configuration();
    std::fs::write(&file, &connections).expect("written");
    let stage = Stage { config_file: Some(file.clone()), ..Stage::new() };
    stage
        .play(&rig, async |person| {
            person.sees("● live").await;
            std::fs::write(&file, format!("{connections}\n{}", command("echo one", ""))).expect("written");
            person.sees("F5 mine").await;
            press_f5(&person);
            person.sees("mine: one").await;
            let taken = command("echo two", "").replace("F5", "r");
            std::fs::write(&file, format!("{connections}\n{taken}")).expect("written");
            person.sees("key of command \"mine\": r is keys.connection.refresh already").await;
            press_f5(&person);
            person.sees("mine: one").await;
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn a_read_only_dashboard_sends_nothing_until_a_person_leaves_the_mode() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::hours(1)).await;
    let mut stage = Stage::new();
    stage.prepare = Box::new(|mut app| {
        app.watch_only();
        app
    });
    let act = async |person: Person| {
        person.sees("expired").await;
        person.sees("read-only").await;
        for key in ["r", "R", "t", "l", "o", "d", "e", "n"] {
            person.press(key);
            person.sees("read-only: manutop only watches").await;
        }
        assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
        person.press("W");
        person.sees("Leave read-only mode?").await;
        person.press("y");
        person.sees("generation 2").await;
        person.press("q");
    };
    stage.play_with(&rig, rig.start(false), act).await;
    assert_eq!(rig.refresh_posts(), 1);
}

#[tokio::test]
async fn a_configuration_can_take_rights_and_the_mouse_away_while_it_runs() {
    let rig = rig_with_factory().await;
    let file = rig.dir.path().join("config.toml");
    let connections = rig.configuration();
    std::fs::write(&file, &connections).expect("written");
    let host = FakeHost::default();
    let stage = Stage { config_file: Some(file.clone()), ..Stage::with_host(host.clone()) };
    stage
        .play(&rig, async |person| {
            person.sees("auto on").await;
            std::fs::write(&file, format!("read_only = true\nmouse = false\n{connections}")).expect("written");
            person.sees("read-only").await;
            assert_eq!(*host.mouse.lock().expect("not poisoned"), Some(false));
            std::fs::write(&file, &connections).expect("written");
            while *host.mouse.lock().expect("not poisoned") != Some(true) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            person.press("R");
            person.sees("read-only: manutop only watches").await;
            person.press("q");
        })
        .await;
}

/// The real program in a real terminal, on a configuration with these commands.
fn program(dir: &Path, commands: &str) -> Terminal {
    let file = dir.join("config.toml");
    let connection = "[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"id\"\nredirect_uri = \"http://127.0.0.1/cb\"\n";
    std::fs::write(&file, format!("store = \"file\"\n{connection}{commands}")).expect("written");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_manutop"));
    command.env_clear();
    let (editor, path) = (dir.join("editor"), std::env::var("PATH").unwrap_or_default());
    std::fs::write(
        &editor,
        "#!/bin/sh\nprintf 'mouse? '\nread word\nprintf '\\033[2J\\033[H'\nprintf '\\nmouse = %s\\n' \"$word\" | cat - \"$1\" > \"$1.new\"\nmv \"$1.new\" \"$1\"\n",
    )
    .expect("written");
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("permitted");
    let editor = editor.display().to_string();
    for (name, value) in [
        ("LANG", "C.UTF-8"),
        ("TERM", "xterm-256color"),
        ("PATH", &path),
        ("MANUTOP_PASSPHRASE", "correct horse battery staple"),
        ("VISUAL", &editor),
    ] {
        command.env(name, value);
    }
    command.args(["--theme", "16", "--config"]);
    command.arg(&file);
    command.arg("--data-dir");
    command.arg(dir.join("data"));
    Terminal::start(command, (120, 32))
}

const F5: &str = "\x1b[15~";

#[test]
fn a_program_in_the_foreground_has_the_whole_terminal_and_ctrl_c_and_ends_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = "printf 'who? '; read who; echo \"hello $who, ${MANUTOP_PASSPHRASE-no passphrase}\"; exec cat";
    let mut terminal = program(dir.path(), &command(script, "terminal = \"foreground\""));
    terminal.until_text("no client secret stored");
    terminal.keys(F5);
    terminal.until_text("who?");
    terminal.assert_given_back();
    terminal.keys("ada\r");
    terminal.until_text("hello ada, no passphrase");
    // What an earlier run has written is still there when the next begins.
    for (earlier, (key, signal)) in (1..).zip([("\x03", "SIGINT"), ("\x1c", "SIGQUIT")]) {
        let again =
            |words: &'static str| move |screen: &vt100::Screen| screen.contents().matches(words).count() > earlier;
        terminal.keys(key);
        terminal.until_text(signal);
        terminal.until_text("press Enter to return to manutop");
        terminal.assert_given_back();
        terminal.keys("typed in vain: q\r");
        terminal.until("the dashboard", |screen| screen.alternate_screen() && shows(screen, "mine: failed"));
        terminal.assert_taken();
        terminal.keys(F5);
        terminal.until("the next question", again("who?"));
        terminal.keys("ada\r");
        terminal.until("the next answer", again("hello ada"));
    }
    terminal.keys("\x04");
    terminal.until_text("[mine has ended; press Enter to return to manutop]");
    terminal.keys("\r");
    terminal.until_text("mine: done");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
}

#[test]
fn a_signal_that_ends_the_dashboard_ends_it_while_another_program_has_the_terminal() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut terminal = program(dir.path(), &command("echo here; exec sleep 1000", "terminal = \"foreground\""));
    terminal.until_text("no client secret stored");
    terminal.keys(F5);
    terminal.until_text("here");
    terminal.signal("TERM");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
}

#[test]
fn the_editor_is_that_of_the_environment_and_what_is_wrong_is_said_before_the_dashboard_is_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut terminal = program(dir.path(), "");
    terminal.until_text("no client secret stored");
    assert_ne!(terminal.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    terminal.keys("\x05");
    terminal.until("the editor", |screen| !screen.alternate_screen() && shows(screen, "mouse?"));
    terminal.keys("nonsense\r");
    terminal.until_text("Edit again, or give up?");
    terminal.keys("e\r");
    // The editor adds a second line of that name.
    terminal.keys("false\r");
    terminal.until_text("Edit again, or give up?");
    terminal.keys("g\r");
    terminal.until_text("press Enter to return to manutop");
    terminal.keys("\r");
    terminal.until_text("editing the configuration: failed");
    terminal.keys("\x05");
    terminal.until("the editor", |screen| !screen.alternate_screen() && shows(screen, "mouse?"));
    terminal.keys("false\r");
    terminal.until_text("configuration reloaded");
    assert_eq!(terminal.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    terminal.keys("M");
    terminal.until("the mouse", |screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}
