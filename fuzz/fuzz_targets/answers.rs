//! Any answer of a server, from its status line on.
#![no_main]

#[path = "../checks/answers.rs"]
mod answers;
#[path = "../checks/planted.rs"]
mod planted;

libfuzzer_sys::fuzz_target!(|data: &[u8]| answers::check(data));
