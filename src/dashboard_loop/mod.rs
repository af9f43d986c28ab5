//! The event loop: carries input to the dashboard, and its effects to the engine and the machine.

pub mod appearance;
pub mod copying;
mod effects;
pub mod export;
mod foreground;
pub mod host;
mod leave;
mod lending;
pub mod log_reader;
mod messages;
mod own_commands;
pub mod pending_exit;
pub mod run_loop;
mod underway;
pub mod view_file;
