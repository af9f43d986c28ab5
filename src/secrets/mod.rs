//! Secret stores: the platform's keyring, encrypted files, or memory, behind one trait.
//!
//! The promises, and where they are kept:
//!
//! - A store that blocks or hangs stalls nothing else: [`Secrets`](worker::Secrets) keeps it on its own thread and bounds
//!   every call. A write counts only once it was read back ([`worker`]).
//! - No prompt is raised behind a dashboard: a keyring is asked whether it is locked before every call ([`keyring`]).
//! - No secret is readable on disk: the encrypted store writes `age` files only ([`encrypted_file`]), and every file is
//!   private to its owner and replaced as a whole ([`private_files`]).
//! - A secret that is too large for the store is split, and whole again wherever the process dies ([`chunks`]).
//! - Two data directories never share an item of the keyring ([`namespace`]).
//! - No error holds a secret; what others may read of one holds no path either ([`error`]).

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
