//! The configuration file as it is to be replaced.

use std::fs::Permissions;
use std::path::Path;
use std::{fs, io};

/// The file, and how much of it must stay as it is.
#[derive(Debug, Clone)]
pub(super) struct ReplacePlace<'a> {
    /// As it was named.
    pub(super) file: &'a Path,
    /// Where links lead to.
    pub(super) target: &'a Path,
    /// `None` where there is no file yet.
    pub(super) mode: Option<&'a Permissions>,
}

/// Makes what was renamed in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
