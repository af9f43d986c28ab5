//! A header on a descriptor that the program started from here inherits.

use std::fs::File;
use std::io::{self, Write as _};
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::os::fd::OwnedFd;

use crate::domain::Secret;

/// A file in memory that holds the header, however long it is. It is not closed on exec.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn inherited(header: &Secret) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags};

    let mut file = File::from(rustix::fs::memfd_create("header", MemfdFlags::ALLOW_SEALING)?);
    write(&mut file, header)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file)
}

/// A pipe that holds the header. It is not closed on exec.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn inherited(header: &Secret) -> io::Result<OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe()?;
    write(&mut File::from(writer), header)?;
    Ok(reader)
}

fn write(file: &mut File, header: &Secret) -> io::Result<()> {
    file.write_all(header.expose().as_bytes())?;
    file.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::{Secret, inherited};

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_header_of_any_length_is_read_whole() {
        let text = format!("Authorization: Bearer {}", "x".repeat(900_000));
        let file = inherited(&Secret::new(&*text)).unwrap();
        let read = std::fs::read_to_string(format!("/dev/fd/{}", file.as_raw_fd())).unwrap();
        assert_eq!(read, format!("{text}\n"));
    }
}
