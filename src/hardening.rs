//! What the operating system keeps from this process's memory: core dumps, and attachment by other programs of the
//! same user.
//!
//! On Linux the process is not dumpable: it leaves no core dump, also where `core_pattern` is a pipe, and neither
//! `ptrace` nor `/proc/PID/mem` nor `/proc/PID/environ` works for a process without `CAP_SYS_PTRACE`. On every Unix
//! the soft limit of core files is 0. macOS can refuse debuggers through `ptrace` only, which takes unsafe code;
//! Windows writes no dump unless an administrator asks for one.
//!
//! The kernel makes a process dumpable again when it executes another program. The limit is inherited by child
//! processes, which may raise it; a program that replaces this one gets its limit back. Memory is not locked:
//! secrets are copied by TLS, the allocator and the terminal, and `RLIMIT_MEMLOCK` is too small for all of it.

#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit of core files that the process was started with.
#[cfg(unix)]
static CORE_LIMIT: OnceLock<Rlimit> = OnceLock::new();

/// Protects this process. To be called first, before any secret is in memory.
pub fn protect() {
    #[cfg(target_os = "linux")]
    {
        // Kernels that refuse this do not exist; a sandbox that does must not keep the program from working.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        let limit = *CORE_LIMIT.get_or_init(|| getrlimit(Resource::Core));
        // Lowering a limit is always allowed.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
    }
}

/// Restores the limit of core files for a program that is about to replace this one.
pub fn restore_core_limit() {
    #[cfg(unix)]
    if let Some(limit) = CORE_LIMIT.get() {
        // It is at most the hard limit, which was not changed.
        let _ = setrlimit(Resource::Core, *limit);
    }
}
