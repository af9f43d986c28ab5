//! The socket that health and metrics are served on: of this machine only.
//!
//! Invariant: no address that another machine could reach is ever bound. What a Unix socket promises is
//! kept by [`crate::platform::socket`].

use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
use std::str::FromStr;
use std::{fmt, io};

use thiserror::Error;

use crate::platform::limits;
#[cfg(unix)]
use crate::platform::socket;
#[cfg(unix)]
use crate::platform::socket::OwnFile;
#[cfg(unix)]
use crate::platform::socket::SocketError;

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
pub enum MetricsListenError {
    /// The system refuses.
    #[error("cannot listen on {listen}: {}", limits::explained(source.to_string()))]
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
pub struct MetricsListener {
    pub(crate) socket: Socket,
    /// Where it listens, the port chosen.
    pub(crate) listen: Listen,
    #[cfg(unix)]
    _file: Option<OwnFile>,
}

#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

impl MetricsListener {
    /// Begins to listen. To be called on a tokio runtime.
    ///
    /// # Errors
    /// See [`MetricsListenError`].
    pub async fn bind(listen: Listen) -> Result<Self, MetricsListenError> {
        match listen {
            Listen::Tcp(address) => {
                let failed = |source| MetricsListenError::Io { listen: Listen::Tcp(address), source };
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
                let (socket, file) = socket::bind(&path).map_err(|error| refused(&path, error))?;
                Ok(Self { socket: Socket::Unix(socket), listen: Listen::Unix(path), _file: Some(file) })
            }
        }
    }
}

#[cfg(unix)]
fn refused(path: &Path, error: SocketError) -> MetricsListenError {
    let listen = Listen::Unix(path.to_owned());
    match error {
        SocketError::Io(source) => MetricsListenError::Io { listen, source },
        SocketError::Occupied(why) => MetricsListenError::Occupied { listen, why },
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
}
