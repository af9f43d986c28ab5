//! The store floor: token records, durable against everything.
//!
//! What the floor promises, and where it is kept:
//!
//! - a received refresh token is never lost, an old one never handed out: [`Lease`] writes the
//!   journal before the store and weighs both against each other after a crash (`judge`);
//! - no secret is readable on disk: the journal holds fingerprints and sealed records only;
//! - a store that hangs stalls nobody: [`Secrets`] keeps it on a thread of its own and bounds
//!   every call;
//! - two processes never spend the same token: a [`Lease`] is an OS file lock.

mod binding;
mod change;
mod chunk;
mod copies;
mod damage;
mod error;
mod file;
mod file_key;
mod files;
mod history;
mod identity;
mod journal;
mod judge;
pub mod keyring;
mod lease;
mod lock;
mod memory;
mod migrate;
mod namespace;
pub mod overview;
mod public;
pub mod record;
mod rename;
pub mod request_log;
mod reserve;
mod seal;
mod secret_store;
mod secrets;
pub mod socket;
#[cfg(test)]
mod tests;
mod vault;

pub use change::{Change, Known};
pub use error::{SaveError, StoreError};
pub use file::{FileStore, Passphrase};
pub(crate) use files::whole_text;
pub use judge::{Hazard, Standing};
pub use lease::Lease;
pub use memory::{Call, Fault, MemoryStore};
pub use migrate::{Copied, Migration, Moved};
pub use namespace::Namespace;
pub use overview::Overview;
pub use rename::{Carried, Progress, RenameError, Renamed, Renaming};
pub use secret_store::{Elsewhere, SecretStore, StoreFactory};
pub use secrets::Secrets;
pub use vault::{Leadership, Seen, Vault, agent_socket};
