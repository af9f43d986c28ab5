//! Finds out which commit is built, for `manutop --version`, and has the unwinder built in.
//!
//! Nothing here depends on the time or the machine: the same commit gives the same words. A checkout
//! asks git; a package of cargo brings the commit along; without either there is the version alone.
//! It runs again only when the commit or what the binary is made of changes.

use std::env;
use std::path::Path;
use std::process::Command;

/// What the binary is made of, seen from the root of the checkout.
const SOURCES: &[&str] = &["src", "build.rs", "Cargo.toml", "Cargo.lock"];

/// Where `cargo package` notes the commit.
const PACKAGED: &str = ".cargo_vcs_info.json";

/// How many digits of a commit are shown. `git rev-parse --short` would choose by the checkout.
const DIGITS: usize = 9;

fn main() {
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let commit = if Path::new(PACKAGED).exists() { packaged() } else { checked_out() };
    let (words, date) = commit.unwrap_or_default();
    let long = if words.is_empty() { version } else { format!("{version} ({words})") };
    println!("cargo::rustc-env=MANUTOP_VERSION={long}");
    println!("cargo::rustc-env=MANUTOP_DATE={date}");
    let target = ["OS", "ENV"].map(|part| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    if target == ["linux", "gnu"] {
        // Before the standard library's `-lgcc_s`, which nothing is then left for: one library less is
        // loaded at every start. Every GCC brings this one along.
        println!("cargo::rustc-link-lib=gcc_eh");
    }
    for file in SOURCES.iter().filter(|file| Path::new(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
    }
}

/// The commit that `cargo package` noted, which has no date.
fn packaged() -> Option<(String, String)> {
    println!("cargo::rerun-if-changed={PACKAGED}");
    let text = std::fs::read_to_string(PACKAGED).ok()?;
    let commit = text.split("\"sha1\"").nth(1)?.split('"').nth(1)?.get(..DIGITS)?;
    let dirty = if text.contains("\"dirty\": true") { " modified" } else { "" };
    Some((format!("{commit}{dirty}"), String::new()))
}

/// The commit of the checkout that this directory is the root of, and its date.
fn checked_out() -> Option<(String, String)> {
    // In someone else's checkout, the commit would be theirs.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // A commit on the branch writes the second or the third, a checkout the first.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    // In UTC, whatever the committer's or the builder's clock says.
    let date = git(&["show", "--no-patch", "--date=format-local:%Y-%m-%d", "--format=%cd", "HEAD"])?;
    let changes = git(&[&["status", "--porcelain", "--"], SOURCES].concat())?;
    let dirty = if changes.is_empty() { "" } else { " modified" };
    Some((format!("{} {date}{dirty}", commit.get(..DIGITS)?), date))
}

/// What git says, on one line; `None` without git, or where it refuses.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).env("TZ", "UTC").env("GIT_OPTIONAL_LOCKS", "0").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
