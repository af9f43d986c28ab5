//! A configuration that cannot be changed, or only in place: what cannot be finished is not begun.
//! Each is made by real mounts, in a mount namespace; where none can be made, the tests say so.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use portable_pty::CommandBuilder;

use super::bench::{Bench, commented};
use crate::support::file_home::BINARY;
use crate::support::program::{Ended, Program};
use crate::support::pty::Terminal;

/// What a namespace begins with: `$D` is the configuration's directory, `$F` the file.
const READ_ONLY: [(&str, &str); 4] = [
    ("a read-only mount", "mount --bind $D $D && mount -o remount,bind,ro $D"),
    ("a file mounted read-only", "mount --bind $F $F && mount -o remount,bind,ro $F"),
    ("no write permission", "chmod 0444 $F && chmod 0555 $D && HUMBLE=1"),
    ("an immutable file", "chattr +i $F"),
];

const IN_PLACE: [(&str, &str); 2] = [
    ("a file that is a mount point", "mount --bind $F $F"),
    (
        "a writable file in a read-only directory",
        "touch $D.bound && mount --bind $F $D.bound && mount --bind $D $D && mount -o remount,bind,ro $D && mount --bind $D.bound $F",
    ),
];

/// A bench whose configuration is in a directory of its own.
async fn bench() -> (Bench, PathBuf) {
    let mut bench = commented().await;
    let dir = bench.path("conf");
    fs::create_dir(&dir).unwrap();
    fs::rename(bench.config(), dir.join("config.toml")).unwrap();
    bench.env.insert("MANUTOP_CONFIG", dir.join("config.toml").display().to_string());
    (bench, dir.join("config.toml"))
}

/// The words for a namespace that begins so, with a program in it.
fn words(file: &Path, prologue: &str, arguments: &[&str]) -> Vec<String> {
    let script = format!(
        "D=$1; F=$2; shift 2; {{ {prologue}; }} >/dev/null 2>&1 || exit 99; \
         if [ \"$HUMBLE\" ]; then exec setpriv --bounding-set=-dac_override,-dac_read_search,-fowner \
         --inh-caps=-dac_override,-dac_read_search,-fowner \"$0\" \"$@\"; fi; exec \"$0\" \"$@\""
    );
    let (dir, file) = (file.parent().unwrap().display().to_string(), file.display().to_string());
    let mut words: Vec<String> = ["-m", "sh", "-c", &script, BINARY, &dir, &file].map(String::from).to_vec();
    words.extend(arguments.iter().map(ToString::to_string));
    words
}

fn run(bench: &Bench, file: &Path, prologue: &str, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new("unshare");
    command.args(words(file, prologue, arguments)).env_clear().envs(&bench.env).current_dir(bench.dir.path());
    let mut program = Program::start(&mut command);
    if !input.is_empty() {
        program.send(input);
    }
    program.end()
}

/// Whether such a namespace can be made here.
fn can(bench: &Bench, file: &Path, what: &str, prologue: &str) -> bool {
    let ended = run(bench, file, prologue, &["config", "path"], "");
    let can = ended.code == Some(0);
    if !can {
        println!("not tried: {what}: {ended:?}");
    }
    restore(file);
    can
}

/// Takes back what outlives a namespace.
fn restore(file: &Path) {
    let _ = Command::new("chattr").arg("-i").arg(file).status();
    fs::set_permissions(file.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
}

/// All files below, with what is in them. Locks come and go, and what was asked is logged.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "locks" {
            found.extend(contents(&path));
        } else if path.is_file() && entry.file_name() != "overview" {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_destroyed_before_the_file_is_known_to_be_changeable() {
    for (what, prologue) in READ_ONLY {
        let (bench, file) = bench().await;
        if !can(&bench, &file, what, prologue) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let before = contents(&bench.data_dir());
        for (arguments, code) in [
            (&["remove", "factory", "--yes"][..], 1),
            (&["remove", "factory", "--yes", "--keep-tokens"], 1),
            (&["rename", "factory", "plant"], 2),
            (&["store", "migrate", "--to", "keyring"], 1),
            (&["add", "new", "--provider", "manus", "--client-id", "x", "--client-secret-stdin"], 1),
            (&["config", "edit"], 1),
        ] {
            let refused = run(&bench, &file, prologue, arguments, "");
            restore(&file);
            assert_eq!(refused.code, Some(code), "{what}: {arguments:?}: {refused:?}");
            let shown = file.display().to_string();
            assert!(
                refused.stderr.contains(&shown) && refused.stderr.contains("cannot be changed"),
                "{what}: {arguments:?}: {refused:?}"
            );
            assert!(refused.stderr.contains("make it writable"), "{what}: {arguments:?}: {refused:?}");
            assert!(contents(&bench.data_dir()) == before, "{what}: {arguments:?}: the data is not what it was");
            assert_eq!(fs::read_to_string(&file).unwrap(), text, "{what}: {arguments:?}");
        }
        // What needs no change of the file keeps working, as the advice says.
        let set = run(&bench, &file, prologue, &["secret", "rm", "factory"], "");
        assert_eq!(set.code, Some(0), "{what}: {set:?}");
        let logout = run(&bench, &file, prologue, &["logout", "factory"], "");
        assert_eq!(logout.code, Some(0), "{what}: {logout:?}");
        restore(&file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_deletes_nothing_that_it_cannot_take_out_of_the_file() {
    for (what, prologue) in READ_ONLY {
        let (bench, file) = bench().await;
        if !can(&bench, &file, what, prologue) {
            continue;
        }
        let before = contents(&bench.data_dir());
        let mut command = CommandBuilder::new("unshare");
        command.env_clear();
        for (name, value) in &bench.env {
            command.env(name, value);
        }
        command.args(words(&file, prologue, &[]));
        let mut terminal = Terminal::start(command, (160, 40));
        terminal.until_text("generation 41");
        terminal.keys("d");
        terminal.until_text("Delete factory?");
        terminal.keys("y");
        terminal.until_text("nothing was forgotten");
        terminal.keys("q");
        assert_eq!(terminal.ended(), 0, "{what}");
        restore(&file);
        let kept = |part: &str, all: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<(PathBuf, Vec<u8>)> {
            let below = bench.data_dir().join(part);
            all.iter().filter(|(path, _)| path.starts_with(&below)).map(|(p, b)| (p.clone(), b.clone())).collect()
        };
        let after = contents(&bench.data_dir());
        for part in ["store", "journals"] {
            assert!(!kept(part, &before).is_empty() && kept(part, &before) == kept(part, &after), "{what}: {part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_replaced_is_written_in_place() {
    for (what, prologue) in IN_PLACE {
        let (bench, file) = bench().await;
        if !can(&bench, &file, what, prologue) {
            continue;
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let inode = fs::metadata(&file).unwrap().ino();
        let secret = "s3cret-of-a-new-one";
        for (arguments, input, reported) in [
            (&["rename", "factory", "plant"][..], "", "name = \"plant\""),
            (
                &["add", "new", "--provider", "manus", "--client-id", "tm_new", "--client-secret-stdin"],
                secret,
                "tm_new",
            ),
            (&["remove", "plant", "--yes"], "", "[[connections]]"),
        ] {
            let input = if input.is_empty() { String::new() } else { format!("{input}\n") };
            let ended = run(&bench, &file, prologue, arguments, &input);
            assert_eq!(ended.code, Some(0), "{what}: {arguments:?}: {ended:?}");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(reported), "{what}: {arguments:?}: {text}");
            let now = fs::metadata(&file).unwrap();
            assert_eq!((now.ino(), now.mode() & 0o777), (inode, 0o640), "{what}: {arguments:?}");
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("plant") && text.starts_with("# mine\nstore = \"file\"   # encrypted\n"), "{text}");
        for dir in [file.parent().unwrap(), &bench.data_dir()] {
            let left = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
            let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".config")).collect();
            assert!(left.is_empty(), "{what}: {left:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_writer_was_killed_is_read_whole_reported_and_finished() {
    let (bench, file) = bench().await;
    let before = fs::read_to_string(&file).unwrap();
    let after = before.replace("\"factory\"", "\"plant\"  ");
    let written = after.find("plant").unwrap() + 3;
    let torn = format!("{}{}", &after[..written], &before[written..]);
    assert!(torn != before && torn != after, "{torn}");
    fs::write(&file, &torn).unwrap();
    let copy = |ending: &str| file.with_file_name(format!(".config.toml.manutop-{ending}"));
    fs::write(copy("before"), &before).unwrap();
    fs::write(copy("after"), &after).unwrap();
    let listed = bench.run(&["list", "--json"], 0);
    assert!(listed.stdout.contains("\"plant\"") && !listed.stdout.contains("\"factory\""), "{listed:?}");
    let checked = bench.run(&["config", "check"], 0);
    assert!(checked.stderr.contains("only half written") && checked.stderr.contains("cp "), "{checked:?}");
    let doctor = Program::start(&mut bench.command(&["doctor"])).end();
    assert!(doctor.stdout.contains("only half written"), "{doctor:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), torn, "reading changes nothing");
    bench.run(&["remove", "plant", "--yes", "--keep-tokens"], 0);
    assert!(!copy("before").exists() && !copy("after").exists());
    assert!(!fs::read_to_string(&file).unwrap().contains("plant"));
}
