//! The page that leads a browser to a login URL, so that the URL is in no argument list: every user of
//! the machine can read those, and finish the login with an account of their own.
//!
//! Invariants: only its owner can read a page; it is removed when the login ends, and what a killed
//! process left is removed before the next page is written.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use html_escape::encode_quoted_attribute;
use tempfile::TempDir;
use url::Url;

/// What the directories of pages are called.
const PREFIX: &str = "manutop-login-";
const PAGE: &str = "login.html";

/// A page on disk, removed when dropped.
#[derive(Debug)]
pub(crate) struct LoginPage {
    /// Locked as long as the page is needed.
    _file: File,
    /// Holds the page alone.
    _directory: TempDir,
    url: String,
}

impl LoginPage {
    /// Writes a page that leads to `target`, in a private directory below `place`.
    pub(crate) fn write(place: &Path, target: &str) -> io::Result<Self> {
        #[cfg(unix)]
        remove_left(place);
        let directory = private_directory(place)?;
        let path = directory.path().join(PAGE);
        let mut file = create(&path)?;
        file.write_all(html(target).as_bytes())?;
        let url = Url::from_file_path(&path).map_err(|()| io::Error::other("its path is not absolute"))?;
        Ok(Self { _file: file, _directory: directory, url: url.into() })
    }

    /// The page's own URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Where the browser can read a page: browsers in a snap see neither hidden nor system-wide directories,
/// only the home directory itself.
pub(crate) fn place() -> PathBuf {
    let directory = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(home) = directory("HOME").filter(|home| cfg!(target_os = "linux") && home.join("snap").is_dir()) {
        return home;
    }
    directory("XDG_RUNTIME_DIR").filter(|path| is_own(path)).unwrap_or_else(std::env::temp_dir)
}

/// Whether a directory is this user's.
#[cfg(unix)]
fn is_own(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(path).is_ok_and(|is| is.is_dir() && is.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_own(path: &Path) -> bool {
    path.is_dir()
}

fn private_directory(place: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(place)
}

/// Creates the page, still empty. It has its name once it is locked, so no other process takes it for
/// one that was left.
#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let unlocked = path.with_extension("new");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unlocked)?;
    file.try_lock()?;
    fs::rename(unlocked, path)?;
    Ok(file)
}

/// A lock would keep the browser from reading it.
#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Removes the pages of processes that were killed: no process has them locked.
#[cfg(unix)]
fn remove_left(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let names_page = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
    for path in entries.flatten().filter(|entry| names_page(&entry.file_name())).map(|entry| entry.path()) {
        let is_left = || is_own(&path) && File::open(path.join(PAGE)).is_ok_and(|page| page.try_lock().is_ok());
        if is_left() {
            // What cannot be removed now is tried at the next login.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// The page: no script, nothing loaded, and the login's server does not learn where it is.
fn html(target: &str) -> String {
    let target = encode_quoted_attribute(target);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'\">\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta http-equiv=\"refresh\" content=\"0; url={target}\"><title>manutop: log in</title></head>\
         <body><p><a href=\"{target}\">Continue to the login</a></p></body></html>\n"
    )
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::{LoginPage, PAGE, PREFIX, html};

    #[test]
    fn only_its_owner_can_read_a_page_and_it_is_removed_with_its_directory() {
        let place = tempfile::tempdir().unwrap();
        let page = LoginPage::write(place.path(), "https://a.example/?state=x").unwrap();
        let directory = fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(fs::metadata(directory.join(PAGE)).unwrap().mode() & 0o7777, 0o600);
        assert!(page.url().starts_with("file:///") && page.url().ends_with("/login.html"), "{}", page.url());
        drop(page);
        assert!(!directory.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_another_needs_is_not() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(format!("{PREFIX}left"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(PAGE), "old").unwrap();
        let other = place.path().join("manutop-other");
        fs::create_dir(&other).unwrap();
        let first = LoginPage::write(place.path(), "https://a.example/").unwrap();
        assert!(!left.exists() && other.exists());
        let second = LoginPage::write(place.path(), "https://a.example/").unwrap();
        for page in [first, second] {
            let file = url::Url::parse(page.url()).unwrap().to_file_path().unwrap();
            assert!(file.exists());
        }
    }

    #[test]
    fn no_url_becomes_markup() {
        let page = html("https://a.example/?a=1&b=\"><script>'");
        assert!(page.contains("url=https://a.example/?a=1&amp;b=&quot;&gt;&lt;script&gt;&#x27;\""), "{page}");
        assert!(!page.contains("<script>"));
    }
}
