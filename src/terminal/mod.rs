//! The terminal: input decoded, frames written, modes set and restored.

pub mod backend;
pub mod background;
#[cfg(target_os = "linux")]
pub mod decoder;
pub mod frame_writer;
pub mod guard;
pub mod input;
#[cfg(target_os = "linux")]
pub mod keyboard;
pub mod link;
pub mod osc;
pub mod osc52;
pub mod terminal_event;
pub mod window;
