//! The file that keeps the dashboard's view for the next start, in the data directory.
//!
//! It is private to its owner, holds no secret and decides nothing. Whatever is in it, the dashboard opens: a damaged
//! file is ignored. It is replaced as a whole at the end of a run that changed something, so of several dashboards the
//! last one closed wins.

use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::dashboard::kept_view::KeptView;
use crate::secrets::private_files;

/// Its name in the data directory.
const FILE: &str = "view.json";
/// The largest file that is read, in bytes: ten thousand favourites take less.
const MAX_SIZE: u64 = 1024 * 1024;

/// Reads the view that the last run left; `None` where there is none. Blocks while it reads one small file.
///
/// # Errors
/// What to say of a file that cannot be used.
pub fn read(data_dir: &Path) -> Result<Option<KeptView>, String> {
    let path = data_dir.join(FILE);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let view = private_files::whole_text(&path, MAX_SIZE).and_then(|text| KeptView::parse(&text));
    view.map(Some).ok_or_else(|| format!("{FILE} in the data directory is damaged; starting with the default view"))
}

/// Writes the view, if it is not `before`, as it was read. Blocks on the disk.
///
/// # Errors
/// Why the file cannot be written.
pub fn write(data_dir: &Path, before: Option<&KeptView>, view: &KeptView) -> Result<(), String> {
    if before.map_or_else(|| *view == KeptView::default(), |before| before == view) {
        return Ok(());
    }
    private_files::data_dir(data_dir).map_err(|error| error.to_string())?;
    replace(&data_dir.join(FILE), &view.text()).map_err(|error| error.to_string())
}

/// Replaces the file as a whole. Two dashboards may end at once, so each has a temporary file of its own; it is private
/// to its owner.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    let mut file = tempfile::Builder::new().prefix(".view-").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FILE, read, write};
    use crate::dashboard::kept_view::KeptView;

    fn other() -> KeptView {
        KeptView::parse(r#"{"version": 1, "grouped": true, "favourites": ["factory"]}"#).unwrap()
    }

    #[test]
    fn a_view_is_read_back_from_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        assert_eq!(read(&data_dir), Ok(None));
        write(&data_dir, None, &other()).unwrap();
        assert_eq!(read(&data_dir), Ok(Some(other())));
        write(&data_dir, Some(&other()), &KeptView::default()).unwrap();
        assert_eq!(read(&data_dir), Ok(Some(KeptView::default())));
        assert_eq!(fs::read_dir(&data_dir).unwrap().count(), 1, "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_run_that_changed_nothing_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), None, &KeptView::default()).unwrap();
        write(dir.path(), Some(&other()), &other()).unwrap();
        assert_eq!(read(dir.path()), Ok(None));
    }

    #[test]
    fn a_damaged_file_or_another_format_is_named_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let whole = other().text();
        let version_2 = whole.replacen("\"version\": 1", "\"version\": 2", 1);
        for text in ["", "\0", "7", &version_2, &whole[..whole.len() / 2], &whole.replace("\"factory\"", "\"../a\"")] {
            fs::write(&path, text).unwrap();
            let why = read(dir.path()).unwrap_err();
            assert!(why.starts_with("view.json in the data directory is damaged"), "{text}: {why}");
        }
        write(dir.path(), None, &other()).unwrap();
        assert_eq!(read(dir.path()), Ok(Some(other())));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(read(dir.path()).is_err());
    }
}
