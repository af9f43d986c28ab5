//! Lines on standard output, as long as someone reads them.
//!
//! Invariants: a line is whole, and written at once; a thread of its own writes, since a pipe that
//! no one reads blocks, and must not keep a signal from ending the program.

use std::io::{ErrorKind, Write};
use std::{io, thread};

use eyre::Report;
use tokio::sync::{mpsc, oneshot};

use crate::cli::support::exit::Exit;

/// Where lines go, and where how writing ended is reported.
pub(crate) type StdoutWriter = (mpsc::Sender<Vec<String>>, oneshot::Receiver<io::Result<()>>);

/// Begins to write; it ends with the sender, or with the first failure.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start_writing() -> io::Result<StdoutWriter> {
    let (lines, mut waiting) = mpsc::channel::<Vec<String>>(1);
    let (done, written) = oneshot::channel();
    thread::Builder::new().name("writer".into()).spawn(move || {
        let mut write_all = || {
            while let Some(lines) = waiting.blocking_recv() {
                write(&lines)?;
            }
            Ok(())
        };
        // No one waits any more where the program ends.
        let _ = done.send(write_all());
    })?;
    Ok((lines, written))
}

/// How a command ends whose writing has ended so.
///
/// # Errors
/// Standard output cannot be written, for another reason than that no one reads it any more.
pub(crate) fn end(written: io::Result<()>) -> Result<Exit, Report> {
    match written {
        // The reader has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Ok),
    }
}

fn write(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
        out.flush()?;
    }
    Ok(())
}
