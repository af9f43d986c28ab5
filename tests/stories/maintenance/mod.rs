//! Looking after connections without a dashboard: the request log, the configuration file, adding
//! and removing. The real program on encrypted files, which need no keyring.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

mod add;
mod bench;
mod config;
mod damaged;
#[path = "../support/factory.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod factory;
#[path = "../support/file_home.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod file_home;
mod log;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod program;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod pty;
mod remove;
mod unchangeable;
