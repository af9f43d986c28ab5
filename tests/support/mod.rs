//! What the stories share.

#[cfg(unix)]
pub mod again;
#[cfg(unix)]
pub mod bench;
#[cfg(target_os = "linux")]
pub mod chromium;
pub mod demo;
pub mod factory;
pub mod file_home;
#[cfg(unix)]
pub mod inside;
#[cfg(unix)]
pub mod keyring;
pub mod login;
pub mod program;
#[cfg(unix)]
pub mod pty;
pub mod records;
pub mod rig;
pub mod screen;
pub mod stage;
pub mod subjects;
#[cfg(unix)]
pub mod wiretap;
