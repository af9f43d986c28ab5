//! The shell: where engine and dashboard meet. What the dashboard needs of the machine it runs
//! on, and the loop that carries input to it and its commands to the engine.

pub mod appearance;
pub mod configuration;
pub mod copying;
pub mod departure;
pub mod export;
pub mod glance;
pub mod log_reader;
pub mod run_loop;
