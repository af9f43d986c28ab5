//! `manutop keepalive` as a server has it: the real program, the encrypted store, real sockets and
//! signals, a real notification socket; the providers are the demo's.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

#[path = "../support/file_home.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod file_home;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod program;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod pty;
#[path = "../support/wiretap.rs"]
mod wiretap;

mod bench;
mod beside;
mod booted;
mod hostile;
mod hung;
mod leading;
mod notified;
mod refreshing;
mod scraped;
mod units;
