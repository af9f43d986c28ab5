//! The manual pages: one a command, whole, and without a fault that man would find.

use std::path::Path;
use std::process::Command;

use clap::CommandFactory;
use manutop::cli::args::Cli;
use manutop::cli::support::exit::Exit;
use manutop::cli::support::version;

const BINARY: &str = env!("CARGO_BIN_EXE_manutop");

fn pages() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY).arg("man").arg(dir.path().join("new/man1")).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    dir
}

fn page(dir: &tempfile::TempDir, name: &str) -> String {
    let file = dir.path().join("new/man1").join(format!("{name}.1"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The text without what roff escapes in it.
fn plain(page: &str) -> String {
    page.replace("\\-", "-").replace("\\*(Aq", "'").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "")
}

#[test]
fn every_command_has_a_page_with_all_its_options() {
    let dir = pages();
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let mut waiting = vec![("manutop".to_owned(), all)];
    let mut seen = 0;
    while let Some((name, command)) = waiting.pop() {
        let text = plain(&page(&dir, &name));
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(text.contains(&format!("--{option}")), "{name} --{option}: {text}");
        }
        assert!(text.contains(&command.get_about().unwrap().to_string().replace('\n', " ")), "{name}: {text}");
        waiting.extend(command.get_subcommands().map(|sub| (format!("{name}-{}", sub.get_name()), sub.clone())));
        seen += 1;
    }
    assert_eq!(std::fs::read_dir(dir.path().join("new/man1")).unwrap().count(), seen);
}

#[test]
fn the_first_page_has_exit_status_environment_and_files() {
    let text = plain(&page(&pages(), "manutop"));
    for exit in Exit::ALL {
        assert!(text.contains(&format!(".TP\n{}\n{}\n", exit as u8, exit.meaning())), "{exit:?}: {text}");
    }
    for words in
        ["MANUTOP_CONFIG\nSame as --config.\n", "MANUTOP_PASSPHRASE_FILE", "/.config/manutop/config.toml", "SEE ALSO"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = Command::new(BINARY).arg("man").arg(file.join("man1")).output().unwrap();
    let reported = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{reported}");
    assert!(reported.contains("file/man1: the manual pages cannot be written: "), "{reported}");
}

#[test]
#[ignore = "needs man-db; scripts/test runs it"]
fn man_shows_every_page_without_a_warning() {
    let dir = pages();
    for entry in std::fs::read_dir(dir.path().join("new/man1")).unwrap() {
        let file = entry.unwrap().path();
        let mut man = Command::new("man");
        man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100").args(["--warnings", "--local-file"]).arg(&file);
        let output = man.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", file.display());
        let shown = String::from_utf8(output.stdout).unwrap();
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"] {
            assert!(shown.contains(heading), "{heading} is not in {}: {shown}", file.display());
        }
    }
}

#[test]
fn the_version_names_the_commit_of_the_checkout() {
    let output = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output.ok().filter(|output| output.status.success()).map(|output| String::from_utf8(output.stdout).unwrap())
    };
    let short = concat!("manutop ", env!("CARGO_PKG_VERSION"));
    assert_eq!(output(BINARY, &["-V"]).unwrap().trim(), short);
    let long = output(BINARY, &["--version"]).unwrap();
    assert_eq!(long.trim(), format!("manutop {}", version::LONG));
    // An archive of the sources has no commit; then there is the version alone.
    if let Some(commit) = output("git", &["rev-parse", "HEAD"])
        && Path::new(env!("CARGO_MANIFEST_DIR")).join(".git").exists()
    {
        assert!(long.starts_with(&format!("{short} ({} {}", &commit[..9], version::DATE)), "{long}");
    } else {
        assert!(long.starts_with(short), "{long}");
    }
}
