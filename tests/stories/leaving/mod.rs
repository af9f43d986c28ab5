//! Leaving and stopping while an answer is on its way, and a disk that fills up meanwhile: the real program, real
//! signals and terminals, real file systems; the provider is the demo's.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "../support/factory.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod factory;
#[path = "../support/file_home.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod file_home;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod program;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod pty;

mod bench;
mod commands;
mod dashboard;
mod full_disk;
mod keeper;
mod nowhere;
