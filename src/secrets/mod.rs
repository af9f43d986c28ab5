//! Secret stores: the platform's keyring, encrypted files, or memory, behind one trait.
//!
//! A store may block or hang: [`worker::Secrets`] keeps it on a thread of its own and bounds every call.

pub mod age_identity;
pub mod chunks;
pub mod encrypted_file;
pub mod error;
pub mod format_version;
pub mod keyring;
pub mod memory;
pub mod namespace;
pub mod private_files;
pub mod secret_store;
pub mod worker;
