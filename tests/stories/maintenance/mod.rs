//! Looking after connections without a dashboard: the request log, the configuration file, adding
//! and removing. The real program on encrypted files, which need no keyring.

mod add;
mod bench;
mod config;
mod damaged;
mod log;
mod remove;
mod unchangeable;
