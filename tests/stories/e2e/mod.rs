//! The program as a person has it, from end to end: the real binary in a real pseudo-terminal,
//! against a real keyring and real browsers, clipboards and terminals. Only the providers are the
//! demo's, on real sockets.
//!
//! One file a story. Each story ends with a sweep for secrets, see [`machine::Machine::sweep`].

mod machine;
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
