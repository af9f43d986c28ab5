//! Where secrets are kept.

mod file;
#[cfg(target_os = "linux")]
mod keyring;
