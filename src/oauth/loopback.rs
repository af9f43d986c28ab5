//! Loopback redirect URIs: which there are, and the sockets for one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;
use tokio::net::TcpListener;
use url::{Host, Url};

use crate::platform::limits;

/// How many ports are tried until one is free on both loopback addresses.
const PORT_TRIES: usize = 16;

/// Why no listener could be bound.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The redirect URI names no loopback host over `http`.
    #[error("the redirect URI {0} is not on this machine")]
    NotLoopback(String),
    /// Another program listens there.
    #[error(
        "port {port} of the redirect URI is taken by another program; end that program, or register a redirect URI with another port"
    )]
    Taken {
        /// The port.
        port: u16,
    },
    /// The system refused.
    #[error("cannot listen on {address}: {}", limits::explained(source.to_string()))]
    Io {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The URL and its loopback addresses; `None` if it is not `http` on loopback.
pub(super) fn parse(redirect_uri: &str) -> Option<(Url, Vec<IpAddr>)> {
    let url = Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http")?;
    let addresses = match url.host()? {
        Host::Ipv4(address) if address.is_loopback() => vec![IpAddr::V4(address)],
        Host::Ipv6(address) if address.is_loopback() => vec![IpAddr::V6(address)],
        Host::Domain(name) if name.eq_ignore_ascii_case("localhost") => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        _ => return None,
    };
    Some((url, addresses))
}

/// The port as written. `Url::port` hides `:80`, which is not the same as no port here.
pub(super) fn explicit_port(redirect_uri: &str) -> Option<u16> {
    let authority = authority(redirect_uri);
    authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'))?.1.parse().ok()
}

fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// The redirect URI with `port`, if it names none itself.
pub(super) fn with_port(redirect_uri: &str, port: u16) -> String {
    if explicit_port(redirect_uri).is_some() {
        return redirect_uri.to_owned();
    }
    let authority = authority(redirect_uri);
    redirect_uri.replacen(authority, &format!("{}:{port}", authority.trim_end_matches(':')), 1)
}

/// Binds all addresses at one port that is free on each of them.
pub(super) async fn bind_free(addresses: &[IpAddr]) -> Result<(u16, Vec<TcpListener>), ListenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let first = bind_one(SocketAddr::new(addresses[0], 0)).await?;
        let port = first
            .local_addr()
            .map_err(|source| ListenError::Io { address: SocketAddr::new(addresses[0], 0), source })?
            .port();
        match bind_all(&addresses[1..], port).await {
            Ok(others) => return Ok((port, std::iter::once(first).chain(others).collect())),
            Err(ListenError::Taken { .. }) if tries < PORT_TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// Binds every address there is; a machine without IPv6 does without.
pub(super) async fn bind_all(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut sockets = Vec::new();
    for address in addresses {
        match bind_one(SocketAddr::new(*address, port)).await {
            Ok(socket) => sockets.push(socket),
            Err(ListenError::Io { source, .. })
                if address.is_ipv6() && source.kind() == io::ErrorKind::AddrNotAvailable => {}
            Err(ListenError::Io { source, .. }) if address.is_ipv6() && source.kind() == io::ErrorKind::Unsupported => {
            }
            Err(error) => return Err(error),
        }
    }
    Ok(sockets)
}

async fn bind_one(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken { port: address.port() },
        _ => ListenError::Io { address, source },
    })
}

#[cfg(test)]
mod tests {
    use super::{explicit_port, with_port};

    #[test]
    fn ports_are_read_as_written() {
        assert_eq!(explicit_port("http://127.0.0.1:80/cb"), Some(80));
        assert_eq!(explicit_port("http://[::1]/cb"), None);
        assert_eq!(explicit_port("http://[::1]:9/cb"), Some(9));
        assert_eq!(with_port("http://[::1]/cb", 9), "http://[::1]:9/cb");
        assert_eq!(with_port("http://127.0.0.1/127.0.0.1", 9), "http://127.0.0.1:9/127.0.0.1");
    }
}
