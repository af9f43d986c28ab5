//! The one change that manutop makes to the configuration file: which store is in use, after a
//! move. Comments, order and everything else stay as they were written.
//!
//! Invariant: the file is replaced as a whole, with its mode, where a link leads to; it is read
//! again before the change counts.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use toml_edit::{DocumentMut, Item, Value};

use super::{ConfigError, StoreKind, text};

/// Makes the configuration file name this store. A file that is not there is made.
///
/// # Errors
/// When the file is no TOML, or cannot be read or replaced; it is then as it was.
pub fn set_store(file: &Path, kind: StoreKind) -> Result<(), ConfigError> {
    let unread = |source| ConfigError::Read { file: file.to_owned(), source };
    let unwritten = |source| ConfigError::Write { file: file.to_owned(), source };
    let (target, old, mode) = match fs::canonicalize(file) {
        Ok(target) => {
            let old = fs::read_to_string(&target).map_err(unread)?;
            let mode = fs::metadata(&target).map_err(unread)?.permissions();
            (target, old, Some(mode))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => (file.to_owned(), String::new(), None),
        Err(error) => return Err(unread(error)),
    };
    let new = with_store(&old, kind).map_err(|offset| {
        let (line, column) = text::position(&old, offset);
        unwritten(io::Error::other(format!("line {line}, column {column} is not valid TOML")))
    })?;
    replace(&target, &new, mode).map_err(unwritten)
}

/// The text with `store` set; where it is no TOML, the offset of the first fault.
fn with_store(old: &str, kind: StoreKind) -> Result<String, usize> {
    let (mark, body) = old.strip_prefix('\u{feff}').map_or(("", old), |body| ("\u{feff}", body));
    let mut document: DocumentMut =
        body.parse().map_err(|error: toml_edit::TomlError| error.span().map_or(0, |span| span.start + mark.len()))?;
    let mut value = Value::from(kind.word());
    match document.get_mut("store") {
        Some(Item::Value(present)) => {
            *value.decor_mut() = present.decor().clone();
            *present = value;
        }
        _ => {
            document.insert("store", Item::Value(value));
        }
    }
    Ok(format!("{mark}{document}"))
}

fn replace(target: &Path, text: &str, mode: Option<Permissions>) -> io::Result<()> {
    let dir = target.parent().ok_or_else(|| io::Error::other("it lies in no directory"))?;
    fs::create_dir_all(dir)?;
    let mut temporary = tempfile::Builder::new().prefix(".manutop-").tempfile_in(dir)?;
    temporary.write_all(text.as_bytes())?;
    if let Some(mode) = mode {
        temporary.as_file().set_permissions(mode)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{StoreKind, set_store, with_store};

    #[test]
    fn only_the_value_changes() {
        let old = "# mine\r\n\r\nstore   =  'keyring'   # the desktop's\r\nlogin_timeout_seconds = 60\r\n\r\n\
                   # first\r\n[[connections]]\r\nname = \"factory\" # x\r\n";
        let new = with_store(old, StoreKind::File).unwrap();
        assert_eq!(new.replace("\r\n", "\n"), old.replace("'keyring'", "\"file\"").replace("\r\n", "\n"));
        assert_eq!(with_store(&new, StoreKind::File).unwrap(), new);
    }

    #[test]
    fn a_missing_key_is_put_before_all_tables_and_comments_stay_with_theirs() {
        let old = "# about the factory\n[[connections]]\nname = \"factory\"\n";
        let new = with_store(old, StoreKind::File).unwrap();
        assert_eq!(new.parse::<toml::Table>().unwrap()["store"].as_str(), Some("file"), "{new}");
        assert!(new.ends_with(old), "{new}");
    }

    #[test]
    fn broken_toml_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        fs::write(&file, "a = 1\nhunter2\n").unwrap();
        let error = set_store(&file, StoreKind::File).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a = 1\nhunter2\n");
    }

    #[test]
    fn a_missing_file_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/config.toml");
        set_store(&file, StoreKind::Keyring).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "store = \"keyring\"\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_the_mode_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (link, real) = (dir.path().join("config.toml"), dir.path().join("dotfiles.toml"));
        fs::write(&real, "store = \"keyring\"\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set_store(&link, StoreKind::File).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), real);
        assert_eq!(fs::read_to_string(&real).unwrap(), "store = \"file\"\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&real), 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
