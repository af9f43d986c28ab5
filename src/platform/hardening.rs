//! What the operating system keeps from this process's memory: core dumps, and attachment by other programs of the
//! same user.
//!
//! On Linux the process is not dumpable: it leaves no core dump, also where `core_pattern` is a pipe, and neither
//! `ptrace` nor `/proc/PID/mem` nor `/proc/PID/environ` works for a process without `CAP_SYS_PTRACE`. The kernel makes a
//! process dumpable again when it executes another program. On every Unix the limit of core files is 0, see
//! [`limits`](crate::platform::limits). macOS can refuse debuggers through `ptrace` only, which takes unsafe code; Windows writes no
//! dump unless an administrator asks for one.
//!
//! Memory is not locked: secrets are copied by TLS, the allocator and the terminal, and `RLIMIT_MEMLOCK` is too small for
//! all of it.

/// Protects this process. To be called first, before any secret is in memory.
pub fn protect() {
    #[cfg(target_os = "linux")]
    {
        // Kernels that refuse this do not exist; a sandbox that does must not keep the program from working.
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
