//! The system's limits of this process: more open files, no core dumps. The programs that manutop starts get the
//! original limits back, and running out of files is named.
//!
//! Many systems give a program 1,024 open files at first and let it raise that. Programs that call `select(2)` rely on
//! the low number. Only soft limits are changed.

use std::io;

/// As many open files as are asked for at most: some programs and libraries walk through all numbers up to the limit.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

/// Raises the limit of open files as far as the system allows, and lowers that of core dumps to 0. To be called once, at
/// start.
pub fn adjust() {
    #[cfg(unix)]
    own::adjust();
}

/// Gives this process its original limits back, right before another program takes its place.
pub fn restore_for_exec() {
    #[cfg(unix)]
    own::restore_for_exec();
}

/// Gives a child that was just started the original limits. The child may see the changed ones for a moment; changing our
/// own around its start would let other threads run out of file descriptors. Does nothing but on Linux.
pub fn restore_for_child(pid: Option<u32>) {
    #[cfg(target_os = "linux")]
    own::restore_for_child(pid);
    #[cfg(not(target_os = "linux"))]
    let _ = pid;
}

#[cfg(unix)]
mod own {
    use std::sync::OnceLock;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// What was changed, as manutop was started with it.
    static ORIGINAL: OnceLock<Vec<(Resource, Rlimit)>> = OnceLock::new();

    pub(crate) fn adjust() {
        let (files, cores) = (getrlimit(Resource::Nofile), getrlimit(Resource::Core));
        let wanted = files.maximum.map_or(super::ENOUGH, |maximum| maximum.min(super::ENOUGH));
        let mut changed = Vec::new();
        if files.current.is_some_and(|current| current < wanted) {
            changed.push((Resource::Nofile, files, wanted));
        }
        if cores.current != Some(0) {
            changed.push((Resource::Core, cores, 0));
        }
        changed.retain(|(resource, before, wanted)| {
            setrlimit(*resource, Rlimit { current: Some(*wanted), ..*before }).is_ok()
        });
        let _ = ORIGINAL.set(changed.into_iter().map(|(resource, before, _)| (resource, before)).collect());
    }

    pub(crate) fn restore_for_exec() {
        for (resource, before) in ORIGINAL.get().into_iter().flatten() {
            // A program with other limits is better than none.
            let _ = setrlimit(*resource, *before);
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn restore_for_child(pid: Option<u32>) {
        use rustix::process::{Pid, prlimit};

        let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) else { return };
        for (resource, before) in ORIGINAL.get().into_iter().flatten() {
            // A child that has ended, or runs as another user, keeps what it has.
            let _ = prlimit(Some(pid), *resource, *before);
        }
    }
}

/// Whether an error says that no more files can be opened, by this process or on the whole system.
#[must_use]
pub fn is_reached(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

/// The same of an error whose words alone are left.
#[must_use]
pub fn is_named_in(words: &str) -> bool {
    cfg!(unix) && words.contains("Too many open files")
}

/// What to do when no more files can be opened.
#[must_use]
pub fn advice() -> String {
    let most = most().map_or_else(String::new, |most| format!("manutop may open {most} files; "));
    format!("{most}raise the limit (ulimit -n, or LimitNOFILE= in a systemd unit)")
}

/// The words of an error; where they say that no more files can be opened, with the advice.
#[must_use]
pub fn explained(words: String) -> String {
    if is_named_in(&words) { format!("{words}; {}", advice()) } else { words }
}

fn most() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::{explained, is_reached};

    #[test]
    fn running_out_of_file_descriptors_is_named_with_what_to_do() {
        for (errno, is_it) in [(Errno::MFILE, true), (Errno::NFILE, true), (Errno::NOSPC, false), (Errno::NOENT, false)]
        {
            let error = io::Error::from(errno);
            assert_eq!(is_reached(&error), is_it, "{error}");
            let words = explained(format!("cannot connect: {error}"));
            assert_eq!(words.contains("files; raise the limit (ulimit -n, or LimitNOFILE="), is_it, "{words}");
        }
    }
}
