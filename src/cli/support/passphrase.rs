//! Where the passphrase of the encrypted store comes from: systemd's credentials, a file, the
//! environment, or a person; the first of these that is there counts.
//!
//! Invariant: a source that is there but cannot be used is an error, never passed over: else
//! a person would end up asked, or with another passphrase than the one they meant.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::{ErrorKind, IsTerminal, Read as _};
use std::path::{Path, PathBuf};

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::prompt;
use crate::cli::support::stderr::message;
use crate::domain::Secret;
use crate::domain::passphrase::weakness;
use crate::secrets::encrypted_file::Passphrase;
use crate::trust;
use crate::trust::Purpose;

/// The name of the credential in systemd's directory.
const CREDENTIAL: &str = "manutop";
const FILE: &str = "MANUTOP_PASSPHRASE_FILE";
const VALUE: &str = "MANUTOP_PASSPHRASE";

/// The longest passphrase taken, in bytes.
const MAX: u64 = 4096;

/// The passphrase that was given without a person, if any.
pub(crate) fn given() -> Result<Option<Passphrase>, CliError> {
    given_in(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn given_in(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Passphrase>, CliError> {
    if let Some(directory) = variable("CREDENTIALS_DIRECTORY") {
        let path = PathBuf::from(directory).join(CREDENTIAL);
        match File::open(&path) {
            Ok(file) => {
                judge(&path, Purpose::Credential, &path.display().to_string())?;
                return from_file(file, &path).map(Some);
            }
            // A service may have credentials of which none is ours.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refuse(&path.display().to_string(), &format!("cannot be read: {error}"))),
        }
    }
    if let Some(path) = variable(FILE).map(PathBuf::from) {
        let whose = format!("{FILE}: {}", path.display());
        let file = File::open(&path).map_err(|error| refuse(&whose, &format!("cannot be read: {error}")))?;
        // Before it is read: relative ones are relative to where manutop was started.
        judge(&std::path::absolute(&path).unwrap_or_else(|_| path.clone()), Purpose::Secret, &whose)?;
        return from_file(file, &path).map(Some);
    }
    let Some(value) = variable(VALUE) else { return Ok(None) };
    let value = value.into_string().map_err(|_| refuse(VALUE, "is not UTF-8"))?;
    Ok(Some(Passphrase { secret: Secret::new(value), from: format!("of {VALUE}") }))
}

/// Asks the person at the terminal, twice where a passphrase is chosen; `None` where no one is
/// there to be asked.
pub(crate) fn ask(new: bool) -> Result<Option<Secret>, CliError> {
    // Standard input may be a pipe with a client secret in it: the prompt opens the terminal itself.
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Ok(None);
    }
    let ask = |words: &str| {
        prompt::hidden(words).map_err(|error| {
            CliError::new(Exit::StoreUnavailable, format!("no passphrase could be asked for: {error}"))
        })
    };
    if !new {
        return ask("Passphrase of the encrypted store: ").map(Some);
    }
    message!("creating the encrypted store. Choose a passphrase; without it, nothing in the store can ever be read.");
    loop {
        let chosen = ask("New passphrase: ")?;
        if let Some(why) = weakness(&chosen) {
            message!("this passphrase is too weak: {why}; four random words are strong");
        } else if ask("Repeat the passphrase: ")? == chosen {
            return Ok(Some(chosen));
        } else {
            message!("the passphrases differ");
        }
    }
}

fn from_file(file: File, path: &Path) -> Result<Passphrase, CliError> {
    let whose = path.display().to_string();
    // Room for everything at once: growing would leave copies behind.
    let mut text = String::with_capacity(usize::try_from(MAX).unwrap_or_default() + 1);
    let read = file.take(MAX + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| refuse(&whose, &format!("cannot be read: {error}")))?;
    if text.expose().len() as u64 > MAX {
        return Err(refuse(&whose, &format!("holds more than {MAX} bytes, which is no passphrase")));
    }
    let line = text.expose().strip_suffix('\n').unwrap_or(text.expose());
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(refuse(&whose, "holds no passphrase"));
    }
    Ok(Passphrase { secret: Secret::new(line), from: format!("in {whose}") })
}

/// Refuses a file that other users could change, or read where it should be private.
fn judge(path: &Path, purpose: Purpose, whose: &str) -> Result<(), CliError> {
    trust::check(path, purpose).map_err(|why| refuse(whose, &format!("is refused: {}", why.with_advice())))
}

fn refuse(whose: &str, why: &str) -> CliError {
    CliError::new(Exit::StoreUnavailable, format!("the passphrase of the encrypted store: {whose} {why}"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    use super::given_in;
    use crate::cli::support::exit::CliError;
    use crate::secrets::encrypted_file::Passphrase;

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        #[cfg(not(unix))]
        let _ = mode;
    }

    fn found(set: &[(&str, &Path)]) -> Result<Option<Passphrase>, CliError> {
        given_in(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn credentials_come_before_the_file_and_the_file_before_the_variable() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        write(&dir.path().join("manutop"), "from systemd\n", 0o440);
        write(&file, "from a file\r\n", 0o600);
        let all = [
            ("CREDENTIALS_DIRECTORY", dir.path()),
            ("MANUTOP_PASSPHRASE_FILE", &file),
            ("MANUTOP_PASSPHRASE", Path::new("from the variable ")),
        ];
        let expected = ["from systemd", "from a file", "from the variable "];
        for (from, expected) in expected.into_iter().enumerate() {
            assert_eq!(found(&all[from..]).unwrap().unwrap().secret.expose(), expected);
        }
        assert!(found(&[]).unwrap().is_none());
        fs::remove_file(dir.path().join("manutop")).unwrap();
        assert_eq!(found(&all).unwrap().unwrap().secret.expose(), "from a file", "other credentials are not ours");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_even_if_the_variable_is_set() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        for (mode, allowed) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o700, true)] {
            write(&file, "hunter2", 0o600);
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            let found = found(&[("MANUTOP_PASSPHRASE_FILE", &file), ("MANUTOP_PASSPHRASE", Path::new("x"))]);
            assert_eq!(found.is_ok(), allowed, "{mode:o}");
            if let Err(stop) = found {
                assert!(stop.message.contains("chmod 600") && !stop.message.contains("hunter2"), "{stop}");
            }
            fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn an_empty_a_missing_and_a_huge_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        assert!(found(&[("MANUTOP_PASSPHRASE_FILE", &file)]).is_err());
        for text in [String::new(), "\n".into(), "x".repeat(5000)] {
            write(&file, &text, 0o600);
            assert!(found(&[("MANUTOP_PASSPHRASE_FILE", &file)]).is_err(), "{} bytes", text.len());
        }
    }
}
