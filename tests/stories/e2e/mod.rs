//! The program as a person has it, from end to end: the real binary in a real pseudo-terminal,
//! against a real keyring and real browsers, clipboards and terminals. Only the providers are the
//! demo's, on real sockets.
//!
//! One file a story. Each story ends with a sweep for secrets, see [`house::House::sweep`].
#![cfg(all(unix, not(target_os = "macos")))]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "../support/chromium.rs"]
mod chromium;
#[path = "../support/keyring.rs"]
mod keyring;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod program;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../support/wiretap.rs"]
mod wiretap;

mod house;
mod screen;
mod web;

mod copy;
mod day;
mod headless;
mod hostile;
mod login;
mod manus;
mod newcomer;
mod scripts;
mod sweep;
mod terminal;
mod writings;
