//! The shell: what the dashboard needs of the machine it runs on, and the terminal loop.

pub mod browser;
pub mod clipboard;
pub mod environment;
pub mod signals;
pub mod terminal;
