//! The event loop: carries input to the dashboard, and its effects to the engine and the machine.

pub mod appearance;
pub mod copying;
pub mod export;
pub mod host;
mod leave;
pub mod log_reader;
mod messages;
pub mod pending_exit;
pub mod run_loop;
