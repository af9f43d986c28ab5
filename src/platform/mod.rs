//! What differs between operating systems, and what manutop uses of them: signals, files, sockets, clipboard, browser,
//! limits. Everything here is usable without the dashboard.

pub(crate) mod bounded_run;
pub mod browser;
pub mod child_process;
pub mod clipboard;
pub mod environment;
pub mod file_stamp;
pub mod file_watch;
pub mod hardening;
pub mod limits;
pub mod login_page;
pub mod open_url;
pub mod signals;
pub mod socket;
pub mod timer;
