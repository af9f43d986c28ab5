//! Messages for people, on standard error.

use std::fmt::Arguments;
use std::io::Write;

use crate::domain::ConnectionName;

/// Writes a message after the program's name. Unlike `eprintln!` it does not panic if standard error is
/// closed: a closed window must not end a program that waits for an answer.
macro_rules! message {
    ($($words:tt)*) => {
        $crate::cli::support::stderr::to_stderr(format_args!($($words)*))
    };
}
pub(crate) use message;

pub(crate) fn to_stderr(words: Arguments) {
    let _ = writeln!(std::io::stderr().lock(), "manutop: {words}");
}

/// Reports which process a command waits for.
pub(crate) fn waiting(name: &ConnectionName, pid: Option<u32>) {
    match pid {
        Some(pid) => message!("{name}: waiting for process {pid}, which is using this connection"),
        None => message!("{name}: waiting for another process, which is using this connection"),
    }
}
