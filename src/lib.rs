//! manutop keeps OAuth connections to Manu Online and Manus alive and shows them in a terminal.
//!
//! The floors, from the ground up; an import goes down, never up:
//!
//! - [`domain`]: plain types without I/O
//! - [`config`]: what the user wrote down
//! - [`oauth`]: the protocol, and the providers as data
//! - [`store`]: token records, journal, lock
//! - [`engine`]: owns the connections: refresh, login, test, schedule
//! - [`app`] and [`ui`]: the dashboard's state, and its drawing
//! - [`shell`]: the terminal loop, where engine and dashboard meet
//! - [`keeper`]: the loop without a screen, where the engine meets a service manager
//! - [`cli`]: arguments and the headless commands
//! - [`demo`]: both providers' servers, embedded
//!
//! Below them all, `alarm`: a sleep that wakes its thread once; [`stamp`]: how a file looks; [`trust`]: whether a file may
//! be used; [`limits`]: open files and core dumps; `hardening`: what keeps others from this process's memory; and
//! [`local_server`]: how programs on this machine are answered.
//! Beside them, for tests alone, `fault_point`: places where a process can be made to die.

mod alarm;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
#[cfg(feature = "fault-points")]
pub mod fault_point;
#[cfg(not(feature = "fault-points"))]
mod fault_point;
mod hardening;
pub mod keeper;
pub mod limits;
pub mod local_server;
pub mod oauth;
pub mod shell;
pub mod stamp;
pub mod store;
pub mod trust;
pub mod ui;
