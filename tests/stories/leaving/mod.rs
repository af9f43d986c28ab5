//! Leaving and stopping while an answer is on its way, and a disk that fills up meanwhile: the real program, real
//! signals and terminals, real file systems; the provider is the demo's.

mod bench;
mod commands;
mod dashboard;
mod full_disk;
mod keepalive;
mod nowhere;
