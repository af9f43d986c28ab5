//! The engine: owns the connections; commands in, events out, no screen.
//!
//! It runs on a thread of its own with its own runtime, so that nothing it waits for can hold up
//! the screen. The dashboard, the headless commands and the tests drive the same engine.
//!
//! - [`handle`]: starting it, and what can be asked of it from other threads
//! - `actor`: the one task that owns all state; everything else reports to it
//! - `slots`, `agenda`, `outage`: the connections, and what is due next, without walking through all of
//!   them; a host that is out of order is asked by one at a time
//! - `rotation`, `login`, `code`, `import`, `check`, `revoke`: the work done for one connection, each a task of
//!   its own
//! - `lead`: who begins what is due: this process, or a keeper beside it
//! - `owing`: what ending or stopping now would endanger
//! - `overview`: what the next start shows before it has read anything
//! - [`agent`]: gives commands the access tokens that are held here
//! - `configure`: takes over another configuration while running
//! - [`unread`]: an answer that could not be read when it came
//! - [`schedule`]: when a refresh is due, and how long to wait after a failure

pub mod actor;
pub mod connections;
pub mod work;

pub mod agent;
pub mod handle;

pub use crate::engine::actor::unfinished::{Owing, Rest, Unfinished};
pub use crate::engine::handle::{Engine, Parts, Refreshed, Remote};
pub use crate::engine::work::access::AccessToken;
pub use crate::engine::work::refresh::trouble::current_refusal;
pub use crate::platform::open_url::{Browser, Opened};
