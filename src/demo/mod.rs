//! Both providers' servers, embedded: what `manutop demo` runs on and what the tests talk to.
//!
//! They keep the providers' rules strictly (rotation with reuse detection, exact redirect URIs,
//! secrets in the form body only, PKCE, rate limits, the documented errors), so that what works
//! here has no reason to fail there. They listen on loopback only, run on a thread of their own
//! and keep everything in memory.
//!
//! Invariants: nothing in here can stall its caller, and no token or client secret reaches a
//! `Debug` output.

mod fault;
mod issued;
pub mod latency;
mod limit;
pub mod manu;
pub mod manus;
mod options;
mod params;
mod servers;
mod shared;
mod stats;
pub mod story;
mod wire;

pub use crate::demo::fault::{DemoFault, Reply};
pub use crate::demo::issued::Issued;
pub use crate::demo::limit::RateLimit;
pub use crate::demo::manu::Manu;
pub use crate::demo::manus::Manus;
pub use crate::demo::options::DemoOptions;
pub use crate::demo::servers::Servers;
pub use crate::demo::stats::{Stats, TokenPosts};
pub use crate::demo::story::Story;
