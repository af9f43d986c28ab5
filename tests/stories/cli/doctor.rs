//! `manutop doctor` as a person without a keyring meets it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const GOOD: &str = "[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"x\"\nredirect_uri = \"http://127.0.0.1:8400/callback\"\n";

fn doctor(home: &Path, configuration: Option<&str>, more: &[&str]) -> Output {
    let file = home.join("config.toml");
    if let Some(text) = configuration {
        std::fs::write(&file, text).expect("the home is writable");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_manutop"));
    command
        .env_clear()
        .env("HOME", home)
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("LANG", "C.UTF-8");
    command.arg("doctor").arg("--config").arg(&file).arg("--data-dir").arg(home.join("data")).args(more);
    command.output().expect("the binary runs")
}

fn checks(output: &Output) -> Vec<(String, String)> {
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["version"], 1);
    let word = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().map(|check| (word(&check["name"]), word(&check["verdict"]))).collect()
}

#[test]
fn a_missing_keyring_fails_with_advice_and_exit_code_1() {
    let home = tempfile::tempdir().unwrap();
    let output = doctor(home.path(), Some(GOOD), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let at = text.find("FAIL  secret store: ").expect("the store fails");
    assert!(text[at..].lines().nth(1).unwrap().starts_with("      -> "), "{text}");
    assert!(text.contains("ok    configuration: ") && text.contains("warn  browser: "), "{text}");
}

#[test]
fn the_json_has_every_check_with_its_verdict() {
    let home = tempfile::tempdir().unwrap();
    let checks = checks(&doctor(home.path(), Some(GOOD), &["--json"]));
    for (name, verdict) in [
        ("configuration", "ok"),
        ("data directory", "ok"),
        ("journals", "ok"),
        ("locks", "ok"),
        ("secret store", "fail"),
        ("browser", "warn"),
        ("clipboard", "warn"),
        ("terminal", "ok"),
    ] {
        assert!(checks.contains(&(name.into(), verdict.into())), "{name} in {checks:?}");
    }
}

#[test]
fn a_faulty_configuration_is_reported_once_with_its_line_and_the_rest_is_still_checked() {
    let home = tempfile::tempdir().unwrap();
    let output = doctor(home.path(), Some("stroe = \"keyring\"\n"), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("config.toml:1:1") && text.matches("FAIL").count() == 1, "{text}");
    assert!(text.contains("clipboard: "), "{text}");
}

#[test]
fn no_configuration_yet_is_a_warning() {
    let home = tempfile::tempdir().unwrap();
    let checks = checks(&doctor(home.path(), None, &["--json"]));
    assert!(checks.contains(&("configuration".into(), "warn".into())), "{checks:?}");
}

#[cfg(unix)]
#[test]
fn directories_that_others_can_read_are_reported_with_the_command_that_fixes_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("something-else"), "").unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = String::from_utf8(doctor(home.path(), Some(GOOD), &[]).stdout).unwrap();
    assert!(text.contains("has mode 755") && text.contains("-> chmod 700 "), "{text}");
}
