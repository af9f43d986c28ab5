//! Trust in files: may this path be read as configuration, hold a secret, or be written to?
//!
//! The one place where owner and mode of files that manutop did not make are checked. Configuration, passphrase file and
//! data directory are checked here before anything is run or sent. It only looks: nothing is changed.
//!
//! The rules, which follow OpenSSH's `StrictModes` and sudo:
//!
//! - Every directory and link from the root to the file is checked, those of a link as well as those of its target.
//!   Anyone who can replace one of them can replace the file.
//! - The owner must be the effective user or root. As root only root is accepted: `sudo manutop` refuses a user's files,
//!   whose `client_secret_command` would run as root and whose directory would fill with root's files.
//! - Others must not have write permission. A directory above may be writable if it is sticky, as `/tmp` is: there only
//!   owners rename. The data directory itself may not: others could create files in it under the names that manutop uses.
//! - The group must not have write permission either, unless it is private: the user's own group of the same name
//!   without other members (many systems have the umask 002), root's, or one without a name that the process is
//!   in (Kubernetes' `fsGroup`). With an access control list the group's bits are the list's mask, so there the group is
//!   never private. Accounts whose primary group it is are not searched for.
//! - A file with a secret must not be readable by group or others, unless a directory above it is closed to all but its
//!   owner, or it is on a read-only mount of its own.
//! - On a *read-only mount of its own* neither owner nor mode matter, for what is only read: it was mounted there to
//!   be read, and no other user can change it there. Containers get configuration and secrets like that, with
//!   the owner and mode of another system. It must be a mount of the file or its directory (or the one above
//!   `..data`, for Kubernetes); that of the whole system does not count, as systemd's `ProtectSystem=strict` makes it
//!   read-only for the service alone.
//! - In a user namespace without the parent's root (a rootless container, bubblewrap) root's files have the overflow
//!   owner, as do those of any user outside. Directories above may have it, the file itself may not.
//! - What manutop made in its data directory must belong to the effective user alone.
//!
//! There is no way to switch this off: as with OpenSSH and sudo, the message names the command that corrects it. On
//! file systems without owners and modes, such as Windows drives in WSL, nothing can be corrected and nothing is
//! protected; the message says to move the file.
//!
//! The check follows the opening of a file: only the owner of one of the directories, or someone who can write there,
//! could exchange the file between the two, which is refused.

mod error;
#[cfg(unix)]
mod rules;
#[cfg(unix)]
mod system;
#[cfg(unix)]
mod walk;

use std::path::Path;

pub use crate::trust::error::Untrusted;

/// What a path is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A file that says what is run and where secrets are sent.
    Configuration,
    /// A file with a secret, from systemd, which has made it readable for whom it should be.
    Credential,
    /// A file with a secret.
    Secret,
    /// The directory that manutop keeps its data in.
    DataDirectory,
    /// What manutop made in its data directory.
    Data,
}

/// Whether a path may be used. If it does not exist, the part of the way to it that exists is checked. Blocks on
/// the disk.
///
/// # Errors
/// Another user could change or read it, or it cannot be inspected.
#[cfg(unix)]
pub fn check(path: &Path, purpose: Purpose) -> Result<(), Untrusted> {
    let system = system::System::new();
    let steps = walk::steps(path).map_err(|(at, error)| Untrusted {
        purpose,
        at,
        reason: error::TrustReason::Unseen { why: error.to_string() },
    })?;
    match rules::first_fault(&steps, purpose, &system) {
        None => Ok(()),
        Some((step, fault)) => Err(error::explain(step, fault, purpose, &system)),
    }
}

/// Whether a path may be used: here, always. A user's profile is closed to other users already.
///
/// # Errors
/// None.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
pub fn check(_: &Path, _: Purpose) -> Result<(), Untrusted> {
    Ok(())
}
