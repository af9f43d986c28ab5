//! Messages for people, on standard error.

use std::fmt::Arguments;
use std::io::Write;

use crate::domain::ConnectionName;

/// Says something, after the program's name. Unlike `eprintln!` it does not panic when nobody
/// can hear it: a window that was closed must not end a program that has an answer to wait for.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::cli::support::stderr::to_stderr(format_args!($($words)*))
    };
}
pub(crate) use say;

pub(crate) fn to_stderr(words: Arguments) {
    let _ = writeln!(std::io::stderr().lock(), "manutop: {words}");
}

/// Says for whom a command that changes what is kept waits.
pub(crate) fn waiting(name: &ConnectionName, pid: Option<u32>) {
    match pid {
        Some(pid) => say!("{name}: waiting for process {pid}, which works on it"),
        None => say!("{name}: waiting for another process, which works on it"),
    }
}
