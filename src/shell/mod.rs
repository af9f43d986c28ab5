//! The shell: where engine and dashboard meet. What the dashboard needs of the machine it runs
//! on, and the loop that carries input to it and its commands to the engine.

pub mod appearance;
pub mod attention;
pub mod background;
pub mod browser;
pub mod clipboard;
pub mod configuration;
pub mod copying;
#[cfg(target_os = "linux")]
mod decoder;
mod departure;
pub mod environment;
pub mod export;
pub mod glance;
pub mod input;
#[cfg(target_os = "linux")]
mod keyboard;
pub mod log_reader;
mod login_page;
pub mod osc;
mod osc52;
pub mod painter;
pub mod run_loop;
pub mod screen;
pub mod signals;
pub mod terminal;
pub mod watch;

pub use configuration::Configuration;
pub use run_loop::{Dashboard, Ending, Host};
