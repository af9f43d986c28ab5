//! Unix sockets and their files. Connections are accepted by [`crate::local_server`].
//!
//! Invariants: a Unix socket is its owner's alone (0600) from the first moment on; of what lies at its path, nothing
//! is replaced but a socket of our own on which no one listens any more.

#[cfg(unix)]
pub use unix::OwnFile;
#[cfg(unix)]
pub use unix::SocketError;
#[cfg(unix)]
pub use unix::bind;

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::io::ErrorKind;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    use rustix::fs::Mode;
    use thiserror::Error;
    use tokio::net::{UnixListener, UnixSocket};

    /// How many may wait to be let in.
    const BACKLOG: u32 = 128;

    /// Why a Unix socket cannot be had.
    #[derive(Debug, Error)]
    pub enum SocketError {
        /// The system refuses.
        #[error("{0}")]
        Io(#[from] io::Error),
        /// Something lies at the path that is not ours to replace: what, and what to do.
        #[error("{0}")]
        Occupied(&'static str),
    }

    /// The file of a socket, removed with it unless another one lies there by then.
    #[derive(Debug)]
    pub struct OwnFile {
        path: PathBuf,
        identity: (u64, u64),
    }

    impl Drop for OwnFile {
        fn drop(&mut self) {
            if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
                // What is left is taken for what it is at the next start.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
    }

    /// Listens on a Unix socket at `path`. To be called on a tokio runtime.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn bind(path: &Path) -> Result<(UnixListener, OwnFile), SocketError> {
        make_room(path)?;
        let socket = UnixSocket::new_stream()?;
        // Linux makes the file with the socket's own mode; elsewhere this does nothing, and the
        // mode is set right after.
        let _ = rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR);
        socket.bind(path)?;
        let file = OwnFile { path: path.to_owned(), identity: identity(path)? };
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok((socket.listen(BACKLOG)?, file))
    }

    /// Removes a socket of ours whose process is gone; anything else is left as it is.
    fn make_room(path: &Path) -> Result<(), SocketError> {
        let file = match fs::symlink_metadata(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if !file.file_type().is_socket() {
            return Err(SocketError::Occupied("there is a file that is no socket; name another path, or remove it"));
        }
        if file.uid() != rustix::process::geteuid().as_raw() {
            return Err(SocketError::Occupied("the socket there belongs to another user; name another path"));
        }
        match UnixStream::connect(path) {
            Ok(_) => Err(SocketError::Occupied("another process listens there; give each a socket of its own")),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(test)]
    mod tests {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;
        use std::os::unix::net::UnixListener;
        use std::path::Path;

        use super::{SocketError, bind};

        fn occupied(path: &Path) -> &'static str {
            match bind(path) {
                Err(SocketError::Occupied(why)) => why,
                other => panic!("{other:?}"),
            }
        }

        #[tokio::test]
        async fn it_is_its_owner_s_alone_and_replaces_only_what_is_dead() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("http");
            // Left by a process that was killed: nothing listens, the file is there.
            drop(UnixListener::bind(&path).unwrap());
            assert!(path.exists());
            let bound = bind(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(occupied(&path).contains("another process listens"));
            drop(bound);
            assert!(!path.exists(), "its file goes with it");
            fs::write(&path, "a letter").unwrap();
            assert!(occupied(&path).contains("no socket"));
            assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
            fs::remove_file(&path).unwrap();
            let first = bind(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let second = bind(&path).unwrap();
            drop(first);
            assert!(path.exists(), "another's file stays");
            drop(second);
        }
    }
}
