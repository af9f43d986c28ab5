//! A header on a descriptor that the program started from here inherits.

use std::fs::File;
use std::io;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use crate::domain::Secret;

/// A pipe that holds the header and has no writer any more. It is not closed on exec. The first reader empties it: an
/// option that names its descriptor as a file to send finds nothing there.
pub(crate) fn inherited(header: &Secret) -> io::Result<OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe()?;
    let line = Secret::new(format!("{}\n", header.expose()));
    // Elsewhere a header longer than a pipe would wait for its reader for ever; Linux makes room for up to 1 MiB.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    rustix::pipe::fcntl_setpipe_size(&writer, line.expose().len().max(4096))?;
    File::from(writer).write_all(line.expose().as_bytes())?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::inherited;
    use crate::domain::Secret;

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_header_of_any_length_is_read_whole_and_only_once() {
        for length in [10, 5_000, 66_000, 900_000] {
            let text = format!("Authorization: Bearer {}", "x".repeat(length));
            let pipe = inherited(&Secret::new(&*text)).unwrap();
            let read = || std::fs::read_to_string(format!("/dev/fd/{}", pipe.as_raw_fd())).unwrap();
            assert_eq!(read(), format!("{text}\n"));
            assert_eq!(read(), "");
        }
    }
}
