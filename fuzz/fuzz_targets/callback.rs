//! Any request to the listener of a login, and any text pasted as its answer.
#![no_main]

#[path = "../checks/callback.rs"]
mod callback;
#[path = "../checks/planted.rs"]
mod planted;

libfuzzer_sys::fuzz_target!(|data: &[u8]| callback::check(data));
