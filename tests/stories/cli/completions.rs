//! Completions as a person at a shell gets them: in real shells, and by the words that the scripts
//! send. PowerShell is in no Debian package: of it only the protocol is tested.

use std::path::Path;
use std::process::{Command, Output};

use portable_pty::CommandBuilder;

use crate::support::pty::Terminal;

const BINARY: &str = env!("CARGO_BIN_EXE_manutop");

const CONFIGURATION: &str = r#"
[[connections]]
name = "factory"
title = "Plant: the big one"
provider = "manu"
client_id = "x"
redirect_uri = "http://127.0.0.1:8400/callback"

[[connections]]
name = "fabric-2"
provider = "manus"
client_id = "tm_x"

[[connections]]
name = "warehouse"
provider = "manus"
client_id = "tm_y"
"#;

/// A home with a configuration at its usual place.
fn home(configuration: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".config/manutop");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("config.toml"), configuration).unwrap();
    home
}

/// The environment of a person in this home whose `manutop` is the one under test.
fn environment(home: &Path) -> Vec<(&'static str, String)> {
    let binaries = Path::new(BINARY).parent().unwrap().display();
    vec![
        ("HOME", home.display().to_string()),
        ("PATH", format!("{binaries}:/usr/local/bin:/usr/bin:/bin")),
        ("LANG", "C.UTF-8".into()),
        ("TERM", "xterm".into()),
    ]
}

/// What is answered to a script that sends these words.
fn ask(home: &Path, shell: &str, words: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.env_clear().envs(environment(home)).env("MANUTOP_COMPLETE", shell).current_dir(home);
    command.arg("--").arg("manutop").args(words).output().unwrap()
}

/// The values offered, without what is said about them.
fn offered(home: &Path, words: &[&str]) -> Vec<String> {
    let output = ask(home, "powershell", words);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// A shell in a terminal; it has sourced the completions once `ready` is on the screen.
fn shell(home: &Path, program: &str, args: &[&str], setup: &str) -> Terminal {
    let mut command = CommandBuilder::new(program);
    command.env_clear();
    for (name, value) in environment(home) {
        command.env(name, value);
    }
    command.cwd(home);
    command.args(args);
    let mut terminal = Terminal::start(command, (100, 30));
    // The word is put together by the shell, so that the line typed does not count.
    terminal.keys(&format!("PS1='> '; {setup}; echo re''ady\r"));
    terminal.until_text("ready");
    terminal
}

#[test]
fn names_are_those_of_the_configuration_that_the_line_or_the_environment_names() {
    let home = home(CONFIGURATION);
    let here = home.path();
    assert_eq!(offered(here, &["token", "fa"]), ["factory", "fabric-2"]);
    assert_eq!(offered(here, &["secret", "set", "w"]), ["warehouse"]);
    let other = CONFIGURATION.replace("warehouse", "workshop");
    std::fs::write(here.join("other file.toml"), other).unwrap();
    assert_eq!(offered(here, &["--config", "'other file.toml'", "refresh", "w"]), ["workshop"]);
    assert_eq!(offered(here, &["--config", "~/other\\ file.toml", "refresh", "w"]), ["workshop"]);
    assert_eq!(offered(here, &["--config", "absent.toml", "refresh", "w"]), [""; 0]);
}

#[test]
fn titles_and_the_words_of_help_stand_beside_what_is_offered() {
    let home = home(CONFIGURATION);
    let text = |words: &[&str]| String::from_utf8(ask(home.path(), "powershell", words).stdout).unwrap();
    assert_eq!(text(&["login", "f"]), "factory\tPlant: the big one\nfabric-2\tManus\n");
    assert_eq!(text(&["doct"]).split_once('\t').unwrap().0, "doctor");
    assert!(text(&["login", "--no"]).starts_with("--no-browser\tDo not start a browser"));
}

#[test]
fn themes_stores_and_files_are_completed_too() {
    let home = home(CONFIGURATION);
    assert_eq!(offered(home.path(), &["--theme", "h"]), ["high-contrast"]);
    assert_eq!(offered(home.path(), &["store", "migrate", "--to", ""]), ["keyring", "file"]);
    assert_eq!(offered(home.path(), &["--config", ".config/manutop/c"]), [".config/manutop/config.toml"]);
}

#[test]
fn a_configuration_that_cannot_be_read_offers_no_names_and_says_nothing() {
    for broken in ["connections = [", "stroe = \"file\"\n", "[[connections]]\nname = \"factory\"\n"] {
        let home = home(broken);
        assert_eq!(offered(home.path(), &["token", "f"]), [""; 0]);
        assert_eq!(offered(home.path(), &["tok"]), ["token"]);
        let data = home.path().join(".local/share/manutop");
        assert!(!data.exists(), "completing opens no vault");
    }
    let home = home(CONFIGURATION);
    let nonsense = ask(home.path(), "tcsh", &["token", "f"]);
    assert_eq!((nonsense.status.code(), nonsense.stdout.len(), nonsense.stderr.len()), (Some(2), 0, 0));
}

#[test]
fn what_the_script_for_powershell_sends_is_answered() {
    let home = home(CONFIGURATION);
    let mut command = Command::new(BINARY);
    let output = command.env_clear().envs(environment(home.path())).args(["completions", "powershell"]).output();
    let script = String::from_utf8(output.unwrap().stdout).unwrap();
    for part in [
        "Register-ArgumentCompleter -Native -CommandName manutop ",
        "$env:MANUTOP_COMPLETE = \"powershell\"",
        "& manutop -- $args",
    ] {
        assert!(script.contains(part), "{script}");
    }
}

#[test]
#[ignore = "needs bash; scripts/test runs it"]
fn bash_completes_names() {
    let home = home(CONFIGURATION);
    let mut bash = shell(home.path(), "bash", &["--norc", "-i"], "source <(manutop completions bash)");
    bash.keys("manutop token fac\t");
    bash.until_text("manutop token factory ");
    bash.keys("\x15manutop refresh fa\t\t");
    bash.until_text("factory   fabric-2");
    std::fs::write(home.path().join("other.toml"), CONFIGURATION.replace("warehouse", "workshop")).unwrap();
    bash.keys("\x15manutop --config=~/other.toml refresh w\t");
    bash.until_text("manutop --config=~/other.toml refresh workshop ");
}

#[test]
#[ignore = "needs zsh; scripts/test runs it"]
fn zsh_completes_names_with_their_titles_sourced_or_from_fpath() {
    let home = home(CONFIGURATION);
    let functions = home.path().join("functions");
    std::fs::create_dir(&functions).unwrap();
    let sourced = "autoload -U compinit; compinit; source <(manutop completions zsh)";
    let file =
        "manutop completions zsh >functions/_manutop; fpath=(~/functions $fpath); autoload -U compinit; compinit";
    for setup in [sourced, file] {
        let mut zsh = shell(home.path(), "zsh", &["-f", "-i"], setup);
        zsh.keys("manutop token fac\t");
        zsh.until_text("manutop token factory");
        zsh.keys("\x15manutop refresh fa\t");
        zsh.until_text("Plant: the big one");
    }
}

#[test]
#[ignore = "needs fish; scripts/test runs it"]
fn fish_completes_names_with_their_titles() {
    let home = home(CONFIGURATION);
    let complete = |line: &str| {
        let script = format!("manutop completions fish | source; complete -C '{line}'");
        let mut fish = Command::new("fish");
        fish.env_clear().envs(environment(home.path())).args(["--no-config", "-c", &script]);
        let output = fish.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("manutop token fa"), "factory\tPlant: the big one\nfabric-2\tManus\n");
    assert_eq!(complete("manutop secret rm w"), "warehouse\tManus\n");
    assert_eq!(complete("manutop --theme h"), "high-contrast\n");
}
