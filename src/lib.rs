//! manutop keeps OAuth connections to Manu Online and Manus alive and shows them in a terminal.
//!
//! The floors, from the ground up; an import goes down, never up:
//!
//! - [`domain`]: plain types without I/O; [`format`](mod@format): how values are written for people
//! - [`trust`], [`local_server`], [`platform`], [`terminal`]: what is used of the machine
//! - [`config`]: the configuration file
//! - [`oauth`]: the protocol, and the providers as data
//! - [`live_configuration`]: the configuration while the program runs: its file watched, read again, changed
//! - [`secrets`]: secret stores; [`tokens`]: token records, journal, locks; [`request_log`]
//! - [`engine`]: owns the connections: refresh, login, test, schedule
//! - [`dashboard`]: the state and drawing of every screen
//! - [`notifications`]: what is announced outside the dashboard
//! - [`dashboard_loop`]: carries input to the dashboard and its effects to the engine and the machine
//! - [`keepalive`]: the service without a screen
//! - [`demo`]: both providers' servers, embedded
//! - [`cli`]: arguments and commands
//!
//! `fault_point`: for tests alone, places where a process can be made to die.

pub mod dashboard;
pub mod dashboard_loop;
pub mod format;
pub mod keepalive;
pub mod live_configuration;
pub mod notifications;
pub mod platform;
pub mod request_log;
pub mod secrets;
pub mod terminal;
pub mod tokens;

pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
#[cfg(feature = "fault-points")]
pub mod fault_point;
#[cfg(not(feature = "fault-points"))]
mod fault_point;
pub mod local_server;
pub mod oauth;
pub mod trust;
