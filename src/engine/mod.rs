//! The engine: owns the connections; commands in, events out, no screen.
//!
//! It runs on a thread of its own with its own runtime, so that nothing it waits for can block the screen. The
//! dashboard, the headless commands and the tests drive the same engine.
//!
//! - [`handle`] and [`remote`]: starting it, and what can be asked of it from other threads; [`messages`] between them
//! - [`actor`]: the one task that owns all state; everything else reports to it
//! - [`connections`]: each connection's state, what is due next, limits on requests to one host
//! - [`work`]: the work done for one connection, each piece a task of its own
//! - [`unfinished`]: what ending or stopping now would endanger
//! - [`agent`]: gives commands the access tokens held here

pub mod access_token;
pub mod actor;
pub mod agent;
pub mod connections;
pub mod handle;
pub mod messages;
pub mod remote;
pub mod unfinished;
pub mod work;

pub use crate::engine::access_token::AccessToken;
pub use crate::engine::handle::{Engine, Parts};
pub use crate::engine::messages::Refreshed;
pub use crate::engine::remote::Remote;
pub use crate::engine::unfinished::{Rest, Unfinished, UnfinishedWork};
pub use crate::engine::work::refresh::trouble::current_refusal;
pub use crate::platform::open_url::{Browser, Opened};
