//! Replacing the configuration file: by a rename, or in place where a rename is impossible, as over
//! a file that is a mount point.
//!
//! Invariant: [`check`] says beforehand whether [`put`] can do its work, and changes nothing.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::{fs, io};

use crate::config::in_place;
use crate::config::replace_place::{ReplacePlace, sync_dir};

/// The directory a file lies in, made for its owner alone where it is not there yet.
pub(super) fn directory_of(target: &Path) -> io::Result<&Path> {
    let dir = parent(target)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    Ok(dir)
}

/// Replaces a file, durably.
pub(super) fn put(place: &ReplacePlace<'_>, text: &str) -> io::Result<()> {
    either(place, || by_rename(place, text), || in_place::write(place, text.as_bytes()))?;
    in_place::discard_copies(place);
    Ok(())
}

/// Whether [`put`] could replace the file by one of so many bytes.
pub(super) fn check(place: &ReplacePlace<'_>, bytes: usize) -> io::Result<()> {
    either(place, || can_rename(place, bytes), || in_place::check(place, bytes))
}

/// The first way, or the second where the system does not allow the first.
fn either(
    place: &ReplacePlace<'_>,
    rename: impl FnOnce() -> io::Result<()>,
    write: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let refused = match rename() {
        Ok(()) => return Ok(()),
        Err(error) if place.mode.is_none() || !is_refused(&error) => return Err(error),
        Err(error) => error,
    };
    write().map_err(|error| {
        io::Error::other(format!(
            "it cannot be replaced ({refused}) or written in place ({error}); make it \
             writable, or change it where it comes from"
        ))
    })
}

/// Whether the system forbids a new file there, as against having no room for it.
fn is_refused(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::ResourceBusy
            | ErrorKind::CrossesDevices
            | ErrorKind::Unsupported
            | ErrorKind::InvalidInput
    )
}

fn by_rename(place: &ReplacePlace<'_>, text: &str) -> io::Result<()> {
    let dir = directory_of(place.target)?;
    // Made for its owner alone.
    let mut temporary = tempfile::Builder::new().prefix(".manutop-").tempfile_in(dir)?;
    temporary.write_all(text.as_bytes())?;
    if let Some(mode) = place.mode {
        keep_owner(place.target, temporary.as_file());
        temporary.as_file().set_permissions(mode.clone())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(place.target).map_err(|error| error.error)?;
    sync_dir(dir)
}

/// Gives the new file the owner of the old one, as far as the system lets us.
#[cfg(unix)]
fn keep_owner(target: &Path, new: &fs::File) {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(old), Ok(now)) = (fs::metadata(target), new.metadata()) else { return };
    if (old.uid(), old.gid()) != (now.uid(), now.gid()) {
        let _ = std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::File) {}

/// Tries all of [`by_rename`] beside the file, on two files that go again.
fn can_rename(place: &ReplacePlace<'_>, bytes: usize) -> io::Result<()> {
    let dir = existing(parent(place.target)?);
    let make = || tempfile::Builder::new().prefix(".manutop-").tempfile_in(dir);
    let (mut new, old) = (make()?, make()?);
    new.write_all(&vec![b'#'; bytes])?;
    new.persist(old.path()).map_err(|error| error.error)?;
    if place.mode.is_some() { obstacle(place.target) } else { Ok(()) }
}

/// What keeps this very file from being replaced, though others beside it can be.
#[cfg(target_os = "linux")]
fn obstacle(target: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    use rustix::io::Errno;

    const STICKY: u32 = 0o1000;
    // A kernel that does not know this call refuses the rename itself, later.
    if let Ok(found) = statx(CWD, target, AtFlags::empty(), StatxFlags::BASIC_STATS) {
        if found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return Err(Errno::BUSY.into());
        }
        if found.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND) {
            return Err(Errno::PERM.into());
        }
    }
    let (dir, file) = (fs::metadata(parent(target)?)?, fs::metadata(target)?);
    let me = rustix::process::geteuid().as_raw();
    let is_sticky = dir.mode() & STICKY != 0;
    if is_sticky && me != 0 && me != file.uid() && me != dir.uid() {
        return Err(Errno::PERM.into());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the version for Linux can fail")]
fn obstacle(_: &Path) -> io::Result<()> {
    Ok(())
}

fn parent(target: &Path) -> io::Result<&Path> {
    target.parent().ok_or_else(|| io::Error::other("it has no parent directory"))
}

/// The nearest directory above that is there.
fn existing(dir: &Path) -> &Path {
    dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(dir)
}
