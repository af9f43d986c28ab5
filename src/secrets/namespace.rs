//! Keeps the tokens of different data directories apart in the one keyring of a user.
//!
//! Locks and journals live in the data directory: two data directories that shared one keyring
//! item would overwrite each other's tokens without ever sharing a lock.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The part of the keyring that belongs to one data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    suffix: String,
}

impl Namespace {
    /// The namespace of `data_dir`: plain names for the platform's default directory, and for any
    /// other one names that end in `@` and the first 8 hex digits of the SHA-256 of its path.
    ///
    /// Paths are compared with symbolic links resolved; neither needs to exist yet.
    #[must_use]
    pub fn for_data_dir(data_dir: &Path, default_data_dir: Option<&Path>) -> Self {
        let resolved = resolve(data_dir);
        if default_data_dir.is_some_and(|default| resolve(default) == resolved) {
            return Self { suffix: String::new() };
        }
        let digest = Sha256::digest(resolved.as_os_str().as_encoded_bytes());
        let suffix = digest[..4].iter().fold(String::from("@"), |mut suffix, byte| {
            write!(suffix, "{byte:02x}").expect("writing to a String cannot fail");
            suffix
        });
        Self { suffix }
    }

    /// The user name under which an item is kept in the keyring.
    #[must_use]
    pub fn user(&self, item: &str) -> String {
        format!("{item}{}", self.suffix)
    }
}

/// The path with its existing part resolved, so that it is the same before and after the
/// directory is made.
fn resolve(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).expect("an ancestor is a prefix");
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::Namespace;

    #[test]
    fn the_default_directory_has_plain_names_and_every_other_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (default, other, third) = (dir.path().join("default"), dir.path().join("other"), dir.path().join("third"));
        let plain = Namespace::for_data_dir(&default, Some(&default));
        assert_eq!(plain.user("factory/token"), "factory/token");
        let (other, third) =
            (Namespace::for_data_dir(&other, Some(&default)), Namespace::for_data_dir(&third, Some(&default)));
        assert_ne!(other.user("identity"), third.user("identity"));
        let user = other.user("factory/token");
        let (name, suffix) = user.split_once('@').unwrap();
        assert_eq!((name, suffix.len()), ("factory/token", 8));
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_has_one_name_before_and_after_it_is_made_and_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        let before = Namespace::for_data_dir(&real, None);
        std::fs::create_dir(&real).unwrap();
        assert_eq!(Namespace::for_data_dir(&real, None), before);
        assert_eq!(Namespace::for_data_dir(&link.join("real"), None), before);
    }
}
