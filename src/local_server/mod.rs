//! Servers for programs on this machine: the login's redirect listener, health and metrics, the token socket.
//!
//! Invariants: every connection holds one of a bounded number of places and ends within a bounded time; one whose
//! request has not arrived gives up its place to a newer one; all connections end with the server.
//!
//! [`http::answer`] answers one HTTP request on any stream; [`http::serve`] does so for a listener.

use url::{Host, Url};

mod accept;
pub mod http;
mod places;

pub use crate::local_server::accept::{Accept, serve_all};
pub use crate::local_server::places::{OpenPlace, Places};

/// Whether a URL's host is this machine: 127.0.0.0/8, `[::1]` or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
