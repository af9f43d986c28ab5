//! One file for each command: its options, and what it does.

pub mod add;
pub mod completions;
pub mod config;
#[cfg(unix)]
pub mod curl;
pub mod dashboard;
pub mod demo;
pub mod doctor;
pub mod exec;
pub mod import;
pub mod keepalive;
pub mod list;
pub mod log;
pub mod login;
pub mod logout;
pub mod man;
pub mod migrate;
pub mod refresh;
pub mod remove;
pub mod rename;
pub mod rescue;
pub mod secret;
pub mod status;
pub mod store_use;
pub mod test;
pub mod token;
pub mod watch;
