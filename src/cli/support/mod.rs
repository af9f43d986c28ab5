//! Shared by several commands.

pub mod exit;
pub mod global_args;
pub mod json;
pub mod passphrase;
pub mod paste;
pub mod prompt;
pub mod session;
pub mod stderr;
pub mod stdout;
pub mod stores;
pub mod terminal_host;
pub mod time_args;
pub mod unsaved;
pub mod version;
pub mod wait;
