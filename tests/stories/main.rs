//! Whole behaviours, one story a file: most through the real engine, the real loop or the real program, against servers
//! on this machine.
//!
//! Tests that need another program are ignored; `scripts/test` includes them. Up to as many tests as there are
//! processors run at the same time in this process: a test that counts what belongs to the whole process runs alone, in
//! a process of its own (`support::again`).

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "../support/mod.rs"]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "some stories need Linux"))]
mod support;

mod cli;
mod config;
mod config_change;
mod dashboard;
mod demo_servers;
#[cfg(all(unix, not(target_os = "macos")))]
mod e2e;
mod engine;
mod exchange;
mod fuzzed;
#[cfg(target_os = "linux")]
mod keepalive;
#[cfg(target_os = "linux")]
mod leaving;
#[cfg(unix)]
mod maintenance;
mod readers;
mod request_log;
mod rotation;
mod stores;
