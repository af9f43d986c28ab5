//! The agent: while a dashboard or a keepalive runs, commands are given the access tokens it holds over
//! a Unix socket of the data directory, without a look at the secret store.
//!
//! - [`ask()`]: what a command asks, before it does anything else
//! - `serve`: what the running process answers
//! - `wire`: the words between them
//!
//! Invariants: nothing but access tokens is sent, only between processes of one user, and only where
//! the connection has no problem: in every other case there is no answer, and the command works
//! without it. Of several processes on one data directory one answers; when it ends, however it ends, the
//! kernel hands the right over to the next. Nothing is polled.

#[cfg(unix)]
mod ask;
#[cfg(unix)]
mod serve;
#[cfg(not(unix))]
mod unsupported;
#[cfg(unix)]
mod wire;

#[cfg(unix)]
pub use crate::engine::agent::ask::answers;
#[cfg(unix)]
pub use crate::engine::agent::ask::ask;
#[cfg(unix)]
pub(super) use crate::engine::agent::serve::Agent;
#[cfg(not(unix))]
pub(super) use crate::engine::agent::unsupported::Agent;
#[cfg(not(unix))]
pub use crate::engine::agent::unsupported::answers;
#[cfg(not(unix))]
pub use crate::engine::agent::unsupported::ask;

/// A process at the other end of the socket, of the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its process ID, where the system knows it.
    pub pid: Option<i32>,
}
