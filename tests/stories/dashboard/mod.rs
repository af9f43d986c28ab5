//! The dashboard: its real loop on a screen in memory, and the whole program in a pseudo-terminal.

#[cfg(unix)]
mod announcements;
mod big_log;
#[cfg(all(unix, not(target_os = "macos")))]
mod clipboard;
#[cfg(unix)]
mod comfort;
mod demo_faults;
mod demo_tour;
mod finding;
#[cfg(unix)]
mod kept_view;
#[cfg(unix)]
#[cfg(target_os = "linux")]
mod keyboard;
#[cfg(all(unix, not(target_os = "macos")))]
mod notifications;
#[cfg(target_os = "linux")]
mod own_commands;
mod run_loop;
#[cfg(unix)]
mod screen_copy;
#[cfg(unix)]
mod terminal;
mod undo;
mod watching;
