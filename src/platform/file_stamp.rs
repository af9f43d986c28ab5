//! How a file looks from outside: enough to know whether it was written since, without reading it.

use std::path::Path;
use std::time::SystemTime;

/// How a file looked. One that is replaced as a whole is another file: also within the grain of the
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    changed: SystemTime,
    size: u64,
    inode: u64,
}

impl Stamp {
    /// How the file looks now, wherever links lead; `None` where there is none. Blocks on the disk.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { changed: metadata.modified().ok()?, size: metadata.len(), inode })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_was_written_or_replaced_looks_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        assert_eq!(Stamp::of(&path), None);
        fs::write(&path, "one").unwrap();
        let first = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path), Some(first));
        let later = first.changed + Duration::from_nanos(100);
        fs::File::open(&path).unwrap().set_modified(later).unwrap();
        let second = Stamp::of(&path).unwrap();
        assert_ne!(first, second, "of another time");
        #[cfg(unix)]
        {
            fs::write(&other, "two").unwrap();
            fs::File::open(&other).unwrap().set_modified(later).unwrap();
            fs::rename(&other, &path).unwrap();
            let third = Stamp::of(&path).unwrap();
            assert_ne!(second, third, "another file of the same time and size");
        }
    }
}
