//! What the tests share. Each test file uses a part of it.
#![allow(dead_code, clippy::unwrap_used, reason = "test support, of which every test file uses a part")]

pub mod demo;
pub mod login;
pub mod rig;
pub mod screen;
pub mod stage;
