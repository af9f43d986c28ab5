//! The limit of open files: raised at start, the original given to the programs that manutop starts, and named where
//! it is reached.
//!
//! Many systems give a program 1,024 open files at first and let it raise that. Programs that call `select(2)` rely on
//! the low number, so they get it back.

use std::io;
use std::sync::OnceLock;

/// As many as are asked for at most: some programs and libraries walk through all numbers up to the limit.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

/// The soft limit that manutop was started with, once it has been raised.
static ORIGINAL: OnceLock<u64> = OnceLock::new();

/// Raises the soft limit of open files as far as the system allows. To be called once, at start.
pub fn raise() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
        if let Some(original) = current.filter(|current| *current < wanted)
            && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok()
        {
            let _ = ORIGINAL.set(original);
        }
    }
}

/// Gives this process the original limit back, right before another program takes its place.
pub fn restore_for_exec() {
    #[cfg(unix)]
    if let Some(original) = ORIGINAL.get() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        // A program with the higher limit is better than none.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(*original), maximum });
    }
}

/// Gives a child that was just started the original limit. The child may see the higher one for a moment; lowering our
/// own around its start would let other threads run out of file descriptors. Does nothing but on Linux.
pub fn restore_for_child(pid: Option<u32>) {
    #[cfg(target_os = "linux")]
    if let (Some(original), Some(pid)) = (ORIGINAL.get(), pid.and_then(|pid| i32::try_from(pid).ok())) {
        use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        let limit = Rlimit { current: Some(*original), maximum };
        // A child that has ended, or runs as another user, keeps what it has.
        let _ = Pid::from_raw(pid).map(|pid| prlimit(Some(pid), Resource::Nofile, limit));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = pid;
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
    use super::{explained, is_reached};
    use rustix::io::Errno;
    use std::io;

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
