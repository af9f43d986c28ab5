//! `manutop config edit`: a person edits a copy, and it replaces the file once it has no fault.
//!
//! Invariants: the file is replaced as a whole or not at all; what a person typed is never thrown
//! away: the copy is kept wherever it does not become the file; what someone else wrote meanwhile
//! is overwritten only by a person who was informed of it. The editor is given no passphrase.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fs, io};

use eyre::Report;
use tempfile::TempDir;

use crate::cli::commands::config::check::checked;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::prompt;
use crate::cli::support::stderr::message;
use crate::config;
use crate::config::Original;
use crate::platform::child_process::ChildCommand as _;

/// What is tried where neither `$VISUAL` nor `$EDITOR` is set.
#[cfg(not(windows))]
const EDITORS: [&str; 5] = ["sensible-editor", "editor", "nano", "vim", "vi"];
#[cfg(windows)]
const EDITORS: [&str; 1] = ["notepad"];

/// What a file that is not there yet begins with.
const BEGINNING: &str = r#"# The configuration of manutop; docs/configuration.md describes every key. Never put a secret in here:
# `manutop secret set NAME` stores a client secret.

# store = "keyring"   # or "file": encrypted files

# [[connections]]
# name = "factory"
# provider = "manu"
# client_id = "the client ID of your Private App"
# redirect_uri = "http://127.0.0.1:8400/callback"

# [[connections]]
# name = "hr-sync"
# provider = "manus"
# client_id = "tm_your_client_id"
"#;

/// Has the file edited until it is good, or given up.
pub(crate) fn run(file: &Path) -> Result<Exit, Report> {
    let editor = Editor::chosen()?;
    let mut original = Original::read(file).map_err(CliError::from)?;
    // Checked before the editor starts: what is written there must not be lost.
    original.check().map_err(|error| CliError::new(Exit::Failed, error))?;
    let copy = WorkingCopy::of(&original, file)?;
    loop {
        if let Err(why) = editor.edit(&copy.path) {
            return Err(copy.give_up(Exit::Failed, &why).into());
        }
        let read = config::read(&copy.path);
        let Ok(Some(text)) = read
            .and_then(|text| {
                // Faults are reported with the copy's name: that is where they can be looked at.
                text.map(|text| checked(&text, &copy.path).map(|_| text)).transpose()
            })
            .inspect_err(|error| message!("{error}"))
        else {
            match choose("Edit again, or give up?", &['e', 'g'])? {
                Some('e') => continue,
                _ => return Err(copy.give_up(Exit::Usage, &format!("{} is as it was", file.display())).into()),
            }
        };
        if original.bytes() == Some(text.as_bytes()) {
            message!("{}: nothing was changed", file.display());
            return Ok(Exit::Ok);
        }
        if !original.is_current().map_err(CliError::from)? {
            message!("{} was changed by another program", file.display());
            match choose("Edit again, overwrite, or give up?", &['e', 'w', 'g'])? {
                Some('w') => {}
                Some('e') => {
                    original = Original::read(file).map_err(CliError::from)?;
                    continue;
                }
                _ => {
                    return Err(copy
                        .give_up(Exit::Failed, &format!("{} is as the other left it", file.display()))
                        .into());
                }
            }
        }
        if let Err(error) = original.replace(&text) {
            return Err(copy.give_up(Exit::Failed, &error.to_string()).into());
        }
        message!("{} is written", file.display());
        return Ok(Exit::Ok);
    }
}

/// What a person chooses; `None` where no one can be asked.
fn choose(words: &str, choices: &[char]) -> io::Result<Option<char>> {
    if prompt::can_ask() { prompt::choose(words, choices) } else { Ok(None) }
}

/// What is edited: a file of the same name, in a directory of its own, beside the real one where there is room. What
/// editors leave behind goes with it.
struct WorkingCopy {
    dir: TempDir,
    path: PathBuf,
    /// What it began with.
    before: Vec<u8>,
}

impl WorkingCopy {
    fn of(original: &Original, file: &Path) -> Result<Self, CliError> {
        let name = file.file_name().unwrap_or(OsStr::new("config.toml"));
        let before = original.bytes().unwrap_or(BEGINNING.as_bytes());
        let beside = original.directory()?;
        // The file may be writable where its directory is not.
        let made = Self::make(beside, name, before).or_else(|_| Self::make(&std::env::temp_dir(), name, before));
        made.map_err(|error| {
            let why = format!("{}: cannot create a copy for the editor: {error}", file.display());
            CliError::new(Exit::Failed, why)
        })
    }

    fn make(dir: &Path, name: &OsStr, before: &[u8]) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".manutop-edit-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = builder.tempdir_in(dir)?;
        let path = dir.path().join(name);
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create_new(true).open(&path)?.write_all(before)?;
        Ok(Self { dir, path, before: before.to_owned() })
    }

    /// Ends without the copy becoming the file: it is kept where a person wrote something into it.
    fn give_up(self, exit: Exit, why: &str) -> CliError {
        if fs::read(&self.path).is_ok_and(|now| now == self.before) {
            return CliError::new(exit, why);
        }
        let _ = self.dir.keep();
        CliError::new(exit, format!("{why}; what you wrote is kept in {}", self.path.display()))
    }
}

/// The editor to use.
#[derive(Debug, PartialEq, Eq)]
enum Editor {
    /// Words of the variable that names it.
    Named(&'static str, Vec<String>),
    /// Whichever is there.
    Usual,
}

impl Editor {
    fn chosen() -> Result<Self, CliError> {
        Self::chosen_by(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn chosen_by(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, CliError> {
        let Some((name, value)) = ["VISUAL", "EDITOR"].into_iter().find_map(|name| Some((name, variable(name)?)))
        else {
            return Ok(Self::Usual);
        };
        let value = value.to_string_lossy().into_owned();
        if Path::new(&value).is_file() {
            return Ok(Self::Named(name, vec![value])); // a path with spaces in it
        }
        match shlex::split(&value) {
            Some(words) if !words.is_empty() => Ok(Self::Named(name, words)),
            _ => {
                Err(CliError::new(Exit::Usage, format!("${name} names no program, or has a quote that is not closed")))
            }
        }
    }

    /// Lets a person edit the file, and waits for the end.
    fn edit(&self, file: &Path) -> Result<(), String> {
        let (who, result) = match self {
            Self::Named(variable, words) => (format!("the editor of ${variable}"), start(words, file)),
            Self::Usual => ("the editor".to_owned(), start_any(file)),
        };
        match result {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{who} failed ({status})")),
            Err(error) => Err(format!("{who} cannot be started: {error}; name another with EDITOR")),
        }
    }
}

fn start_any(file: &Path) -> io::Result<ExitStatus> {
    for editor in EDITORS {
        match start(&[editor.to_owned()], file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result,
        }
    }
    Err(io::Error::new(ErrorKind::NotFound, format!("there is none of {}", EDITORS.join(", "))))
}

fn start(words: &[String], file: &Path) -> io::Result<ExitStatus> {
    // The keys are the editor's: Ctrl-C, too.
    let _patient = prompt::outlive_interrupt()?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(file);
    command.start()?.wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_new_file_begins_with_is_good_with_and_without_its_comments() {
        assert!(checked(BEGINNING, Path::new("c.toml")).unwrap().connections.is_empty());
        let is_example = |line: &&str| !line.contains("docs/") && !line.contains("secret set");
        let lines: Vec<_> = BEGINNING.lines().filter(is_example).map(|line| line.trim_start_matches("# ")).collect();
        assert_eq!(checked(&lines.join("\n"), Path::new("c.toml")).unwrap().connections.len(), 2);
    }

    #[test]
    fn visual_comes_before_editor_and_is_split_as_a_shell_would() {
        let chosen = |visual: Option<&str>, editor: Option<&str>| {
            Editor::chosen_by(|name| if name == "VISUAL" { visual } else { editor }.map(OsString::from))
        };
        let named = |variable, words: &[&str]| Editor::Named(variable, words.iter().map(ToString::to_string).collect());
        assert_eq!(chosen(None, None).unwrap(), Editor::Usual);
        assert_eq!(chosen(None, Some("vim -u 'my rc'")).unwrap(), named("EDITOR", &["vim", "-u", "my rc"]));
        assert_eq!(chosen(Some("code --wait"), Some("vi")).unwrap(), named("VISUAL", &["code", "--wait"]));
        assert!(chosen(Some("vi 'x"), None).unwrap_err().to_string().contains("$VISUAL"));
    }
}
