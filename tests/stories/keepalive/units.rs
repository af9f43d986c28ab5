//! The units in `assets/systemd`: systemd's own tools find nothing wrong with them, and the
//! exposure they leave is low.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// 0 is none, 10 all; systemd calls what is under 2 OK, and what is under 4 or so well hardened.
const MOST_EXPOSED: &str = "15";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/systemd")
}

/// A copy of a unit that starts a program that is there: the real one is installed later.
fn copied(dir: &Path, unit: &str) -> PathBuf {
    let text = fs::read_to_string(units().join(unit)).unwrap();
    assert!(text.contains("ExecStart=/usr/bin/manutop keepalive"), "{text}");
    let copy = dir.join("manutop.service");
    fs::write(&copy, text.replace("/usr/bin/manutop", env!("CARGO_BIN_EXE_manutop"))).unwrap();
    copy
}

fn analyze(arguments: &[&str]) -> Output {
    let output = Command::new("systemd-analyze").env_remove("XDG_RUNTIME_DIR").args(arguments).output().unwrap();
    assert!(output.status.success(), "systemd-analyze {arguments:?}: {output:?}");
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
#[ignore = "needs systemd-analyze; scripts/test runs it"]
fn systemd_finds_nothing_wrong_with_the_units() {
    for (unit, scope) in [("system/manutop.service", "--system"), ("user/manutop.service", "--user")] {
        let dir = tempfile::tempdir().unwrap();
        let copy = copied(dir.path(), unit);
        let runtime = dir.path().join("runtime");
        fs::create_dir(&runtime).unwrap();
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no", scope])
            .arg(copy)
            .env("XDG_RUNTIME_DIR", runtime)
            .output()
            .unwrap();
        assert!(output.status.success(), "{unit}: {output:?}");
        assert!(!said(&output).contains("manutop"), "{unit}: {}", said(&output));
    }
}

#[test]
#[ignore = "needs systemd-analyze; scripts/test runs it"]
fn the_system_unit_exposes_little() {
    let dir = tempfile::tempdir().unwrap();
    let copy = copied(dir.path(), "system/manutop.service");
    let copy = copy.to_str().unwrap();
    let output = analyze(&["security", "--offline=true", "--threshold", MOST_EXPOSED, "--no-pager", copy]);
    assert!(said(&output).contains("Overall exposure level"), "{}", said(&output));
}

#[test]
#[ignore = "needs systemd-analyze; scripts/test runs it"]
fn the_service_s_user_is_one_that_systemd_can_make() {
    let file = units().join("sysusers.d/manutop.conf");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().any(|line| line.starts_with("u manutop ")), "{text}");
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let output = Command::new("systemd-sysusers").arg(format!("--root={}", root.path().display())).arg(&file).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let users = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("manutop:")).unwrap();
    assert!(user.contains(":/var/lib/manutop:"), "{user}");
}
