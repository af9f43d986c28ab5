//! The commands, as scripts and people at a terminal run them.

#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod curl_line;
mod doctor;
#[cfg(unix)]
mod file_store;
mod first_start;
#[cfg(unix)]
mod herd;
#[cfg(unix)]
mod import;
#[cfg(unix)]
mod known_everywhere;
#[cfg(unix)]
mod login;
#[cfg(target_os = "linux")]
mod login_page;
mod manual;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod rejected;
#[cfg(unix)]
mod rename;
#[cfg(unix)]
mod rescue;
#[cfg(target_os = "linux")]
mod token_destinations;
#[cfg(target_os = "linux")]
mod token_socket;
#[cfg(target_os = "linux")]
mod trust;
