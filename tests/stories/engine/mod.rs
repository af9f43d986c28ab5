//! The real engine against real servers, without a dashboard.

mod configure;
#[cfg(target_os = "linux")]
mod crowded_login;
mod import;
mod inspection;
mod login;
mod logout;
mod odd_answers;
mod relogin;
mod rename;
mod status_snapshot;
mod subject;
