//! The socket that health and metrics are told on: of this machine only.
//!
//! Invariants: no address that another machine could reach is ever bound; a Unix socket is its
//! owner's alone (0600) from the first moment on; of what lies at its path, nothing is replaced but a
//! socket of our own on which nobody listens any more.

use std::fmt;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A loopback address and a port; 0 has the system choose one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    #[cfg(unix)]
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err("unix: needs a path".into()) } else { Ok(Self::Unix(path.into())) };
        }
        let say = "name a loopback address with a port, as 127.0.0.1:9464 or [::1]:9464, or unix:PATH";
        let address: SocketAddr = text.parse().map_err(|_| format!("it is no address; {say}"))?;
        if address.ip().to_canonical().is_loopback() {
            Ok(Self::Tcp(address))
        } else {
            Err(format!("other machines could reach it; {say}"))
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why it cannot be listened.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The system refuses.
    #[error("cannot listen on {listen}: {source}")]
    Io {
        /// Where.
        listen: Listen,
        /// What the system said.
        source: io::Error,
    },
    /// Something lies at the path that is not ours to replace.
    #[error("cannot listen on {listen}: {why}")]
    Occupied {
        /// Where.
        listen: Listen,
        /// What lies there, and what to do.
        why: &'static str,
    },
}

/// A socket that is listened on. Dropping it closes it; a Unix socket's file goes, too.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Socket,
    /// Where it listens, the port chosen.
    pub(super) listen: Listen,
    #[cfg(unix)]
    _file: Option<unix::OwnFile>,
}

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

impl Listener {
    /// Begins to listen. To be called on a tokio runtime.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub async fn bind(listen: Listen) -> Result<Self, ListenError> {
        match listen {
            Listen::Tcp(address) => {
                let failed = |source| ListenError::Io { listen: Listen::Tcp(address), source };
                let socket = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
                let listen = Listen::Tcp(socket.local_addr().map_err(failed)?);
                Ok(Self {
                    socket: Socket::Tcp(socket),
                    listen,
                    #[cfg(unix)]
                    _file: None,
                })
            }
            #[cfg(unix)]
            Listen::Unix(path) => {
                let (socket, file) = unix::bind(&path)?;
                Ok(Self { socket: Socket::Unix(socket), listen: Listen::Unix(path), _file: Some(file) })
            }
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};

    use rustix::fs::Mode;
    use tokio::net::{UnixListener, UnixSocket};

    use super::{Listen, ListenError};

    /// How many may wait to be let in.
    const BACKLOG: u32 = 64;

    /// The file of a socket, removed with it unless another one lies there by then.
    #[derive(Debug)]
    pub(crate) struct OwnFile {
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

    pub(super) fn bind(path: &Path) -> Result<(UnixListener, OwnFile), ListenError> {
        make_room(path)?;
        let failed = |source| ListenError::Io { listen: Listen::Unix(path.to_owned()), source };
        let socket = UnixSocket::new_stream().map_err(failed)?;
        // Linux makes the file with the socket's own mode; elsewhere this does nothing, and the
        // mode is set right after.
        let _ = rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR);
        socket.bind(path).map_err(failed)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        let file = OwnFile { path: path.to_owned(), identity: identity(path).map_err(failed)? };
        Ok((socket.listen(BACKLOG).map_err(failed)?, file))
    }

    /// Removes a socket of ours whose process is gone; anything else is left as it is.
    fn make_room(path: &Path) -> Result<(), ListenError> {
        let listen = || Listen::Unix(path.to_owned());
        let failed = |source| ListenError::Io { listen: listen(), source };
        let occupied = |why| Err(ListenError::Occupied { listen: listen(), why });
        let file = match fs::symlink_metadata(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        if !file.file_type().is_socket() {
            return occupied("there is a file that is no socket; name another path, or remove it");
        }
        if file.uid() != rustix::process::geteuid().as_raw() {
            return occupied("the socket there belongs to another user; name another path");
        }
        match UnixStream::connect(path) {
            Ok(_) => occupied("another process listens there; give each keeper a socket of its own"),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        for (text, taken) in [
            ("127.0.0.1:9464", true),
            ("127.9.9.9:0", true),
            ("[::1]:9464", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:9464", false),
            ("[::]:9464", false),
            ("192.0.2.1:9464", false),
            ("[::ffff:192.0.2.1]:1", false),
            ("localhost:9464", false),
            ("127.0.0.1", false),
            ("9464", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Listen>().is_ok(), taken, "{text}");
        }
        #[cfg(unix)]
        assert!("unix:/run/manutop/http".parse::<Listen>().is_ok() && "unix:".parse::<Listen>().is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_unix_socket_is_its_owner_s_alone_and_replaces_only_what_is_dead() {
        use std::os::unix::fs::PermissionsExt as _;

        use super::{ListenError, Listener};

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("http");
        let listen = Listen::Unix(path.clone());
        let occupied = |result: Result<Listener, ListenError>| match result {
            Err(ListenError::Occupied { why, .. }) => why,
            other => panic!("{other:?}"),
        };
        // Left by a process that was killed: nothing listens, the file is there.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let listener = Listener::bind(listen.clone()).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(occupied(Listener::bind(listen.clone()).await).contains("another process listens"));
        drop(listener);
        assert!(!path.exists(), "its file goes with it");
        std::fs::write(&path, "a letter").unwrap();
        assert!(occupied(Listener::bind(listen.clone()).await).contains("no socket"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a letter");
        std::fs::remove_file(&path).unwrap();
        let first = Listener::bind(listen.clone()).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = Listener::bind(listen).await.unwrap();
        drop(first);
        assert!(path.exists(), "another's file stays");
        drop(second);
    }
}
