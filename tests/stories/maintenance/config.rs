//! `manutop config`: where the file is, what is wrong with it, and editing it with a program that
//! plays the editor.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::bench::{Bench, commented};
use crate::support::file_home::PASSPHRASE;
use crate::support::program::{Ended, Program};

/// The editor: a shell script, given the copy as `$1`.
fn editor(bench: &Bench, script: &str) -> String {
    let path = bench.path("my editor");
    fs::write(&path, format!("#!/bin/sh\nset -e\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn edit(bench: &Bench, script: &str) -> Ended {
    let editor = editor(bench, script);
    Program::start(bench.command(&["config", "edit"]).env("EDITOR", editor)).end()
}

/// What was left beside the configuration file.
fn copies(bench: &Bench) -> Vec<PathBuf> {
    let entries = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".manutop-")).collect()
}

/// The copy that a message names.
fn kept(ended: &Ended) -> PathBuf {
    ended.stderr.lines().find_map(|line| line.split_once("what you wrote is kept in ")).unwrap().1.into()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const FAULTY: &str = "[keys.main]\nfly = [\"x\"]\n[[connections]]\nname = \"a\"\nprovider = \"manus\"\nclient_id = 7\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_path_is_printed_alone_and_as_json() {
    let bench = commented().await;
    let file = bench.config().display().to_string();
    assert_eq!(bench.run(&["config", "path"], 0).stdout, format!("{file}\n"));
    let reported = bench.json(&["config", "path", "--json"], 0);
    assert_eq!((&reported["config_file"], &reported["exists"]), (&file.into(), &true.into()));
    assert_eq!(reported["data_dir"], bench.data_dir().display().to_string());
    let elsewhere = bench.json(&["config", "path", "--json", "--config", "no.toml"], 0);
    assert_eq!(elsewhere["exists"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_reported_with_its_place_and_the_exit_code_says_whether_there_is_any() {
    let bench = commented().await;
    assert!(bench.run(&["config", "check"], 0).stdout.ends_with(" is valid; connections: 1\n"));
    let good = bench.json(&["config", "check", "--json"], 0);
    assert_eq!((&good["connections"], good["faults"].as_array().unwrap().len()), (&1.into(), 0));
    let missing = bench.run(&["config", "check", "--config", "no.toml"], 0);
    assert!(missing.stdout.is_empty() && missing.stderr.contains("does not exist"), "{missing:?}");

    fs::write(bench.config(), FAULTY).unwrap();
    let reported = bench.run(&["config", "check"], 2);
    let file = bench.config().display().to_string();
    let places: Vec<_> = reported.stdout.lines().collect();
    assert!(
        places[0].starts_with(&format!("{file}:2:1: keys.main: this is nothing that keys do there")),
        "{reported:?}"
    );
    assert!(places[1].starts_with(&format!("{file}:6:13: client_id of connection \"a\": ")), "{reported:?}");
    assert_eq!((places.len(), reported.stderr.as_str()), (2, ""));
    let reported = bench.json(&["config", "check", "--json"], 2);
    assert_eq!((&reported["exists"], &reported["connections"]), (&true.into(), &serde_json::Value::Null));
    let fault = &reported["faults"][1];
    assert_eq!((&fault["line"], &fault["column"]), (&6.into(), &13.into()));
    assert_eq!(fault["key"], "client_id of connection \"a\"");
    assert!(fault["what"].as_str().unwrap().contains("string"), "{fault}");

    fs::write(bench.config(), b"a = \"\xff\"\n").unwrap();
    let reported = bench.json(&["config", "check", "--json"], 2);
    assert_eq!((&reported["faults"][0]["line"], &reported["faults"][0]["key"]), (&1.into(), &serde_json::Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_change_replaces_the_file_where_a_link_leads_and_keeps_its_mode() {
    let bench = commented().await;
    let real = bench.path("dotfiles.toml");
    fs::rename(bench.config(), &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, bench.config()).unwrap();
    let before = bench.text();
    let script =
        "echo \"passphrase ${MANUTOP_PASSPHRASE-none}\" > seen; ls -ld \"$1\" >> seen; echo 'bell = true' > new
                  cat \"$1\" >> new; cat new > \"$1\"; rm new; touch \"$1~\"";
    let ended = edit(&bench, script).expect(0);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.ends_with("config.toml is written\n"), "{ended:?}");
    assert_eq!(bench.text(), format!("bell = true\n{before}"));
    assert_eq!((fs::read_link(bench.config()).unwrap(), mode(&real)), (real, 0o640));
    let seen = fs::read_to_string(bench.path("seen")).unwrap();
    assert!(seen.starts_with("passphrase none\n-rw------- ") && !seen.contains(PASSPHRASE), "{seen}");
    assert!(seen.trim_end().ends_with("/config.toml"), "the copy has the file's name: {seen}");
    assert_eq!(copies(&bench), [""; 0].map(PathBuf::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_changed_is_not_written_and_what_is_not_there_is_begun() {
    let bench = commented().await;
    let modified = || fs::metadata(bench.config()).unwrap().modified().unwrap();
    let before = modified();
    assert!(edit(&bench, ":").expect(0).stderr.contains("nothing was changed"));
    assert_eq!((modified(), copies(&bench).len()), (before, 0));

    fs::remove_file(bench.config()).unwrap();
    edit(&bench, ":").expect(0);
    assert!(bench.text().starts_with("# The configuration of manutop"), "{}", bench.text());
    assert_eq!(mode(&bench.config()), 0o600);
    bench.run(&["config", "check"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_copy_never_replaces_the_file_and_is_kept() {
    let bench = commented().await;
    let before = bench.text();
    let ended = edit(&bench, "echo 'bell = 7' > \"$1\"").expect(2);
    assert!(ended.stderr.contains("config.toml:1:8: bell: must be true or false"), "{ended:?}");
    assert_eq!(fs::read_to_string(kept(&ended)).unwrap(), "bell = 7\n");
    assert_eq!((mode(&kept(&ended)), bench.text()), (0o600, before.clone()));

    let ended = edit(&bench, "echo 'bell = true' > \"$1\"; exit 3").expect(1);
    assert!(ended.stderr.contains("the editor of $EDITOR failed (exit status: 3)"), "{ended:?}");
    assert_eq!(fs::read_to_string(kept(&ended)).unwrap(), "bell = true\n");
    assert_eq!((copies(&bench).len(), bench.text()), (2, before.clone()));

    let ended = Program::start(bench.command(&["config", "edit"]).env("VISUAL", "/no/such/editor -x")).end().expect(1);
    assert!(ended.stderr.contains("the editor of $VISUAL cannot be started"), "{ended:?}");
    assert!(!ended.stderr.contains("is kept"), "{ended:?}");
    assert_eq!((copies(&bench).len(), bench.text()), (2, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_writes_meanwhile_is_not_overwritten() {
    let bench = commented().await;
    let other = format!("{}# by another\n", bench.text());
    let ended = edit(&bench, "echo 'bell = true' > \"$1\"; echo '# by another' >> config.toml").expect(1);
    assert!(ended.stderr.contains("was changed by another program"), "{ended:?}");
    assert_eq!(fs::read_to_string(kept(&ended)).unwrap(), "bell = true\n");
    assert_eq!(bench.text(), other);
}

/// Ctrl-C belongs to the editor while it runs, and to the question after it.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_question_after_the_editor_ends_it_and_keeps_the_copy() {
    let bench = commented().await;
    let before = bench.text();
    let editor = editor(&bench, "kill -INT $PPID; echo 'bell = 7' > \"$1\"");
    let mut terminal = bench.terminal_with(&["config", "edit"], &[("EDITOR", &editor)]);
    terminal.until_text("Edit again, or give up? [e/g]");
    terminal.keys("\x03");
    assert_ne!(terminal.ended(), 0);
    assert_eq!((bench.text(), copies(&bench).len()), (before, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_faults_can_be_fixed_and_the_other_s_change_overwritten() {
    let bench = commented().await;
    let before = bench.text();
    // Faulty at first, then fixed; by then another program has written, too.
    let script = "if [ -e once ]; then sed -i 's/= 7/= true/' \"$1\"; echo '# by another' >> config.toml
                  else echo 'bell = 7' > \"$1\"; touch once; fi";
    let editor = editor(&bench, script);
    let mut terminal = bench.terminal_with(&["config", "edit"], &[("EDITOR", &editor)]);
    terminal.until_text("Edit again, or give up? [e/g]");
    assert!(terminal.shows("config.toml:1:8: bell"), "{}", terminal.picture());
    terminal.keys("e\r");
    terminal.until_text("Edit again, overwrite, or give up? [e/w/g]");
    assert_eq!(bench.text(), format!("{before}# by another\n"));
    terminal.keys("w\r");
    assert_eq!(terminal.ended(), 0);
    assert_eq!((bench.text().as_str(), copies(&bench).len()), ("bell = true\n", 0));

    fs::remove_file(bench.path("once")).unwrap();
    let mut terminal = bench.terminal_with(&["config", "edit"], &[("EDITOR", &editor)]);
    terminal.until_text("give up? [e/g]");
    terminal.keys("g\r");
    assert_eq!(terminal.ended(), 2);
    assert!(terminal.shows("what you wrote is kept in "), "{}", terminal.picture());
    assert_eq!((bench.text().as_str(), copies(&bench).len()), ("bell = true\n", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_the_editor_s() {
    let bench = commented().await;
    let script = "trap 'touch pressed' INT; echo ready
                  until [ -e pressed ]; do sleep 0.05 || :; done; echo 'bell = true' > \"$1\"";
    let editor = editor(&bench, script);
    let mut terminal = bench.terminal_with(&["config", "edit"], &[("EDITOR", &editor)]);
    terminal.until_text("ready");
    terminal.keys("\x03");
    assert_eq!(terminal.ended(), 0);
    assert_eq!(bench.text(), "bell = true\n");
}
